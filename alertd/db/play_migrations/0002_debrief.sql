-- What people write in the debrief of a session: every save of a section. What facts say is made
-- anew from the session.
CREATE TABLE session_debrief (
    session INTEGER NOT NULL REFERENCES session (id),
    section TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    saved_ms INTEGER NOT NULL,
    PRIMARY KEY (session, section, revision)
) STRICT, WITHOUT ROWID;
