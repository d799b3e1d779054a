-- What was promised in postmortems, and finding them again.

CREATE TABLE postmortem_action (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    text TEXT NOT NULL,
    type TEXT NOT NULL
        CHECK (type IN ('prevent', 'detect', 'mitigate', 'process', 'repair', 'investigate')),
    tag TEXT NOT NULL CHECK (tag IN ('', 'monitoring', 'alerting', 'oncall', 'process', 'capacity',
        'failover', 'slo', 'code', 'config', 'dependency')),
    owner TEXT NOT NULL,
    due_ms INTEGER,
    state TEXT NOT NULL CHECK (state IN ('open', 'doing', 'done', 'wont_do')),
    done_when TEXT NOT NULL,
    proof_url TEXT NOT NULL,
    reason TEXT NOT NULL,                     -- why it will not be done
    rule_draft TEXT NOT NULL,                 -- a rule of a Prometheus rule file, or ''
    revision INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    closed_ms INTEGER                         -- done, or decided not to be
) STRICT;
CREATE INDEX postmortem_action_of ON postmortem_action (postmortem_id);
CREATE INDEX postmortem_action_open ON postmortem_action (due_ms) WHERE state IN ('open', 'doing');

-- Every state it was in; never changed.
CREATE TABLE postmortem_action_change (
    action_id INTEGER NOT NULL REFERENCES postmortem_action (id),
    revision INTEGER NOT NULL,
    change TEXT NOT NULL,                     -- JSON: the action as it then was
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (action_id, revision)
) STRICT;
CREATE TRIGGER postmortem_action_change_update BEFORE UPDATE ON postmortem_action_change
    BEGIN SELECT RAISE(ABORT, 'changes of an action are never changed'); END;
CREATE TRIGGER postmortem_action_change_delete BEFORE DELETE ON postmortem_action_change
    BEGIN SELECT RAISE(ABORT, 'changes of an action are never deleted'); END;

-- Reminders owed to integrations: one per action, day and address.
CREATE TABLE postmortem_reminder (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    action_id INTEGER NOT NULL REFERENCES postmortem_action (id),
    day TEXT NOT NULL,                        -- "2026-11-27"
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    owed_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_ms INTEGER,
    last_error TEXT,
    UNIQUE (action_id, day, receiver, kind, slot)
) STRICT;
CREATE INDEX postmortem_reminder_waiting ON postmortem_reminder (receiver, kind, slot, due_ms)
    WHERE state IN ('waiting', 'sending');

-- rowid: postmortem.id
CREATE VIRTUAL TABLE postmortem_search USING fts5 (title, body, tokenize = 'porter unicode61');
INSERT INTO postmortem_search (rowid, title, body)
    SELECT p.id, p.title, r.body FROM postmortem p
    JOIN postmortem_section s ON s.postmortem_id = p.id
    JOIN postmortem_section_revision r ON r.postmortem_id = p.id AND r.section = s.section
        AND r.revision = s.revision;
