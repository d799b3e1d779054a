-- Postmortems: the text with every save of it, and what was frozen for it, so that a
-- document stays true after retention deleted the samples. Times are UTC milliseconds.

CREATE TABLE postmortem (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL UNIQUE REFERENCES incident (id),
    title TEXT NOT NULL,
    template TEXT NOT NULL,                   -- its id: "quick"
    status TEXT NOT NULL CHECK (status IN ('draft', 'in_review', 'published')),
    revision INTEGER NOT NULL,                -- the newest in postmortem_revision
    facts TEXT NOT NULL,                      -- what the draft was made of, as JSON
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT;

-- Every save; none is ever changed.
CREATE TABLE postmortem_revision (
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    markdown TEXT NOT NULL,
    author TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    PRIMARY KEY (postmortem_id, revision)
) STRICT;
CREATE TRIGGER postmortem_revision_update BEFORE UPDATE ON postmortem_revision
    BEGIN SELECT RAISE(ABORT, 'revisions of a postmortem are never changed'); END;
CREATE TRIGGER postmortem_revision_delete BEFORE DELETE ON postmortem_revision
    BEGIN SELECT RAISE(ABORT, 'revisions of a postmortem are never deleted'); END;

-- A query's result as it was, drawn.
CREATE TABLE graph (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    title TEXT NOT NULL,
    query TEXT NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    step_ms INTEGER NOT NULL,
    captured_ms INTEGER NOT NULL,
    n_points INTEGER NOT NULL,
    series TEXT NOT NULL,                     -- [{"name","t_ms":[],"values":[]}]
    svg TEXT NOT NULL,
    sha256 BLOB NOT NULL                      -- of series, a NUL, svg
) STRICT;
CREATE INDEX graph_incident ON graph (incident_id);
CREATE TRIGGER graph_update BEFORE UPDATE ON graph
    BEGIN SELECT RAISE(ABORT, 'a frozen graph is never changed'); END;
CREATE TRIGGER graph_delete BEFORE DELETE ON graph
    BEGIN SELECT RAISE(ABORT, 'a frozen graph is never deleted'); END;

-- The samples its query read, kept past retention: what a drill replays.
CREATE TABLE frozen_sample (
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    labels TEXT NOT NULL,                     -- a JSON object, with __name__
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    n INTEGER NOT NULL,
    samples BLOB NOT NULL,                    -- n times: int64 ms, float64 bits; little-endian
    PRIMARY KEY (incident_id, labels)
) STRICT;
