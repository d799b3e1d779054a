"""alertctl against a real alertd: what it prints, what it returns, what it refuses."""

import json
import os
import pathlib
import pty
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTCTL, ROOT, Alertd, alertctl
from test_incidents import YEAR, page

RULES = """
groups:
  - name: demo
    interval: 1s
    rules:
      - alert: QueueLong
        expr: queue_length > 5
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.queue }} is long"}
"""


def on_terminal(*arguments, alertd, env=()):
    """Standard output as a terminal would get it."""
    ours, theirs = pty.openpty()
    full = {**os.environ, "ALERTD_URL": alertd.url, "ALERTD_TOKEN": alertd.token, "TERM": "xterm", **dict(env)}
    full.pop("NO_COLOR", None)
    full.update(dict(env))
    done = subprocess.run([ALERTCTL, *arguments], stdout=theirs, env=full, cwd=ROOT, timeout=30, check=True)
    os.close(theirs)
    out = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0
    return out


class WithoutDaemon(unittest.TestCase):
    def test_help_lists_every_command_and_each_explains_itself(self):
        text = alertctl("--help").stdout
        page = (ROOT / "docs/alertctl.md").read_text()
        commands = [line[2:31].strip() for line in text.splitlines() if line.startswith("  ") and line[2].islower()]
        self.assertGreater(len(commands), 15)
        for command in commands:
            words = [word for word in command.split() if word.islower()]
            with self.subTest(command):
                self.assertIn(f"usage: alertctl {' '.join(words)}", alertctl(*words, "--help").stdout)
                self.assertIn(words[0], page)

    def test_wrong_usage_is_2(self):
        for arguments in ((), ("nonsense",), ("incident", "show"), ("incident", "list", "--nonsense=1"), ("query", "a", "b")):
            with self.subTest(arguments):
                done = alertctl(*arguments, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""), done)
                self.assertTrue(done.stderr)

    def test_nobody_there_is_1(self):
        done = alertctl("agents", "--url=http://127.0.0.1:1", check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("127.0.0.1:1", done.stderr)


class WithDaemon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd()
        cls.addClassCleanup(cls.alertd.close)
        page(cls.alertd.folder, ["fire QueueLong mail critical"])
        cls.alertd.start()
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
            rules.write(RULES)
            rules.flush()
            cls.imported = alertctl("import", "rules", rules.name, alertd=cls.alertd).stdout

    def ctl(self, *arguments, check=True):
        return alertctl(*arguments, alertd=self.alertd, check=check)

    def incident(self):
        return f"INC-{YEAR}-0001"

    def test_incident_from_list_to_resolve(self):
        key = self.incident()
        listed = self.ctl("incident", "list", "--status=all").stdout
        self.assertRegex(listed.splitlines()[0], r"^KEY +STATUS +SEVERITY +OPENED +FIRING +TITLE$")
        self.assertIn(key, listed)
        self.assertIn("QueueLong", listed)
        self.assertEqual(json.loads(self.ctl("incident", "list", "--status=all", "--json").stdout)["incidents"][0]["key"], key)

        self.ctl("incident", "ack", key)
        self.ctl("incident", "note", key, "emptied it; \x1b[31mred\x1b[0m")
        self.ctl("incident", "resolve", key, "--note=done")
        shown = self.ctl("incident", "show", key).stdout
        for words in ("acknowledged", "emptied it", "resolved", "admin"):
            self.assertIn(words, shown)
        self.assertNotIn("\x1b", shown)
        self.assertEqual(self.ctl("incident", "show", "INC-1999-0001", check=False).returncode, 1)

        self.ctl("postmortem", "create", key, "--template=quick")
        number = json.loads(self.ctl("postmortem", "list", "--json").stdout)["postmortems"][0]["id"]
        self.assertIn(key, self.ctl("postmortem", "list").stdout)
        with tempfile.TemporaryDirectory() as folder:
            self.ctl("postmortem", "export", number, "--format=html", f"--output={folder}/it.html")
            self.assertIn("emptied it", pathlib.Path(folder, "it.html").read_text())
        self.assertIn(f"[{key}]", self.ctl("postmortem", "export", number).stdout)

    def test_query(self):
        self.alertd.push('q{a="1"} 1.5\nq{a="2"} 2')
        table = self.ctl("query", "sort(q)").stdout
        self.assertIn("1.5", table)
        self.assertEqual(len(json.loads(self.ctl("query", "q", "--json").stdout)["data"]["result"]), 2)
        wrong = self.ctl("query", "q +", check=False)
        self.assertEqual((wrong.returncode, wrong.stdout), (1, ""))
        self.assertIn("1:", wrong.stderr)
        wrong = self.ctl("query", "sum(\n\tq{a='ü'} + rate(q))", check=False)
        self.assertIn('expected type range vector in call to function "rate"', wrong.stderr)
        self.assertTrue(wrong.stderr.endswith("\n  \tq{a='ü'} + rate(q))\n  \t" + 16 * " " + "^\n"), wrong.stderr)

    def test_an_answer_larger_than_any_body_we_take(self):
        text = "".join(f'many{{n="{n}",words="{"w" * 200}"}} {n}\n' for n in range(3000))
        self.alertd.push(text)
        self.assertGreater(len(self.ctl("query", "many", "--json").stdout), 600_000)
        rows = [line for line in self.ctl("query", "many").stdout.splitlines() if "www" in line]
        self.assertEqual(len(rows), 3000)

    def test_tokens(self):
        secret = self.ctl("token", "create", "robot", "--scope=read", "--quiet").stdout.strip()
        self.assertRegex(secret, r"^wb_\w+")
        self.assertIn("robot", self.ctl("token", "list").stdout)
        self.assertNotIn(secret, self.ctl("token", "list", "--json").stdout)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(secret + "\n")
            file.flush()
            env = {**os.environ, "ALERTD_URL": self.alertd.url}
            env.pop("ALERTD_TOKEN", None)
            command = [ALERTCTL, "incident", "list", f"--token-file={file.name}"]
            self.assertEqual(subprocess.run(command, env=env, capture_output=True, check=False).returncode, 0)
            number = next(one["id"] for one in json.loads(self.ctl("token", "list", "--json").stdout)["tokens"] if one["name"] == "robot")
            self.ctl("token", "revoke", number)
            self.assertEqual(subprocess.run(command, env=env, capture_output=True, check=False).returncode, 1)

    def test_rules_and_backup(self):
        self.assertIn("1", self.imported)
        self.assertIn("QueueLong", self.ctl("export", "rules").stdout)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
            rules.write("groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: up ==\n")
            rules.flush()
            wrong = self.ctl("import", "rules", rules.name, check=False)
            self.assertEqual(wrong.returncode, 1)
            self.assertRegex(wrong.stderr, r":5:")
        with tempfile.TemporaryDirectory() as folder:
            self.ctl("backup", f"{folder}/copy")
            self.assertTrue(list(pathlib.Path(folder, "copy").rglob("*.db")))

    def test_colours_only_on_a_terminal(self):
        self.incident()
        self.assertIn("\x1b[", on_terminal("incident", "list", "--status=all", alertd=self.alertd))
        self.assertNotIn("\x1b[", on_terminal("incident", "list", "--status=all", alertd=self.alertd, env={"NO_COLOR": "1"}))


if __name__ == "__main__":
    unittest.main(verbosity=2)
