#!/usr/bin/env python3
"""A sequence of calls that Alertmanager 0.33.1 answered, made to a running alertd.

    alertmanager_exchange.py FOLDER     with recorded-exchange.json

Answers are compared whole, times and ids as words. What is apart differs in words only; its
status is compared all the same. Skipped (77) where the recording is not there.
"""

import datetime
import json
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from daemon import Alertd, request  # noqa: E402

APART = {
    "am#00": "the config is not told: it has secrets; and our own build",
    "am#08": "words", "am#10": "words of a JSON parser", "am#17": "words of a JSON parser",
    "am#47": "words of RE2, not of Go's regexp", "am#58": "words of RE2, not of Go's regexp",
}
ELSEWHERE = {"am#07": "/api/v1/alerts is Prometheus' here"}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT")
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


def fill(value, start, ids):
    """@T+N, @IDn -> what they stand for."""
    if isinstance(value, list):
        return [fill(one, start, ids) for one in value]
    if isinstance(value, dict):
        return {key: fill(one, start, ids) for key, one in value.items()}
    if isinstance(value, str) and re.fullmatch(r"@T[+-]\d+", value):
        at = datetime.datetime.fromtimestamp(start + int(value[2:]), datetime.timezone.utc)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str):
        for name, known in ids.items():
            value = value.replace(name, known)
    return value


def blur(value):
    if isinstance(value, list):
        return [blur(one) for one in value]
    if isinstance(value, dict):
        return {key: blur(one) for key, one in value.items()}
    if isinstance(value, str):
        return "<time>" if TIME.match(value) else "<uuid>" if UUID.match(value) else value
    return value


def body_of(reply):
    try:
        return json.loads(reply.body) if reply.body else None
    except ValueError:
        return None


def ask(alertd, case, start, ids):
    wanted = case["request"]
    body = json.dumps(fill(wanted["json"], start, ids)) if "json" in wanted else wanted.get("raw")
    headers = {"Content-Type": "application/json"} if body is not None else {}
    return request(wanted["method"], alertd.url + fill(wanted["path"], start, ids), body, headers)


def differs(case, reply):
    if case["id"] in ELSEWHERE or case.get("withheld"):
        return None
    if reply.status != case["status"]:
        return f"status {reply.status}, not {case['status']}: {reply.text[:200]}"
    if case["id"] not in APART and blur(body_of(reply)) != case["response_json"]:
        return f"answer {reply.text[:600]}\n    not {json.dumps(case['response_json'])[:600]}"
    return None


def main(path):
    recording = json.loads(path.read_text())
    # nobody listens on port 9: what would be sent is not looked at here
    config = re.sub(r"http://127\.0\.0\.1:\d+/", "http://127.0.0.1:9/", recording["meta"]["config"])
    ids, failures, n = {}, [], 0
    with Alertd(config=config, auth="off") as alertd:
        start = time.time()
        for case in recording["cases"]:
            reply = ask(alertd, case, start, ids)
            answer = body_of(reply)
            # the recording counts the ids of those silences that it speaks of again
            if isinstance(answer, dict) and "silenceID" in answer and "empty comment" not in case["note"] and \
                    "id" not in case["request"].get("json", {}):
                ids[f"@ID{len(ids) + 1}"] = answer["silenceID"]
            n += not case.get("withheld") and case["id"] not in ELSEWHERE
            why = differs(case, reply)
            if why:
                failures.append(f"{case['id']} {case['note']}: {why}")
    print(f"{n - len(failures)} of {n} answers as Alertmanager's, {len(APART)} of them by status alone, "
          f"{len(ELSEWHERE)} elsewhere")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    recorded = pathlib.Path(sys.argv[1]) / "recorded-exchange.json"
    if not recorded.exists():
        print(f"skipped: {recorded} is not there")
        sys.exit(77)
    sys.exit(main(recorded))
