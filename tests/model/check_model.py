"""The model of the outbox protocol (outbox.pml), walked completely by spin: as it is nothing breaks a
property, and with one guard taken out something does.

    check_model.py      needs spin and a C compiler; without spin it is skipped (77)
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODEL = pathlib.Path(__file__).with_name("outbox.pml")
PLAIN, ESCALATES, DIGESTS = {}, {"ESCALATES": 1}, {"DIGESTS": 1}
BOTH = {**ESCALATES, **DIGESTS}
# what is walked: for which integration, 0 is told the end, 1 is not; with which stories
WALKS = [(0, PLAIN), (1, PLAIN), (0, ESCALATES), (0, DIGESTS), (1, DIGESTS), (0, BOTH)]
# what spin must say of each mutant
MUTANTS = {
    1: (0, PLAIN, "a later row overtakes an earlier one", r"assertion violated .*last"),
    2: (0, PLAIN, "a start leaves what was being sent", r"invalid end state"),
    3: (1, PLAIN, "an acknowledgement drops news that a reminder covers", r"assertion violated .*owed"),
    4: (1, PLAIN, "who is not told the end is not told what waits", r"assertion violated .*owed"),
    5: (0, PLAIN, "a mark is lost without a crash", r"assertion violated .*heard"),
    6: (0, PLAIN, "what expires is not on the timeline", r"assertion violated .*owed"),
    7: (1, PLAIN, "a reminder that took a first page's place is dropped", r"assertion violated .*owed"),
    8: (0, ESCALATES, "a page that failed under an acknowledgement waits again", r"assertion violated .*acknowledged"),
    9: (0, ESCALATES, "a start sends a page again that somebody acknowledged", r"assertion violated .*acknowledged"),
    10: (0, ESCALATES, "an acknowledgement pages people all the same", r"assertion violated .*acknowledged"),
    11: (0, DIGESTS, "what is folded counts as told", r"assertion violated .*(owed|known|last)"),
    12: (0, DIGESTS, "a later row goes past a digest", r"assertion violated .*(last|known)"),
    13: (0, DIGESTS, "a digest that failed is forgotten", r"assertion violated .*owed|invalid end state"),
}


def walk(only, story, mutant):
    """What spin's program says of all states there are."""
    with tempfile.TemporaryDirectory(prefix="watchbill-model-") as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)

        flags = [f"-D{name}={value}" for name, value in story.items()]
        made = run("spin", f"-DONLY={only}", f"-DMUTANT={mutant}", *flags, "-a", str(MODEL))
        built = run("gcc", "-O1", "-DSAFETY", "-o", "pan", "pan.c")
        if made.returncode or built.returncode:
            return f"no model: {made.stdout}{made.stderr}{built.stderr}"
        return run("./pan", "-m100000").stdout


def main():
    if not shutil.which("spin") or not shutil.which("gcc"):
        print("spin or gcc is not installed")
        return 77
    failures = 0
    for only, story in WALKS:
        said = walk(only, story, 0)
        what = f"integration {only}" + "".join(f", {name.lower()}" for name in story)
        states = re.search(r"(\d+) states, stored", said)
        if not re.search(r"errors: 0\b", said) or "too small" in said or "not completed" in said or not states or int(states[1]) < 3000:
            print(f"{what}: the model breaks a property or was not walked to its end:\n{said}")
            failures += 1
        else:
            print(f"{what}: {states[1]} states, nothing wrong")
    for mutant, (only, story, what, expected) in MUTANTS.items():
        said = walk(only, story, mutant)
        if not re.search(expected, said):
            print(f"mutant {mutant} ({what}): expected {expected}:\n{said}")
            failures += 1
        else:
            print(f"mutant {mutant}: {what}: found")
    return 1 if failures else 0


sys.exit(main())
