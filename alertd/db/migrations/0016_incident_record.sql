-- The incident record: what an event says beside its words, what people think of events, the
-- moments that figures are made of. Times are UTC milliseconds.

-- Hashed with the rest of the row where they are given; absent ones leave the hash as it was.
ALTER TABLE event ADD COLUMN precision TEXT
    CHECK (precision IN ('s', 'min', 'approx'));         -- NULL: to the millisecond
ALTER TABLE event ADD COLUMN order_only INTEGER NOT NULL DEFAULT 0; -- its place is known, its time is not
ALTER TABLE event ADD COLUMN scope TEXT;                  -- what of the service it is about
ALTER TABLE event ADD COLUMN evidence TEXT;               -- {"query","value","link", ...}
ALTER TABLE event ADD COLUMN reference TEXT;              -- its name at its source: taken in once
CREATE UNIQUE INDEX event_reference ON event (source, reference) WHERE reference IS NOT NULL;
CREATE INDEX event_of_incidents ON incident_event (event_id, incident_id);

-- What people think of an event of an incident: a layer over the log, itself a log.
CREATE TABLE event_rev (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    event_id INTEGER NOT NULL REFERENCES event (id),
    op TEXT NOT NULL CHECK (op IN ('pin', 'unpin', 'hide', 'unhide', 'annotate', 'retime', 'retext', 'retag',
                                   'merge', 'unmerge', 'retract', 'restore', 'conflict')),
    old TEXT,                                 -- what it replaced
    value TEXT,                               -- words; a time as milliseconds; an event's id
    precision TEXT CHECK (precision IN ('s', 'min', 'approx')),
    reason TEXT NOT NULL,
    editor TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX event_rev_incident ON event_rev (incident_id, id);
CREATE TRIGGER event_rev_is_never_changed BEFORE UPDATE ON event_rev
BEGIN SELECT RAISE(ABORT, 'revisions are append-only'); END;
CREATE TRIGGER event_rev_is_never_deleted BEFORE DELETE ON event_rev
BEGIN SELECT RAISE(ABORT, 'revisions are append-only'); END;

-- A moment as a person said it: of one name and scope the newest counts; 'auto' gives it back to
-- the machine. What nobody set is read off the events.
CREATE TABLE mark (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    scope TEXT NOT NULL,                      -- '': of the whole incident
    name TEXT NOT NULL CHECK (name IN ('trigger', 'impact_start', 'impact_end', 'detected', 'paged', 'acked',
                                       'response_start', 'cause_identified', 'mitigated', 'resolved')),
    state TEXT NOT NULL CHECK (state IN ('at', 'unknown', 'auto')),
    at_ms INTEGER CHECK ((at_ms IS NULL) = (state <> 'at')),
    precision TEXT CHECK (precision IN ('s', 'min', 'approx')),
    event_id INTEGER REFERENCES event (id),   -- the event that says so
    reason TEXT NOT NULL,
    editor TEXT NOT NULL,
    set_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX mark_incident ON mark (incident_id, id);
CREATE TRIGGER mark_is_never_changed BEFORE UPDATE ON mark
BEGIN SELECT RAISE(ABORT, 'marks are append-only: set it again'); END;
CREATE TRIGGER mark_is_never_deleted BEFORE DELETE ON mark
BEGIN SELECT RAISE(ABORT, 'marks are append-only: set it again'); END;

-- Where an incident came from, and which one it repeats.
ALTER TABLE incident ADD COLUMN origin TEXT NOT NULL DEFAULT 'real'
    CHECK (origin IN ('real', 'near_miss', 'import', 'drill'));
ALTER TABLE incident ADD COLUMN recurrence_of INTEGER REFERENCES incident (id);
