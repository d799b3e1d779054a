-- What is told that is no page goes one way: weekly reports and reminders were two tables of one shape.

CREATE TABLE letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,     -- never used again: it names the message
    topic TEXT NOT NULL,                      -- 'report', 'remind'
    about TEXT NOT NULL,                      -- the week (2026-W47), the action's number
    round TEXT NOT NULL,                      -- '', the day (2026-11-27)
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    owed_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,                  -- the next attempt
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_ms INTEGER,
    last_error TEXT,
    UNIQUE (topic, about, round, receiver, kind, slot)
) STRICT;
CREATE INDEX letter_waiting ON letter (topic, receiver, kind, slot, due_ms) WHERE state IN ('waiting', 'sending');

INSERT INTO letter (topic, about, round, receiver, kind, slot, state, owed_ms, due_ms, attempts, sent_ms, last_error)
    SELECT 'report', week, '', receiver, kind, slot, state, owed_ms, due_ms, attempts, sent_ms, last_error
    FROM weekly_report ORDER BY week;
INSERT INTO letter (topic, about, round, receiver, kind, slot, state, owed_ms, due_ms, attempts, sent_ms, last_error)
    SELECT 'remind', CAST(action_id AS TEXT), day, receiver, kind, slot, state, owed_ms, due_ms, attempts, sent_ms, last_error
    FROM postmortem_reminder ORDER BY id;
DROP TABLE weekly_report;
DROP TABLE postmortem_reminder;
