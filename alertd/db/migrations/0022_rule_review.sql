-- What the last review of a rule over its past found: reckoned in the background, kept until the next.
CREATE TABLE rule_review (
    rule_id INTEGER PRIMARY KEY REFERENCES rule (id),
    version INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    alerts INTEGER NOT NULL,                  -- in the time that was looked at
    words TEXT NOT NULL,
    setting TEXT NOT NULL                     -- JSON: what to try; {}: nothing
) STRICT;
