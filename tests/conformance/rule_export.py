#!/usr/bin/env python3
"""Rules into alertd and out again: the exported file is one that Prometheus loads and that
means the same, and importing it changes nothing.

    rule_export.py FOLDER        FOLDER holds rulefmt/, mixins/ ...

promtool judges the files when it is there (tests/lib/peer_programs.py); otherwise only alertd does.
Exit 77 (skipped) when the folder is not there.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, Alertd, alertctl
from peer_programs import peer


def loadable(folder):
    files = [path for path in sorted(folder.glob("**/*.y*ml"))
             if any(line.startswith("groups:") for line in path.read_text(errors="replace").splitlines())]
    return [path for path in files
            if subprocess.run([ALERTCTL, "check", "rules", path], capture_output=True, timeout=60).returncode in (0, 3)]


def judge(promtool, paths):
    """promtool's words when it refuses one of them."""
    done = subprocess.run([promtool, "check", "rules", "--lint=none", *paths], capture_output=True, text=True, timeout=600)
    return done.stdout[-2000:] + done.stderr[-2000:] if done.returncode else ""


def counts(alertd, path, source):
    reply = alertd.import_rules(path.read_text(), source=source)
    return reply["changed"], reply["removed"], reply["rules"]


def main():
    folder = pathlib.Path(sys.argv[1])
    if not (folder / "rulefmt").exists():
        print(f"SKIP: {folder} is not here")
        return 77
    promtool, failures, rules = peer("promtool"), [], 0
    with tempfile.TemporaryDirectory() as out, Alertd(flags=["--rules.import="]) as alertd:
        paths = loadable(folder)
        exported = []
        for number, path in enumerate(paths):
            source = f"{number}.yml"
            imported = counts(alertd, path, source)[2]
            rules += imported
            to = pathlib.Path(out, source)
            done = alertctl("export", "rules", f"--file={source}", alertd=alertd, check=False)
            to.write_text(done.stdout)
            if done.returncode:  # a file without any group has nothing to export
                failures += [f"{path}: {done.stderr}"] if imported else []
                continue
            exported.append(to)
            changed, removed, _ = counts(alertd, to, source)
            if changed or removed:
                failures.append(f"{path}: imported again: {changed} changed, {removed} removed")
        whole = pathlib.Path(out, "all.yml")
        whole.write_text(alertctl("export", "rules", alertd=alertd).stdout)
        stored = len([r for g in alertd.get("/api/alertd/v1/rules")["groups"] for r in g["rules"]])
        report = json.loads(alertctl("check", "rules", "--json", whole, alertd=alertd, check=False).stdout)
        if report["errors"] or report["rules"] != stored:
            failures.append(f"all rules in one file: {report['rules']} of {stored}, {report['errors']} errors")
        words = judge(promtool, [*exported, whole]) if promtool else ""
        failures += [f"promtool: {words}"] if words else []
    print("\n".join(failures))
    print(f"{len(paths)} files, {rules} rules, {len(exported)} exported, {len(failures)} failures, "
          + ("promtool accepts the exported files" if promtool and not words else "promtool is not here: set WATCHBILL_PEERS"
             if not promtool else "promtool refuses some"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
