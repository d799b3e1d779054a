"""alertctl test routes: the page's worked example, what differs, and the forms for programs."""

import json
import pathlib
import re
import sys
import tempfile
import textwrap
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ROOT, alertctl

PAGE = (pathlib.Path(ROOT) / "docs/route-tests.md").read_text()


def blocks():
    """The indented blocks of the page, in order."""
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", PAGE, re.M)]


class RouteTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        _, config, self.tests, self.said = blocks()
        (self.folder / "alertd.yml").write_text(config)
        self.path = self.folder / "tests.yml"

    def run_tests(self, *options, text=None, status=0):
        self.path.write_text(text or self.tests)
        done = alertctl("test", "routes", *options, self.path, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return (done.stdout + done.stderr).replace(str(self.path), "tests.yml")

    def test_the_page_says_what_comes(self):
        self.assertEqual(self.run_tests(status=1), self.said)

    def test_a_full_story_passes(self):
        more = """\
      - {at: 41m30s, receiver: oncall, by: [webhook], firing: [warn]}
      - {at: 51m30s, receiver: oncall, reason: all alerts resolved, resolved: [warn]}
      - {at: 1h2m30s, receiver: db, firing: [full], group_key: '{}/{team="db"}:{alertname="Full"}'}
"""
        text = self.tests.replace("    muted:\n", more + "    muted:\n")
        self.assertEqual(self.run_tests(text=text), "tests.yml: SUCCESS (2 tests, 9 checks)\n")

    def test_what_was_expected_stands_beside_what_came(self):
        text = self.tests.replace("at: 30s", "at: 20s").replace("receivers: [db]", "receivers: [oncall]")
        out = self.run_tests(text=text, status=1)
        self.assertIn("- receivers: oncall\n    + receivers: db\n", out)
        self.assertIn("- 20s oncall: first notification, firing page (line 15)\n"
                      "    + 30s oncall by webhook: first notification, firing page\n", out)
        out = self.run_tests(text=self.tests.replace("by: []", "by: [silence 1]"), status=1)
        self.assertIn("- 1h1m full muted by silence 1 (line 20)\n    + 1h1m full muted by nothing\n", out)

    def test_forms_for_programs(self):
        report = json.loads(self.run_tests("--json", status=1))
        self.assertEqual([(t["name"], t["verdict"]) for t in report["files"][0]["tests"]],
                         [("databases have their own people", "SUCCESS"), ("a night", "FAILED")])
        target = self.folder / "junit.xml"
        self.run_tests("--format=junit", f"--output={target}", status=1)
        suite = xml.etree.ElementTree.parse(target).getroot()[0]
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        self.assertIn("firing warn", suite[1][0].text)
        self.run_tests("--run=^databases")
        self.assertIn("no test's name matches", self.run_tests("--run=zebra", status=1))

    def test_errors_have_a_place(self):
        for old, new, words in (
            ("firing: [page]", "firing: [pgae]", 'tests.yml:15:74: no alert is named "pgae"'),
            ("until: 40m", "until: 0s", 'tests.yml:11:81: an alert ends after its "at:"'),
            ("config: alertd.yml", "config: |\n  receivers: [{name: a}]\n  route: {receiver: b}\n",
             'tests.yml:3:21: no receiver is named "b"'),
            ("config: alertd.yml", "config: none.yml", "none.yml"),
            ("until: 2h", "untl: 2h", "untl"),
        ):
            with self.subTest(new):
                self.assertIn(words, self.run_tests(text=self.tests.replace(old, new, 1), status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
