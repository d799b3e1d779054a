-- Incidents, their alerts, the timeline and what is owed to receivers.
-- Times are UTC milliseconds; labels and annotations are JSON objects.

-- One row: tells two alertds apart, in idempotency keys and message ids.
CREATE TABLE installation (id BLOB NOT NULL) STRICT;
INSERT INTO installation VALUES (randomblob(16));

CREATE TABLE incident (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,                 -- INC-2026-0012
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,                  -- within the year
    group_key TEXT NOT NULL,
    labels TEXT NOT NULL,                     -- the group's
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('triggered', 'acknowledged', 'resolved')),
    opened_ms INTEGER NOT NULL,
    acknowledged_ms INTEGER,
    acknowledged_by TEXT,
    resolved_ms INTEGER,
    resolved_by TEXT,                         -- NULL: its alerts ended
    n_alerts INTEGER NOT NULL,
    n_firing INTEGER NOT NULL CHECK (n_firing >= 0 AND n_firing <= n_alerts),
    -- what was told about it
    began_ms INTEGER NOT NULL,                -- opened, or opened again
    told_ms INTEGER NOT NULL DEFAULT 0,       -- when the last notification was due
    told_resolved INTEGER NOT NULL DEFAULT 0,
    n_transitions INTEGER NOT NULL DEFAULT 0,
    postmortem_id INTEGER,
    UNIQUE (year, number)
) STRICT;
CREATE INDEX incident_takes_alerts ON incident (group_key)
    WHERE status <> 'resolved' OR n_firing > 0;
CREATE INDEX incident_unresolved ON incident (status, told_ms) WHERE status <> 'resolved';

CREATE TABLE incident_alert (
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    rule_id INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,             -- 64 bits, as SQLite's signed number
    name TEXT NOT NULL,
    expr TEXT NOT NULL,
    for_ms INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    firing INTEGER NOT NULL,
    active_ms INTEGER NOT NULL,
    fired_ms INTEGER NOT NULL,
    resolved_ms INTEGER,
    value REAL,                               -- NULL: not a number
    PRIMARY KEY (incident_id, rule_id, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_alert_firing ON incident_alert (rule_id, fingerprint) WHERE firing;

-- What happened, for ever. Each row carries the hash of the one before it.
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('machine', 'human')),
    source TEXT NOT NULL,
    actor TEXT,
    text TEXT NOT NULL,
    data TEXT NOT NULL,
    occurred_ms INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX event_occurred ON event (kind, occurred_ms);
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- Which incidents an event belongs to.
CREATE TABLE incident_event (
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    event_id INTEGER NOT NULL REFERENCES event (id),
    PRIMARY KEY (incident_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    transition INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('first', 'new alerts', 'resolved', 'repeat')),
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,                 -- Idempotency-Key
    state TEXT NOT NULL
        CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'superseded')),
    created_ms INTEGER NOT NULL,
    owed_ms INTEGER NOT NULL,                 -- it, or what it superseded, was first due
    due_ms INTEGER NOT NULL,                  -- the next attempt
    attempts INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0,       -- the receiver said no, not "later"
    sent_ms INTEGER,
    last_error TEXT,                          -- its own, or of what it superseded
    superseded_by INTEGER REFERENCES outbox (id),
    UNIQUE (incident_id, transition, receiver, kind, slot)
) STRICT;
CREATE INDEX outbox_unsent ON outbox (receiver, kind, slot, state, due_ms)
    WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_sent ON outbox (receiver, kind, slot, sent_ms) WHERE state = 'sent';

-- The phone page: the token is in the page that was sent, only its hash is here.
CREATE TABLE ack_link (
    token_hash BLOB PRIMARY KEY,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
