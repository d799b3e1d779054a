-- Who may call. A token is shown once; what is kept is a BLAKE2b-256 hash of its secret
-- (256 random bits need no slow hash). Scopes are bits: 1 push, 2 read, 4 operate, 8 admin.
-- Rows stay after a revocation: they say who could do what, and when. Unix milliseconds.
CREATE TABLE token (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    hash         BLOB NOT NULL,
    scopes       INTEGER NOT NULL,
    agent        TEXT,
    created_ms   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    expires_ms   INTEGER,
    last_used_ms INTEGER,
    revoked_ms   INTEGER
) STRICT;
-- A browser that logged in with a token; it may do what the token may, while the token may.
CREATE TABLE session (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id     INTEGER NOT NULL REFERENCES token (id),
    hash         BLOB NOT NULL,
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL
) STRICT;
