"""All rules by what they cost people: what is noisy, silent, blind or said twice, and what would help."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, alertctl

RULES = """groups:
- name: shop
  interval: 1m
  rules:
  - alert: Jumpy
    expr: load > 5
  - alert: AlsoJumpy
    expr: load > 4.5
  - alert: High
    expr: load > 50
  - alert: Long
    expr: load > 5
    for: 2h
  - alert: Blind
    expr: increase(errors_total[5m]) > 0
    for: 5m
  - alert: Nowhere
    expr: nothing_at_all > 1
  - alert: Usual
    expr: usual > 5
  - alert: Kept
    expr: short > 5
    keep_firing_for: 10m
  - alert: Calm
    expr: absent(load)
"""
HOURS = 23


class Review(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(auth="off", flags=["--storage.retention.time=30d"])
        cls.alertd.start()
        end_s = int(time.time()) // 60 * 60
        lines = []
        for minute in range(HOURS * 60):
            t_ms = (end_s - (HOURS * 60 - minute) * 60) * 1000
            lines.append(f'load{{host="a"}} {7 if minute % 150 < 2 or minute % 600 < 40 else 1} {t_ms}')
            lines.append(f'usual{{host="a"}} {0 if minute == 5 else 9} {t_ms}')  # it begins within the time
            lines.append(f'short{{host="a"}} {9 if minute % 150 in (70, 71) else 1} {t_ms}')
            lines.append(f'errors_total{{host="a"}} {minute // 500} {t_ms}')
        cls.alertd.push("\n".join(lines))
        cls.alertd.post("/api/alertd/v1/rules/import?source=shop.yml", RULES)

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def review(self):
        return self.alertd.get("/api/alertd/v1/review")

    def test_every_rule_has_its_sentence(self):
        found = self.review()
        self.assertIsNone(found["reviewed_at"])
        self.assertEqual({rule["kind"] for rule in found["rules"]}, {"not_known"})
        self.assertIn("ten minutes after a start", alertctl("review", alertd=self.alertd).stdout)
        alertctl("review", "--now", alertd=self.alertd)
        deadline = time.time() + 60
        while not (found := self.review())["reviewed_at"]:
            self.assertLess(time.time(), deadline)
            time.sleep(0.2)
        rules = {rule["rule"]: rule for rule in found["rules"]}
        self.assertEqual({name: rule["kind"] for name, rule in rules.items()}, {
            "Jumpy": "change", "AlsoJumpy": "redundant", "High": "cant_fire", "Long": "never_fired", "Blind": "cant_fire", "Nowhere": "cant_fire",
            "Calm": "fine", "Usual": "change", "Kept": "change"})
        self.assertIn("what it calls bad is what is usual", rules["Usual"]["words"])
        self.assertRegex(rules["Kept"]["words"], r"were over within 5 min but for keep_firing_for: for \d+m")
        self.assertRegex(rules["Jumpy"]["words"], r"of \d+ alerts were over within 5 min: for \d+m would have left \d+")
        self.assertGreater(rules["Jumpy"]["setting"]["for_ms"], 0)
        self.assertIn("when Jumpy does", rules["AlsoJumpy"]["words"])
        self.assertIn("> 50 was not reached once in 30 d", rules["High"]["words"])
        self.assertRegex(rules["Long"]["words"], r"true \d+ times in 30 d, never for as long as 2h")
        self.assertIn("metrics are gone", rules["Nowhere"]["words"])
        self.assertIn("fires since before", rules["Calm"]["words"])  # until there were samples
        self.assertRegex(rules["Blind"]["words"], r"^One event never fires.*\.$")
        text = alertctl("review", alertd=self.alertd).stdout
        self.assertIn("Jumpy (shop), nobody judged it", text)
        # kept over a restart, and told when the rule has changed since
        self.alertd.stop()
        self.alertd.start()
        self.assertEqual(self.review()["reviewed_at"], found["reviewed_at"])
        self.alertd.post("/api/alertd/v1/rules/import?source=shop.yml", RULES.replace("load > 50", "load > 60"))
        self.assertTrue({rule["rule"]: rule for rule in self.review()["rules"]}["High"]["changed_since"])


if __name__ == "__main__":
    unittest.main()
