"""./check's count is the sum of all runs: a failure in any log is a failure."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TALLY = Path(__file__).parents[2] / "tools/tally.py"
PYTHON = "Ran 3 tests in 0.1s\n\nFAILED (failures=1)"
TAP = "ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no loop devices\n"


class Tally(unittest.TestCase):
    def count(self, *logs):
        return self.run_tally([], logs)

    def run_tally(self, arguments, logs):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, rows in enumerate(logs):
                paths.append(Path(folder) / f"{number}.json")
                paths[-1].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            return subprocess.run([sys.executable, TALLY, *arguments, *paths], capture_output=True, text=True, check=True).stdout

    def row(self, result="OK", stdout="", stderr=""):
        return {"name": "e2e / one", "result": result, "stdout": stdout, "stderr": stderr}

    def test_cases_of_programs(self):
        self.assertEqual(self.count([self.row("FAIL", TAP), self.row("FAIL", stderr=PYTHON), self.row()]), "4 2 1\n")

    def test_every_log_counts(self):
        self.assertEqual(self.count([self.row()], [self.row("FAIL"), self.row()]), "2 1 0\n")

    def test_a_log_without_rows_is_a_failure(self):
        self.assertEqual(self.count([self.row()], []), "1 1 0\n")

    def test_a_program_that_dies_after_its_last_case(self):
        self.assertEqual(self.count([self.row("ERROR", "ok 1 - a\n")]), "1 1 0\n")

    def test_what_failed_is_told_and_nothing_else(self):
        python = "..F\n" + "=" * 70 + "\nFAIL: test_a\nsilent != told\n" + PYTHON
        said = self.run_tally(["--failures"], [[self.row(stdout="fine"), self.row("FAIL", stderr=python)],
                                               [self.row("FAIL", TAP), self.row("TIMEOUT", "the last line")]])
        for part in ("-- e2e / one: FAIL", "silent != told", "not ok 2 - b", "-- e2e / one: TIMEOUT", "the last line"):
            self.assertIn(part, said)
        for part in ("fine", "..F", "ok 1 - a"):
            self.assertNotIn(part, said.replace("not ok", ""))


if __name__ == "__main__":
    unittest.main()
