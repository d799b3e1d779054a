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
# what spin must say of each mutant, and for which integration: 0 is told the end, 1 is not
MUTANTS = {
    1: (0, "a later row overtakes an earlier one", r"assertion violated .*last"),
    2: (0, "a start leaves what was being sent", r"invalid end state"),
    3: (1, "an acknowledgement drops news that a reminder covers", r"assertion violated .*owed"),
    4: (1, "who is not told the end is not told what waits", r"assertion violated .*owed"),
    5: (0, "a mark is lost without a crash", r"assertion violated .*heard"),
    6: (0, "what expires is not on the timeline", r"assertion violated .*owed"),
    7: (1, "a reminder that took a first page's place is dropped", r"assertion violated .*owed"),
}


def walk(only, mutant):
    """What spin's program says of all states there are."""
    with tempfile.TemporaryDirectory(prefix="watchbill-model-") as folder:
        def run(*command):
            return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)

        made = run("spin", f"-DONLY={only}", f"-DMUTANT={mutant}", "-a", str(MODEL))
        built = run("gcc", "-O1", "-DSAFETY", "-o", "pan", "pan.c")
        if made.returncode or built.returncode:
            return f"no model: {made.stdout}{made.stderr}{built.stderr}"
        return run("./pan", "-m100000").stdout


def main():
    if not shutil.which("spin") or not shutil.which("gcc"):
        print("spin or gcc is not installed")
        return 77
    failures = 0
    for only in (0, 1):
        said = walk(only, 0)
        states = re.search(r"(\d+) states, stored", said)
        if not re.search(r"errors: 0\b", said) or "too small" in said or "not completed" in said or not states or int(states[1]) < 10000:
            print(f"integration {only}: the model breaks a property or was not walked to its end:\n{said}")
            failures += 1
        else:
            print(f"integration {only}: {states[1]} states, nothing wrong")
    for mutant, (only, what, expected) in MUTANTS.items():
        said = walk(only, mutant)
        if not re.search(expected, said):
            print(f"mutant {mutant} ({what}): expected {expected}:\n{said}")
            failures += 1
        else:
            print(f"mutant {mutant}: {what}: found")
    return 1 if failures else 0


sys.exit(main())
