-- What a team has instead of the tables that ship: which words are hinted at, which template an incident asks for.
-- Every table there was is kept; the newest of a name counts, '' gives it back to what ships.
CREATE TABLE postmortem_table (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (name IN ('hints', 'choices')),
    rows TEXT NOT NULL,                       -- JSON
    revision INTEGER NOT NULL,
    saved_ms INTEGER NOT NULL,
    saved_by TEXT NOT NULL,
    UNIQUE (name, revision)
) STRICT;
CREATE TRIGGER postmortem_table_update BEFORE UPDATE ON postmortem_table
    BEGIN SELECT RAISE(ABORT, 'tables of postmortems are never changed'); END;
CREATE TRIGGER postmortem_table_delete BEFORE DELETE ON postmortem_table
    BEGIN SELECT RAISE(ABORT, 'tables of postmortems are never deleted'); END;
