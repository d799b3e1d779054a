"""Who is on call in tests: people whose contact is a webhook of their own, and a real alertd that knows them.

    class Escalation(Team):
        names = ("ana", "bob")     # self.ana, self.bob: receivers.Webhook
"""

import unittest

from daemon import Alertd
from receivers import Webhook

V1 = "/api/alertd/v1"

# Everything goes to the policy `shop`.
ONCALL = """
receivers:
  - name: oncall
    oncall_configs:
      - policy: shop
route:
  receiver: oncall
  group_by: [alertname]
  group_wait: 0s
  group_interval: {group_interval}
"""


class Team(unittest.TestCase):
    names, group_interval = (), "1h"

    def flags(self):
        return []

    def setUp(self):
        for name in self.names:
            hook = Webhook().start()
            self.addCleanup(hook.stop)
            setattr(self, name, hook)
        self.alertd = Alertd(config=ONCALL.format(group_interval=self.group_interval), flags=self.flags())
        self.addCleanup(self.alertd.close)
        self.alertd.start()

    def token_for(self, method, path):
        """None: the first admin's."""

    def send(self, method, path, body=None, status=None):
        reply = self.alertd.call(method, V1 + path, body, token=self.token_for(method, path))
        self.assertEqual(reply.status, status or 201, reply)
        return reply.json if reply.body else None

    def people(self, contacts=None):
        """Each with the webhook, or what `contacts` says of them."""
        for name in self.names:
            usual = [{"method": "webhook", "address": getattr(self, name).url}]
            self.send("POST", "/people", {"name": name, "full_name": name.title(), "contacts": (contacts or {}).get(name, usual)})

    def weekly(self, person="ana"):
        self.send("POST", "/schedules", {"name": "web", "zone": "Europe/Berlin", "layers": [{"name": "all", "rotation": {
            "unit": "weeks", "every": 1, "first_turn": "2020-01-06T09:00", "people": [person]}}]})

    def policy(self, delay_ms, **more):
        """The schedule's person, then bob."""
        self.send("POST", "/policies", {"name": "shop", **more, "steps": [
            {"delay_ms": delay_ms, "targets": [{"schedule": "web"}]},
            {"delay_ms": delay_ms, "targets": [{"person": "bob"}]}]})
