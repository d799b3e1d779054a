"""Who may do what: every route there is, with every kind of caller; sessions, cross-site requests, and
that no secret shows up where it should not.

The routes come from the program itself (--dump-routes), so that one added tomorrow is checked too.
"""

import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from daemon import ALERTD, Alertd, free_port, until

LOGIN, LOGOUT, ME, TOKENS = (f"/api/alertd/v1/{name}" for name in ("login", "logout", "me", "tokens"))
JSON = {"Content-Type": "application/json"}
INCLUDES = {"push": {"push"}, "read": {"read"}, "operate": {"operate", "read"}, "admin": {"push", "read", "operate", "admin"}}


def routes():
    return json.loads(subprocess.run([ALERTD, "--dump-routes"], capture_output=True, check=True).stdout)


def path_of(route):
    path = re.sub(r"\{[^}]*\}", "999999999", route["pattern"])
    return path + "nothing.js" if path.endswith("/") and path != "/" else path


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.alertd = Alertd(flags=["--log.level=debug"]).start()
        cls.tokens = {scope: cls.alertd.make_token(scope, scope) for scope in INCLUDES}
        soon = time.time() + 1.2
        cls.tokens["expired"] = cls.alertd.post(TOKENS, {"name": "e", "scopes": ["admin"], "expires_at": rfc3339(soon + 1)})["token"]
        cls.tokens["revoked"] = cls.alertd.make_token("r", "admin")
        assert cls.alertd.call("DELETE", f"{TOKENS}/{cls.tokens['revoked'].split('_')[1]}").status == 204
        cls.tokens["wrong secret"] = cls.tokens["admin"][:-4] + ("AAAA" if cls.tokens["admin"][-4:] != "AAAA" else "BBBB")
        cls.tokens["no token"] = "wb_77_" + "A" * 43
        cls.tokens["garbage"] = "wb_1"
        time.sleep(max(0, soon + 1.5 - time.time()))

    @classmethod
    def tearDownClass(cls):
        cls.alertd.close()

    def test_every_route_with_every_caller(self):
        every = routes()
        self.assertGreater(len(every), 15)
        for route in every:
            if route["pattern"] == "/api/alertd/v1/events":
                continue  # a stream: below
            for caller in ("none", *self.tokens):
                token = "" if caller == "none" else self.tokens[caller]
                with self.subTest(route=f"{route['method']} {route['pattern']}", caller=caller):
                    reply = self.alertd.call(route["method"], path_of(route), b"" if route["method"] != "GET" else None, token=token)
                    self.assertNotEqual(reply.status, 500, reply)
                    if route["scope"] == "none":
                        if route["pattern"] not in (LOGIN, LOGOUT):
                            self.assertNotEqual(reply.status, 403, reply)
                    elif caller not in INCLUDES:
                        self.assertEqual(reply.status, 401, reply)
                        self.assertEqual(reply.headers["WWW-Authenticate"], "Bearer")
                    elif route["scope"] not in INCLUDES[caller]:
                        self.assertEqual(reply.status, 403, reply)
                    else:
                        self.assertNotIn(reply.status, (401, 403), reply)

    def test_the_event_stream_asks_too(self):
        for caller, status in (("", 401), (self.tokens["push"], 403), (self.tokens["expired"], 401)):
            self.assertEqual(self.alertd.call("GET", "/api/alertd/v1/events", token=caller).status, status)

    def test_what_changes_something_asks_for_a_scope(self):
        """A route that changes things for anybody is a decision: these are all."""
        free = {(LOGIN, "POST"), (LOGOUT, "POST"), ("/a/{token}", "POST"), ("/s/{token}", "POST"), ("/c/{token}", "POST"),
                ("/pm/{id}/plain/{section}", "POST"),  # a form: its page asks for the session and the session's own token
                ("/v2/enqueue", "POST"), ("/v2/change/enqueue", "POST"),  # their routing key is a token
                ("/-/canary", "POST"),  # alertd's own, with a key of one beat
                # 410, whoever asks
                ("/api/v1/alerts", "POST"), ("/api/v1/silences", "POST"), ("/api/v1/silence/{id}", "DELETE")}
        for route in routes():
            if route["method"] != "GET" and route["scope"] == "none":
                self.assertIn((route["pattern"], route["method"]), free)

    def test_tokens_are_checked_before_they_are_made(self):
        good = {"name": "x", "scopes": ["read"]}
        for change, words in (
                ({"name": ""}, "name"), ({"name": "x" * 64}, "name"), ({"name": "a\nb"}, "control"), ({"scopes": []}, "scope"),
                ({"scopes": ["root"]}, "scopes[0]"), ({"scopes": "read"}, "scopes"), ({"expires_at": "soon"}, "expires_at"),
                ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"), ({"agent": "web-1"}, "agent"), ({"admin": True}, "admin")):
            reply = self.alertd.call("POST", TOKENS, {**good, **change})
            self.assertEqual(reply.status, 400, (change, reply))
            self.assertIn(words, reply.json["error"])
        made = self.alertd.post(TOKENS, {"name": "x", "scopes": ["push"], "agent": "web-1", "expires_at": "2199-01-01T00:00:00Z"})
        self.assertEqual((made["scopes"], made["agent"], made["expires_at"]), (["push"], "web-1", "2199-01-01T00:00:00.000Z"))
        listed = {one["id"]: one for one in self.alertd.get(TOKENS)["tokens"]}
        self.assertNotIn("token", listed[made["id"]])
        self.assertIsNone(listed[made["id"]]["last_used_at"])
        for ident, status in ((made["id"], 204), (made["id"], 404), (0, 404), ("x", 404), (10**30, 404)):
            self.assertEqual(self.alertd.call("DELETE", f"{TOKENS}/{ident}").status, status, ident)
        self.assertEqual(self.alertd.call("GET", TOKENS, token=made["token"]).status, 401)


class ShadowPages(unittest.TestCase):
    """What somebody made of their copy of a page, nobody else says by mistake."""

    def test_who_acts_on_whose_copy(self):
        config = "receivers: [{name: all, oncall_configs: [{policy: shop}]}]\nroute: {receiver: all, group_wait: 0s}\n"
        ours = "/api/alertd/v1"
        with Alertd(config=config) as alertd:
            tokens = {name: alertd.make_token(name, scope) for name, scope in (("dan", "operate"), ("eve", "operate"), ("boss", "admin"), ("guest", "read"))}
            for name in ("ana", "dan"):
                alertd.post(f"{ours}/people", {"name": name, "contacts": [{"method": "webhook", "address": "http://127.0.0.1:9/"}]})
            alertd.post(f"{ours}/policies", {"name": "shop", "steps": [{"delay_ms": 600000, "targets": [{"person": "ana"}]}]})
            alertd.post(f"{ours}/shadows", {"person": "dan", "target_kind": "person", "target": "ana", "mode": "own copy",
                                            "from": "2020-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"})
            alertd.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "Down"}}])
            page = until(lambda: alertd.get(f"{ours}/shadow-pages")["shadow_pages"], 20, "a copy")[0]
            path = f"{ours}/shadow-pages/{page['id']}"
            deeds = (("seen", {}), ("opened", {}), ("acknowledge", {}), ("hypothesis", {"text": "x"}), ("notes", {"text": "x"}), ("answers", {"acted_on": True}))
            shown = lambda: {name: value for name, value in alertd.get(path).items() if name not in ("deliveries", "told_at")}
            before = shown()
            for deed, body in deeds:
                for name, query, status in (("eve", "", 403), ("boss", "", 403), ("guest", "", 403), ("guest", "?for=dan", 403), ("eve", "?for=ana", 400)):
                    self.assertEqual(alertd.call("POST", f"{path}/{deed}{query}", body, token=tokens[name]).status, status, (name, deed, query))
            self.assertEqual(shown(), before)
            self.assertIn("?for=dan", alertd.call("POST", f"{path}/seen", {}, token=tokens["eve"]).json["error"])
            self.assertEqual({name: alertd.call("GET", path, token=token).json["yours"] for name, token in tokens.items()},
                             {"dan": True, "eve": False, "boss": False, "guest": False})
            for deed, body in deeds:
                for name, query in (("dan", ""), ("dan", "?for=dan"), ("eve", "?for=dan"), ("boss", "?for=dan")):
                    self.assertEqual(alertd.call("POST", f"{path}/{deed}{query}", body, token=tokens[name]).status, 200, (name, deed, query))
            story = alertd.get(f"{path}/timelines")["shadow"]
            self.assertEqual({one["actor"] for one in story if one["kind"] == "seen"}, {"dan"}, "who really said it is kept")


