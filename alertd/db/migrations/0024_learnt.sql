-- What of an incident was looked up in samples: where detection went, what budgets burnt, what would have
-- fired earlier. Samples go; the newest row is what documents say. Times are UTC milliseconds.

CREATE TABLE incident_learnt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    made_ms INTEGER NOT NULL,
    learnt TEXT NOT NULL                      -- JSON
) STRICT;
CREATE INDEX incident_learnt_of ON incident_learnt (incident_id, id);
CREATE TRIGGER incident_learnt_update BEFORE UPDATE ON incident_learnt
    BEGIN SELECT RAISE(ABORT, 'what was looked up is never changed'); END;
CREATE TRIGGER incident_learnt_delete BEFORE DELETE ON incident_learnt
    BEGIN SELECT RAISE(ABORT, 'what was looked up is never deleted'); END;
