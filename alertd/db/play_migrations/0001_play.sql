-- drills.db: who plays which drill, and what was done in it when. A session is its files, its seed
-- and its acts: everything else is made again from them.
CREATE TABLE content (
    hash TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    drill TEXT NOT NULL,
    title TEXT NOT NULL,
    mode TEXT NOT NULL CHECK (mode IN ('solo', 'pair', 'master', 'team', 'tabletop')),
    team INTEGER,
    player TEXT NOT NULL,
    seed TEXT NOT NULL,
    speed INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('paused', 'running', 'ended', 'broken')),
    at_ms INTEGER NOT NULL,
    length_ms INTEGER NOT NULL,
    stops_for_pages INTEGER NOT NULL,
    page_me INTEGER NOT NULL,
    made_by TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    hash TEXT,
    error TEXT
) STRICT;
CREATE INDEX session_drill ON session (drill, player);
CREATE INDEX session_state ON session (state);

CREATE TABLE session_file (
    session INTEGER NOT NULL REFERENCES session (id),
    n INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('drill', 'pack', 'beside')),
    name TEXT NOT NULL,
    hash TEXT NOT NULL REFERENCES content (hash),
    PRIMARY KEY (session, n)
) STRICT;

CREATE TABLE session_member (
    session INTEGER NOT NULL REFERENCES session (id),
    person TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('player', 'scribe', 'master')),
    PRIMARY KEY (session, person)
) STRICT;
CREATE INDEX session_member_person ON session_member (person);

CREATE TABLE session_act (
    session INTEGER NOT NULL REFERENCES session (id),
    n INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    is_inject INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id TEXT,
    text TEXT,
    key TEXT NOT NULL,
    PRIMARY KEY (session, n),
    UNIQUE (session, who, key)
) STRICT;

CREATE TABLE session_change (
    session INTEGER NOT NULL REFERENCES session (id),
    n INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    words TEXT,
    PRIMARY KEY (session, n)
) STRICT;

CREATE TABLE session_note (
    session INTEGER NOT NULL REFERENCES session (id),
    n INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (session, n)
) STRICT;

CREATE TABLE session_result (
    session INTEGER NOT NULL REFERENCES session (id),
    name TEXT NOT NULL,
    is_clock INTEGER NOT NULL,
    value INTEGER,
    PRIMARY KEY (session, name)
) STRICT;