class Sessions(unittest.TestCase):
    def setUp(self):
        self.alertd = Alertd(flags=["--log.level=debug"]).start()
        self.origin = {"Origin": self.alertd.url}

    def tearDown(self):
        self.alertd.close()

    def login(self, token=None, headers=()):
        return self.alertd.call("POST", LOGIN, {"token": token or self.alertd.token}, dict(headers), token="")

    def cookie(self):
        return self.login().headers["Set-Cookie"].split(";")[0]

    def with_cookie(self, cookie, method, path, headers=(), body=None):
        return self.alertd.call(method, path, body, {"Cookie": cookie, **dict(headers)}, token="")

    def test_the_cookie(self):
        reply = self.login()
        self.assertEqual(reply.status, 204)
        value, *flags = [part.strip() for part in reply.headers["Set-Cookie"].split(";")]
        self.assertRegex(value, r"^watchbill_session=\d+\.[\w-]{43}$")
        self.assertIn("HttpOnly", flags)
        self.assertIn("SameSite=Strict", flags)
        self.assertIn("Path=/", flags)
        me = self.with_cookie(value, "GET", ME).json
        self.assertEqual((me["name"], me["scopes"]), ("first admin", ["push", "read", "operate", "admin"]))
        self.assertRegex(me["csrf"], r"^[\w-]{43}$")
        self.assertIsNone(self.alertd.get(ME)["csrf"])  # a token needs none
        self.assertIsNone(self.alertd.get(ME, token="")["name"])

    def test_behind_https_the_cookie_is_secure(self):
        self.alertd.stop()
        self.alertd.flags.append("--web.external-url=https://watch.test/")
        self.alertd.start()
        self.assertIn("Secure", self.login().headers["Set-Cookie"])
        self.assertEqual(self.alertd.get(ME)["external_url"], "https://watch.test")
        self.assertEqual(self.alertd.call("GET", ME, headers={"Host": "watch.test"}).status, 200)

    def test_a_login_makes_a_new_session_and_takes_none(self):
        planted = "watchbill_session=1." + "A" * 43
        reply = self.alertd.call("POST", LOGIN, {"token": self.alertd.token}, {"Cookie": planted}, token="")
        self.assertNotIn("A" * 43, reply.headers["Set-Cookie"])
        self.assertIsNone(self.with_cookie(planted, "GET", ME).json["name"])
        self.assertNotEqual(self.cookie(), self.cookie())

    def test_a_session_ends_with_logout_and_with_its_token(self):
        first, second = self.cookie(), self.cookie()
        self.assertEqual(self.with_cookie(first, "POST", LOGOUT, self.origin).status, 204)
        self.assertEqual(self.with_cookie(first, "GET", TOKENS).status, 401)
        self.assertEqual(self.with_cookie(second, "GET", TOKENS).status, 200)
        token = self.alertd.make_token("guest", "read")
        guest = self.login(token).headers["Set-Cookie"].split(";")[0]
        self.assertEqual(self.with_cookie(guest, "GET", "/api/v1/status/buildinfo").status, 200)
        self.assertEqual(self.with_cookie(guest, "GET", TOKENS).status, 403)
        self.alertd.call("DELETE", f"{TOKENS}/{token.split('_')[1]}")
        self.assertEqual(self.with_cookie(guest, "GET", "/api/v1/status/buildinfo").status, 401)

    def test_sessions_and_tokens_survive_a_kill(self):
        cookie, token = self.cookie(), self.alertd.make_token("kept", "read")
        self.alertd.kill()
        self.alertd.start()
        self.assertEqual(self.with_cookie(cookie, "GET", TOKENS).status, 200)
        self.assertEqual(self.alertd.call("GET", "/api/v1/status/buildinfo", token=token).status, 200)

    def test_other_sites_cannot_use_the_cookie(self):
        cookie = self.cookie()
        csrf = {"X-CSRF-Token": self.with_cookie(cookie, "GET", ME).json["csrf"]}
        body = {"name": "x", "scopes": ["read"]}
        other = {"X-CSRF-Token": self.with_cookie(self.cookie(), "GET", ME).json["csrf"]}
        for what, headers, status in (
                ("all is well", {**self.origin, **csrf}, 201),
                ("and says so twice", {**self.origin, **csrf, "Sec-Fetch-Site": "same-origin"}, 201),
                ("no token", self.origin, 403),
                ("another session's token", {**self.origin, **other}, 403),
                ("no origin", csrf, 403),
                ("another site", {**csrf, "Origin": "http://evil.test"}, 403),
                ("another port", {**csrf, "Origin": "http://127.0.0.1:1"}, 403),
                ("null", {**csrf, "Origin": "null"}, 403),
                ("a sibling by name", {**csrf, "Origin": self.alertd.url + ".evil.test"}, 403),
                ("cross-site, with a forged origin", {**self.origin, **csrf, "Sec-Fetch-Site": "cross-site"}, 403),
                ("a subdomain", {**self.origin, **csrf, "Sec-Fetch-Site": "same-site"}, 403)):
            with self.subTest(what):
                self.assertEqual(self.with_cookie(cookie, "POST", TOKENS, headers, body).status, status)
        before = len(self.alertd.get(TOKENS)["tokens"])
        self.assertEqual(before, 3)

    def test_a_form_of_another_site_cannot_log_in(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded"):
            reply = self.alertd.call("POST", LOGIN, json.dumps({"token": self.alertd.token}), {"Content-Type": kind}, token="")
            self.assertEqual(reply.status, 415)

    def test_guessing_is_slowed_down(self):
        statuses = [self.login("wb_1_" + "A" * 43).status for _ in range(7)]
        self.assertEqual(statuses, [401] * 5 + [429] * 2)
        reply = self.login()
        self.assertEqual((reply.status, reply.headers["Retry-After"]), (429, "60"))
        self.assertEqual(self.alertd.call("GET", TOKENS).status, 200)  # tokens are not held up

    def test_bodies_of_login(self):
        for body, status in ((b"", 400), (b"[]", 400), (b'{"token":1}', 400), (b'{"token":""}', 401), (b"{" * 100000, 400)):
            self.assertEqual(self.alertd.call("POST", LOGIN, body, JSON, token="").status, status, body[:20])

    def test_no_secret_is_written_anywhere(self):
        made = self.alertd.make_token("canary", "admin")
        cookie = self.cookie()
        self.login("wb_1_" + "canaryinalogin".ljust(43, "x"))
        self.alertd.call("GET", f"/a/{'canaryinapath'.ljust(43, 'x')}?token=canaryinaquery", token="")
        for path in ("/c/", "/ical/"):
            self.alertd.call("GET", path + "canaryinapath".ljust(43, "x"), token="")
        self.alertd.call("GET", TOKENS, token=made)
        self.with_cookie(cookie, "GET", TOKENS)
        self.alertd.stop()
        secrets = [made.split("_", 2)[2], cookie.split(".")[1], self.alertd.token.split("_", 2)[2], "canaryinalogin", "canaryinapath", "canaryinaquery"]
        log = self.alertd.log()
        self.assertIn("msg=\"request\"", log)
        for secret in secrets:
            self.assertNotIn(secret, log)
        for path in self.alertd.folder.rglob("*"):
            if path.is_file() and path.name != "admin.token":
                data = path.read_bytes()
                for secret in secrets:
                    self.assertNotIn(secret.encode(), data, path)
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)


