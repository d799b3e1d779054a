"""Every drill of drills/, played headless by all of its players in virtual time; what the command line says and refuses.

One language, one corpus: what people practise on is what tests the rules, the routes and the escalation together.
"""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CTL = pathlib.Path(os.environ["WATCHBILL_BUILD"]) / "ctl" / "alertctl"
DRILLS = sorted(ROOT.glob("drills/*.drill"))


def alertctl(*arguments, status=0):
    done = subprocess.run([CTL, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    if done.returncode != status:
        raise AssertionError(f"{arguments[:3]}: exit status {done.returncode}, not {status}\n{done.stdout[-4000:]}{done.stderr}")
    return done.stdout + done.stderr


class Library(unittest.TestCase):
    def test_there_are_enough(self):
        self.assertGreaterEqual(len(DRILLS), 16)

    def test_nothing_is_doubtful(self):
        self.assertIn("nothing to say", alertctl("check", "drills", *DRILLS))

    def test_every_player_of_every_drill(self):
        out = alertctl("drill", "run", "--headless", *DRILLS)
        self.assertEqual(len([line for line in out.splitlines() if line.startswith("ok ")]), 3 * len(DRILLS))

    def test_whatever_the_seed(self):
        for seed in (0, 7, 18446744073709551615):
            alertctl("drill", "run", "--headless", f"--seed={seed}", *DRILLS)

    def test_the_path_has_no_hole(self):
        listed = json.loads(alertctl("drill", "list", ROOT / "drills", "--json"))
        self.assertEqual([one["path"] for one in listed], list(range(1, len(DRILLS) + 1)))
        self.assertTrue(all(one["level"] and one["teaches"] for one in listed))
        readme = (ROOT / "drills/README.md").read_text()
        for one in listed:
            self.assertIn(pathlib.Path(one["file"]).name, readme)

    def test_the_packs_they_use_pass_their_tests(self):
        alertctl("test", "rules", *sorted(ROOT.glob("rules/systems/*/tests.yml")))
        alertctl("check", "rules", *sorted(ROOT.glob("rules/systems/*/alerts.yml")))


class Same(unittest.TestCase):
    """Same seed, same script: the same moments and score, also when others are played beside it."""

    def played(self, seed, *drills):
        return json.loads(alertctl("drill", "run", "--headless", "--json", f"--seed={seed}", *drills))

    def test_again(self):
        once, again = self.played(5, *DRILLS), self.played(5, *DRILLS)
        self.assertEqual(once, again)
        alone = self.played(5, DRILLS[0])
        self.assertEqual(alone, once[: len(alone)])

    def test_another_seed_is_another_drill(self):
        self.assertNotEqual([one["hash"] for one in self.played(1, *DRILLS)], [one["hash"] for one in self.played(2, *DRILLS)])

    def test_players_differ(self):
        perfect, slow, wrong = self.played(1, ROOT / "drills/01-disk-filling.drill")
        clocks = [one["score"]["clocks"]["ack"] for one in (perfect, slow, wrong)]
        self.assertEqual([clock["standing"] for clock in clocks], ["met", "missed", "met"])
        self.assertIsNone(wrong["score"]["clocks"]["mitigation"]["after_ms"])


class Alone(unittest.TestCase):
    """Practice has no way out: what a drill is made of can't send."""

    def test_no_folder_that_sends_is_linked(self):
        build = (ROOT / "alertd/drill/meson.build").read_text()
        for sends in ("dep_deliver", "dep_net", "dep_pager", "dep_db", "dep_store", "dep_forward"):
            self.assertNotIn(sends, build)

    def test_real_receivers_are_only_named(self):
        with socket.create_server(("127.0.0.1", 0)) as receiver, tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "real.yml").write_text(
                f"receivers:\n- {{name: real, webhook_configs: [{{url: 'http://127.0.0.1:{receiver.getsockname()[1]}/'}}]}}\n"
                "route: {receiver: real, group_wait: 1s}\n")
            (folder / "r.yml").write_text("groups:\n- {name: g, rules: [{alert: A, expr: up == 0}]}\n")
            path = folder / "d.drill"
            path.write_text('drill "d"\nlength 5m\nconfig real.yml\nrules r.yml\noncall ana\nseries up 0\n'
                            "player p\nat 2m see\nexpect no page\n")
            self.assertIn("real is told: A", alertctl("drill", "run", "--headless", path))
            receiver.settimeout(0.2)
            with self.assertRaises(TimeoutError):  # somebody listens, and nobody calls
                receiver.accept()


class Broken(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name) / "d.drill"

    def said(self, text, status=1):
        self.path.write_text(text)
        return alertctl("drill", "run", "--headless", self.path, status=status)

    def test_places(self):
        self.assertIn(f"{self.path}:2:1: there is no statement 'lenght': did you mean 'length'?", self.said('drill "d"\nlenght 5m\n'))

    def test_a_missing_data_file(self):
        self.assertIn(f"{self.path}:4:9: gone.csv: ", self.said('drill "d"\nlength 5m\noncall ana\nsamples gone.csv\n'))

    def test_files_lie_beside_it(self):
        self.assertIn("a drill's files lie beside it", self.said('drill "d"\nlength 5m\noncall ana\nsamples ../../etc/passwd\n'))
        self.assertIn("a drill's files lie beside it", self.said('drill "d"\nlength 5m\noncall ana\nrules /etc/rules.yml\n'))

    def test_rules_that_do_not_load(self):
        (self.path.parent / "r.yml").write_text("groups:\n- name: g\n  rules: [{alert: A, expr: 'up =='}]\n")
        self.assertIn(f"{self.path}:4:7: r.yml:3:", self.said('drill "d"\nlength 5m\noncall ana\nrules r.yml\n'))

    def test_usage(self):
        self.path.write_text('drill "d"\nlength 5m\noncall ana\n')
        self.assertIn("say --headless", alertctl("drill", "run", self.path, status=2))
        self.assertIn("--seed is a whole number", alertctl("drill", "run", "--headless", "--seed=x", self.path, status=2))
        self.assertIn("has no player 'zoe'", alertctl("drill", "run", "--headless", "--player=zoe", self.path, status=1))

    def test_new_begins_one_that_runs(self):
        alertctl("drill", "new", self.path)
        alertctl("check", "drills", "--rules=" + str(ROOT / "rules"), self.path)
        alertctl("drill", "run", "--headless", "--rules=" + str(ROOT / "rules"), self.path)
        self.assertIn("there is such a file already", alertctl("drill", "new", self.path, status=1))


if __name__ == "__main__":
    unittest.main()
