-- Routing state: what is silenced, what others sent, which groups wait to be told and what each
-- integration was told. Times are UTC milliseconds.

-- Matchers are Alertmanager's: [{"name","value","isRegex","isEqual"}]. A row is never deleted
-- while it may still explain why nobody was told.
CREATE TABLE silence (
    id TEXT PRIMARY KEY,                      -- a UUID
    matchers TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    until_resolved INTEGER NOT NULL DEFAULT 0, -- ends when nothing that it matches fires
    window TEXT,                              -- NULL: one span; else the times within it, as JSON
    created_by TEXT NOT NULL,
    comment TEXT NOT NULL,
    annotations TEXT NOT NULL DEFAULT '{}',
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    matched_ms INTEGER,                       -- when it last muted an alert
    told_end INTEGER NOT NULL DEFAULT 0       -- its end is on the log
) STRICT;
CREATE INDEX silence_ends ON silence (ends_ms);

-- Alerts that others decided: Prometheus, PagerDuty's callers, another Alertmanager. Identity
-- is the label set; fingerprint is its hash, as in the table alert.
CREATE TABLE external_alert (
    fingerprint INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    source TEXT NOT NULL,                     -- 'alertmanager', 'pagerduty', 'webhook'
    generator_url TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,                 -- in the future while it fires
    is_firing INTEGER NOT NULL,               -- as told to the incidents
    updated_ms INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, labels)
) STRICT, WITHOUT ROWID;
CREATE INDEX external_alert_ends ON external_alert (ends_ms) WHERE is_firing;

-- One group of one route: the alerts in it follow from their labels and the config.
CREATE TABLE notify_group (
    route TEXT NOT NULL,                      -- its place in the tree
    labels TEXT NOT NULL,                     -- the group's
    next_flush_ms INTEGER NOT NULL,
    has_flushed INTEGER NOT NULL,
    PRIMARY KEY (route, labels)
) STRICT, WITHOUT ROWID;

-- What each integration was told last about a group: it outlives the group.
CREATE TABLE notify_told (
    group_key TEXT NOT NULL,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    firing BLOB NOT NULL,                     -- fingerprints, ascending, 8 bytes each
    resolved BLOB NOT NULL,
    told_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (group_key, receiver, kind, slot)
) STRICT, WITHOUT ROWID;

-- The outbox again, for more reasons and lanes, and for what is about no incident (a test).
CREATE TABLE outbox_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER REFERENCES incident (id),
    transition INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('first', 'new alerts', 'some resolved', 'resolved', 'repeat',
                                           'escalation', 'take over', 'test', 'digest')),
    lane TEXT NOT NULL DEFAULT 'page' CHECK (lane IN ('page', 'shadow', 'test', 'digest')),
    receiver TEXT NOT NULL,                   -- a receiver's name, or 'person:ana'
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    group_key TEXT NOT NULL DEFAULT '',       -- '': the incident's own group
    group_labels TEXT NOT NULL DEFAULT '{}',
    alerts BLOB,                              -- fingerprints; NULL: all of the incident's
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
    superseded_by INTEGER REFERENCES outbox_2 (id),
    UNIQUE (incident_id, transition, receiver, kind, slot)
) STRICT;
INSERT INTO outbox_2 (id, incident_id, transition, reason, receiver, kind, slot, key, state, created_ms,
                      owed_ms, due_ms, attempts, refused, sent_ms, last_error, superseded_by)
    SELECT id, incident_id, transition, reason, receiver, kind, slot, key, state, created_ms,
           owed_ms, due_ms, attempts, refused, sent_ms, last_error, superseded_by FROM outbox ORDER BY id;
DROP TABLE outbox;
ALTER TABLE outbox_2 RENAME TO outbox;
CREATE INDEX outbox_unsent ON outbox (receiver, kind, slot, state, due_ms)
    WHERE state IN ('waiting', 'sending');
CREATE INDEX outbox_sent ON outbox (receiver, kind, slot, sent_ms) WHERE state = 'sent';
CREATE INDEX outbox_incident ON outbox (incident_id);
CREATE INDEX incident_group ON incident (group_key, id);
CREATE INDEX incident_alert_fingerprint ON incident_alert (fingerprint);
CREATE INDEX alert_fingerprint ON alert (fingerprint);
