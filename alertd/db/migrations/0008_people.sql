-- People, schedules, what was agreed on beside them (overrides, swaps), policies and shadows:
-- the JSON of docs/formats/schedule.md, and beside it what is asked for. Unix milliseconds.
CREATE TABLE roster_item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('person', 'schedule', 'override', 'policy', 'shadow')),
    name TEXT NOT NULL,                       -- of overrides and shadows: their id
    owner TEXT,                               -- an override's schedule
    spec TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    ends_ms INTEGER,                          -- of overrides and shadows: over from then on
    UNIQUE (kind, name)
) STRICT;
CREATE INDEX roster_item_owner ON roster_item (owner, ends_ms) WHERE owner IS NOT NULL;

-- Who needs whom: what somebody else refers to is not deleted.
CREATE TABLE roster_ref (
    item_id INTEGER NOT NULL REFERENCES roster_item (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (item_id, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX roster_ref_to ON roster_ref (kind, name);

-- Every revision there was. The newest id is the whole roster's revision.
CREATE TABLE roster_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    spec TEXT,                                -- NULL: deleted
    at_ms INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;
CREATE INDEX roster_change_of ON roster_change (kind, name, id);
CREATE TRIGGER roster_change_is_never_changed BEFORE UPDATE ON roster_change
BEGIN SELECT RAISE(ABORT, 'the history of the roster is append-only'); END;
CREATE TRIGGER roster_change_is_never_deleted BEFORE DELETE ON roster_change
BEGIN SELECT RAISE(ABORT, 'the history of the roster is append-only'); END;

-- A test notification to a contact: the link in it says that it arrived. It is about this
-- address: another one is not verified.
CREATE TABLE contact_check (
    token_hash BLOB PRIMARY KEY,
    person TEXT NOT NULL,
    method TEXT NOT NULL,
    address TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('accepted', 'later', 'refused')), -- NULL: under way
    words TEXT,
    confirmed_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_check_of ON contact_check (person, method, address, made_ms);

-- A schedule's calendar for who holds its address; only a hash of that is here.
CREATE TABLE ical_link (
    schedule_id INTEGER PRIMARY KEY REFERENCES roster_item (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    made_ms INTEGER NOT NULL,
    made_by TEXT NOT NULL
) STRICT;
