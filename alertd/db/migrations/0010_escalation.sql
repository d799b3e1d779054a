-- Whom an incident pages next, one row per policy it was given to. Times are UTC milliseconds.
CREATE TABLE escalation (
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    policy TEXT NOT NULL,                     -- its name
    spec TEXT NOT NULL,                       -- the policy as it was when this began, as JSON
    state TEXT NOT NULL,                      -- where it stands, as JSON
    next_ms INTEGER,                          -- when it does something by itself; NULL: never
    PRIMARY KEY (incident_id, policy)
) STRICT, WITHOUT ROWID;
CREATE INDEX escalation_due ON escalation (next_ms) WHERE next_ms IS NOT NULL;
