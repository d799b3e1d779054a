"""Many notifications at once: no receiver is told faster than its limit, more than it takes are told
together, every one of them is told, and those of an incident in their order.
"""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import Alertd, until
from receivers import Smtp, Webhook

N = 3000
PER_SECOND, PER_MINUTE = 2, 20
LATE_S = 1  # at most so much later than it was sent does a receiver on a busy machine note one


def config(integrations, wait="0s"):
    return f"""
receivers:
  - name: team
{integrations}
route:
  receiver: team
  group_by: [alertname, instance]
  group_wait: {wait}
  group_interval: 1s
"""


def webhook(hook, more=""):
    return f"    webhook_configs:\n      - url: {hook.url}\n{more}"


def mail(smtp):
    return (f"    email_configs:\n      - to: team@example.com\n        from: alertd@example.com\n"
            f"        smarthost: 127.0.0.1:{smtp.port}\n        require_tls: false\n        send_resolved: true\n")


def alert(name, number, severity="warning"):
    return {"labels": {"alertname": name, "instance": f"host-{number}", "severity": severity},
            "annotations": {"summary": f"{name} on host-{number}"}}


def post(alertd, alerts):
    for at in range(0, len(alerts), 500):
        reply = alertd.call("POST", "/api/v2/alerts", alerts[at:at + 500], timeout=120)
        if reply.status != 200:
            raise AssertionError(f"alerts: {reply}")


def ended(alerts):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return [{**one, "endsAt": now} for one in alerts]


def notifications(alertd, incident):
    return alertd.get(f"/api/alertd/v1/incidents/{incident}")["notifications"]


def incidents(alertd):
    """All of them: {instance: key}."""
    found, before = {}, ""
    while page := alertd.get(f"/api/alertd/v1/incidents?status=all&limit=500{before}")["incidents"]:
        for one in page:
            found[one["labels"]["instance"]] = one["key"]
        before = f"&before={page[-1]['id']}"
    return found


def unsent(alertd):
    text = alertd.call("GET", "/metrics").text
    return sum(int(line.split()[1]) for line in text.splitlines()
               if line.startswith(("alertd_outbox_notifications{state=\"waiting", "alertd_outbox_notifications{state=\"sending")))


def metric(alertd, name):
    return next(float(line.split()[1]) for line in alertd.call("GET", "/metrics").text.splitlines()
                if line.startswith(name + " "))