class Off(unittest.TestCase):
    def test_without_authentication_only_on_loopback(self):
        for address in ("0.0.0.0:25998", ":25998", "[::]:25998"):
            done = subprocess.run([ALERTD, "--auth.mode=off", f"--web.listen-address={address}", "--storage.path=/nonexistent"], capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn("--auth.mode=off", done.stderr)

    def test_anyone_may_but_not_other_sites(self):
        with Alertd(auth="off") as alertd:
            me = alertd.get(ME)
            self.assertEqual((me["auth"], me["name"], me["scopes"]), ("off", "anyone", ["push", "read", "operate", "admin"]))
            body = {"name": "x", "scopes": ["read"]}
            for headers, status in (
                    ({}, 201), ({"Origin": alertd.url}, 201), ({"Origin": "http://evil.test"}, 403),
                    ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Host": "evil.test"}, 421)):
                self.assertEqual(alertd.call("POST", TOKENS, body, headers).status, status, headers)


class Process(unittest.TestCase):
    def run_alertd(self, *flags):
        return subprocess.run([ALERTD, *flags], capture_output=True, text=True, timeout=20)

    def test_flags(self):
        for flags, code, words in (
                (["--help"], 0, "--storage.path=PATH"), (["--version"], 0, "version"), (["--nonsense"], 2, "--nonsense"),
                (["--log.level=loud"], 2, "debug|info|warn|error"), (["--query.timeout=x"], 2, "duration"), (["--storage.path"], 2, "needs a value")):
            done = self.run_alertd(*flags)
            self.assertEqual(done.returncode, code, done)
            self.assertIn(words, done.stdout if code == 0 else done.stderr)

    def test_a_second_alertd_says_who_holds_the_folder(self):
        with Alertd() as alertd:
            done = self.run_alertd(f"--storage.path={alertd.folder}", f"--web.listen-address=127.0.0.1:{free_port()}")
            self.assertEqual(done.returncode, 3)
            self.assertIn(str(alertd.pid), done.stderr)

    def test_a_taken_port_is_named(self):
        with Alertd() as alertd:
            done = self.run_alertd(f"--storage.path={alertd.folder}-2", f"--web.listen-address=127.0.0.1:{alertd.port}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(alertd.port), done.stderr)
            subprocess.run(["rm", "-r", f"{alertd.folder}-2"], check=True)

    def test_a_broken_config_is_refused_and_the_last_good_one_kept(self):
        good = "receivers:\n  - name: team\nroute:\n  receiver: team\n"
        with Alertd(config=good) as alertd:
            self.assertEqual(alertd.call("POST", "/-/reload").status, 200)
            alertd.config_path.write_text("receivers: 7\n")
            reply = alertd.call("POST", "/-/reload")
            self.assertEqual(reply.status, 400)
            self.assertIn(f"{alertd.config_path}:1:", reply.json["error"])
            alertd.kill()
            alertd.start()  # on the last good one
            self.assertIn("last good", alertd.log())
        bad = Alertd(config="receivers: 7\n")
        bad.start(wait=False)
        self.assertEqual(bad.process.wait(10), 1)
        self.assertIn(":1:", bad.log())
        bad.close()

    def test_rule_files_are_taken_over_whole_or_not_at_all(self):
        rules = "groups:\n- name: g\n  rules:\n  - alert: %s\n    expr: %s\n"
        with tempfile.TemporaryDirectory() as folder:
            good, other = pathlib.Path(folder, "a.yml"), pathlib.Path(folder, "b.yml")
            good.write_text(rules % ("Up", "up == 0"))
            with Alertd(flags=[f"--rules.import={folder}/*.yml"]) as alertd:
                def names():
                    return [rule["name"] for group in alertd.get("/api/alertd/v1/rules")["groups"] for rule in group["rules"]]
                self.assertEqual(names(), ["Up"])
                good.write_text(rules % ("Changed", "up == 0"))
                other.write_text(rules % ("Broken", "up =="))
                reply = alertd.call("POST", "/-/reload")
                self.assertEqual(reply.status, 400)
                self.assertIn(f"{other}:5:", reply.json["error"])
                self.assertEqual(names(), ["Up"])
                other.unlink()
                alertd.process.send_signal(signal.SIGHUP)
                until(lambda: names() == ["Changed"], 5, "the rules are read again")
                other.write_text(rules % ("Broken", "up =="))
                alertd.kill()
                alertd.start()  # a broken file stops nothing
                self.assertEqual(names(), ["Changed"])

    def test_the_first_token_comes_back_when_nobody_could_administer(self):
        with Alertd() as alertd:
            first = alertd.token
            self.assertEqual(alertd.call("DELETE", f"{TOKENS}/{first.split('_')[1]}").status, 204)
            self.assertEqual(alertd.call("GET", TOKENS, token=first).status, 401)
            alertd.stop()
            alertd.start()
            self.assertNotEqual(alertd.token, first)
            self.assertEqual(alertd.call("GET", TOKENS).status, 200)
            self.assertEqual((alertd.folder / "admin.token").stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main(verbosity=2)
