-- What people say a page was worth, and the weekly reports that were sent.
-- Times are UTC milliseconds.

-- Every saying is kept; of one person and incident the newest counts.
CREATE TABLE verdict (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    outbox_id INTEGER REFERENCES outbox (id), -- the page it was said on; NULL: on none
    actor TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('useful', 'noise', 'unknown')),
    reason TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    via TEXT NOT NULL CHECK (via IN ('mail', 'ntfy', 'web', 'phone', 'api'))
) STRICT;
CREATE INDEX verdict_incident ON verdict (incident_id, actor, id);
CREATE INDEX verdict_at ON verdict (at_ms);
CREATE TRIGGER verdict_is_never_changed BEFORE UPDATE ON verdict
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
CREATE TRIGGER verdict_is_never_deleted BEFORE DELETE ON verdict
BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;

-- Which rules' alerts it was about: those in the incident at that time. One that joined
-- later was not judged. The name beside the id: alerts from elsewhere have rule 0.
CREATE TABLE verdict_rule (
    verdict_id INTEGER NOT NULL REFERENCES verdict (id),
    rule_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (verdict_id, rule_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_of_rule ON verdict_rule (rule_id, name);

-- The weekly report to one integration: what became of it. A week is owed once.
CREATE TABLE weekly_report (
    week TEXT NOT NULL,                       -- 2026-W47
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    owed_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,                  -- the next attempt
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_ms INTEGER,
    last_error TEXT,
    PRIMARY KEY (week, receiver, kind, slot)
) STRICT, WITHOUT ROWID;