class Floods(unittest.TestCase):
    maxDiff = 2000

    def assert_paced(self, times):
        """No window holds more than the buckets let through."""
        for first in range(len(times)):
            for last in range(first, len(times)):
                span, n = times[last] - times[first] + LATE_S, last - first + 1
                self.assertLessEqual(n, PER_SECOND + PER_SECOND * span + 1, f"{n} within {span} s")
                self.assertLessEqual(n, PER_MINUTE + PER_MINUTE / 60 * span + 1, f"{n} within {span} s")

    def test_three_thousand_at_once(self):
        alerts = [alert("Down", number, "critical" if number % 100 == 7 else "warning") for number in range(N)]
        mailed_at = []
        with Webhook() as hook, Smtp() as smtp:
            smtp.reply = lambda stage: mailed_at.append(time.time()) if stage == "message" else None
            with Alertd(config=config(webhook(hook) + mail(smtp))) as alertd:
                post(alertd, alerts)
                until(lambda: unsent(alertd) == 0, 120, "all are told")
                calls, mails = list(hook.calls), list(smtp.messages)

                self.assert_paced([call["at"] for call in calls])
                self.assert_paced(mailed_at)
                self.assertLess(len(calls), 60)
                self.assertLess(len(mails), 60)

                named = {one["labels"]["instance"] for call in calls for one in call["body"]["alerts"]}
                self.assertEqual(len(named), N)
                known = incidents(alertd)
                self.assertEqual(len(known), N)
                texts = "\n".join(message.get_body(("plain",)).get_content() for message in mails)
                self.assertEqual([key for key in known.values() if key not in texts], [])
                self.assertEqual(texts.count("/a/"), N, "each incident's acknowledgement is linked once")

                # the gravest are not behind the others
                told_at = {one["labels"]["instance"]: number for number, call in enumerate(calls)
                           for one in call["body"]["alerts"]}
                grave = max(told_at[one["labels"]["instance"]] for one in alerts if one["labels"]["severity"] == "critical")
                self.assertLess(grave, max(told_at.values()))

                key = known["host-1234"]
                rows = notifications(alertd, key)
                self.assertEqual({(row["kind"], row["state"]) for row in rows}, {("webhook", "sent"), ("email", "sent")})
                self.assertTrue(all(row["digest"] for row in rows))
                words = [one["text"] for one in alertd.get(f"/api/alertd/v1/incidents/{key}")["timeline"]
                         if one["kind"] == "notify.sent"]
                self.assertEqual(len(words), 2)
                for text in words:
                    self.assertRegex(text, r"team told by (webhook|email) \(first\), in a digest of \d+ pages")
                self.assertGreater(metric(alertd, "alertd_digests_total"), 20)
                self.assertGreater(metric(alertd, "alertd_notifications_folded_total"), 2 * N - 100)

    def test_what_a_kill_interrupts_is_told_in_order(self):
        n = 120
        alerts = [alert("Down", number) for number in range(n)]
        with Webhook() as hook:
            hook.hang = 1.5
            with Alertd(config=config(webhook(hook))) as alertd:
                post(alertd, alerts)
                hook.wait(lambda calls: any(len(call["body"]["alerts"]) > 1 for call in calls), 30, "a digest under way")
                alertd.kill()  # its receiver has it and nobody wrote that down
                hook.hang = 0
                alertd.start()
                post(alertd, ended(alerts))
                hook.wait(lambda calls: len({one["labels"]["instance"] for call in calls for one in call["body"]["alerts"]
                                             if one["status"] == "resolved"}) == n, 120, "all are over")
                until(lambda: unsent(alertd) == 0, 120, "all are told")
                calls = list(hook.calls)
                digests = {}
                for call in calls:
                    if len(call["body"]["alerts"]) > 1:
                        digests.setdefault(call["headers"]["Idempotency-Key"], []).append(
                            {one["labels"]["instance"] for one in call["body"]["alerts"]})
                self.assertTrue(any(len(times) > 1 and all(one == times[0] for one in times) for times in digests.values()),
                                "the interrupted digest is sent again, of the same, under its key")
                for number in range(n):
                    states = [one["status"] for call in calls for one in call["body"]["alerts"]
                              if one["labels"]["instance"] == f"host-{number}"]
                    self.assertTrue(states, f"host-{number} was never told")
                    self.assertEqual(states[-1], "resolved", f"host-{number}: {states}")
                    self.assertEqual(states, sorted(states), f"host-{number}: {states}")
                for key in incidents(alertd).values():
                    self.assertNotIn("waiting", {row["state"] for row in notifications(alertd, key)})

    def test_a_digest_that_is_refused_is_told_when_it_is_taken(self):
        with Webhook() as hook:
            hook.answer = lambda n: 503 if n < 3 else 200
            with Alertd(config=config(webhook(hook))) as alertd:
                post(alertd, [alert("Down", number) for number in range(60)])
                until(lambda: unsent(alertd) == 0, 180, "all are told")
                taken = [call for number, call in enumerate(hook.calls) if number >= 3]
                named = {one["labels"]["instance"] for call in taken for one in call["body"]["alerts"]}
                self.assertEqual(len(named), 60)
                words = [one["text"] for key in incidents(alertd).values()
                         for one in alertd.get(f"/api/alertd/v1/incidents/{key}")["timeline"] if one["kind"] == "notify.failed"]
                self.assertTrue(words)

    def test_a_receiver_may_be_told_everything_at_once(self):
        with Webhook() as hook:
            with Alertd(config=config(webhook(hook, "        max_per_second: 0\n        digest_above: 0\n"))) as alertd:
                post(alertd, [alert("Down", number) for number in range(100)])
                until(lambda: unsent(alertd) == 0, 60, "all are told")
                self.assertEqual([len(call["body"]["alerts"]) for call in hook.calls], [1] * 100)


if __name__ == "__main__":
    unittest.main()
