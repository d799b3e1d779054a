-- Every config that was in force, without addresses and secrets: why somebody was told, or was
-- not, in the past. The newest are kept (config_db.h).
CREATE TABLE config_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    from_ms INTEGER NOT NULL,                 -- in force since; until the next one's
    hash BLOB NOT NULL,                       -- BLAKE2b-256 of the file as it was
    text TEXT NOT NULL
) STRICT;
CREATE INDEX config_version_from ON config_version (from_ms);
