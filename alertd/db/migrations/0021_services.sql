-- The service catalogue, and the words of incidents to be found. Times are UTC milliseconds.

CREATE TABLE service (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,                       -- docs/formats/service.md, as JSON
    revision INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- Every spec that was in force; '' where it was taken away.
CREATE TABLE service_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    revision INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    author TEXT NOT NULL
) STRICT;
CREATE INDEX service_change_name ON service_change (name, id);
CREATE TRIGGER service_change_is_never_changed BEFORE UPDATE ON service_change
BEGIN SELECT RAISE(ABORT, 'changes of services are append-only'); END;
CREATE TRIGGER service_change_is_never_deleted BEFORE DELETE ON service_change
BEGIN SELECT RAISE(ABORT, 'changes of services are append-only'); END;

-- The words of events and of titles. Filled when somebody searches, from where it stopped, so
-- that paging pays nothing for it.
CREATE VIRTUAL TABLE event_words USING fts5 (text, content = 'event', content_rowid = 'id');
CREATE VIRTUAL TABLE incident_words USING fts5 (title, content = 'incident', content_rowid = 'id');
CREATE TABLE search_state (event_id INTEGER NOT NULL, incident_id INTEGER NOT NULL) STRICT;
INSERT INTO search_state VALUES (0, 0);

-- A timeline's order and marks are read without its words: of a long one that is a twentieth of
-- the pages.
CREATE INDEX event_outline ON event (id, kind, class, source, occurred_ms, recorded_ms, precision, scope, order_only);
