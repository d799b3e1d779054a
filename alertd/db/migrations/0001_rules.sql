-- Rules, every version of them, and the state of their alerts. Times are Unix
-- milliseconds; label sets are JSON objects.

-- A rule file (or a posted body) as it was taken over last: what the evaluator reads.
CREATE TABLE rule_file (
    source TEXT PRIMARY KEY,
    yaml TEXT NOT NULL,
    imported_ms INTEGER NOT NULL,
    imported_by TEXT NOT NULL
) STRICT;

CREATE TABLE rule_group (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    is_live INTEGER NOT NULL,                 -- 0: no longer in its file
    interval_ms INTEGER NOT NULL,
    last_evaluation_ms INTEGER,
    evaluation_us INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, name)
) STRICT;

-- A rule keeps its id while its group, type and name stay: n-th of that name.
CREATE TABLE rule (
    id INTEGER PRIMARY KEY,
    group_id INTEGER NOT NULL REFERENCES rule_group (id),
    type TEXT NOT NULL CHECK (type IN ('alerting', 'recording')),
    name TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    position INTEGER NOT NULL,
    is_live INTEGER NOT NULL,
    version INTEGER NOT NULL,
    expr TEXT NOT NULL,
    for_ms INTEGER NOT NULL,
    keep_firing_for_ms INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    health TEXT NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'ok', 'err')),
    last_error TEXT,
    failures INTEGER NOT NULL DEFAULT 0,      -- in a row
    last_evaluation_ms INTEGER,
    evaluation_us INTEGER NOT NULL DEFAULT 0,
    UNIQUE (group_id, type, name, ordinal)
) STRICT;

CREATE TABLE rule_version (
    rule_id INTEGER NOT NULL REFERENCES rule (id),
    version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    author TEXT NOT NULL,
    yaml TEXT NOT NULL,
    PRIMARY KEY (rule_id, version)
) STRICT, WITHOUT ROWID;

-- One row for each alert that is pending, firing, or over not long ago.
CREATE TABLE alert (
    rule_id INTEGER NOT NULL REFERENCES rule (id),
    fingerprint INTEGER NOT NULL,             -- 64 bits, as SQLite's signed number
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('inactive', 'pending', 'firing')),
    active_ms INTEGER,
    fired_ms INTEGER,
    keep_firing_since_ms INTEGER,
    no_data_since_ms INTEGER,
    resolved_ms INTEGER,
    value_bits INTEGER NOT NULL,              -- every bit of the float: NaN too
    PRIMARY KEY (rule_id, fingerprint, labels)
) STRICT, WITHOUT ROWID;
