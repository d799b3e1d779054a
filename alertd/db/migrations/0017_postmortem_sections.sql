-- A postmortem in sections: what facts say is rendered anew until it is published, what
-- people write is kept save by save, what is published is kept for ever as it was.
-- Times are UTC milliseconds.

ALTER TABLE postmortem RENAME TO postmortem_whole;

CREATE TABLE postmortem (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    kind TEXT NOT NULL DEFAULT 'internal' CHECK (kind IN ('internal', 'public')),
    title TEXT NOT NULL,
    template TEXT NOT NULL,                   -- its id: "quick"
    status TEXT NOT NULL
        CHECK (status IN ('draft', 'in_review', 'reviewed', 'published', 'closed')),
    owner TEXT NOT NULL DEFAULT '',
    due_ms INTEGER,
    revision INTEGER NOT NULL,                -- counts every change of anything in it
    version INTEGER NOT NULL DEFAULT 0,       -- the newest in postmortem_version; 0: none
    facts TEXT NOT NULL,                      -- what the draft was made of, as JSON
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL DEFAULT '',
    updated_ms INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    UNIQUE (incident_id, kind)
) STRICT;
INSERT INTO postmortem (id, incident_id, title, template, status, revision, facts, created_ms,
        updated_ms, updated_by)
    SELECT id, incident_id, title, template, iif(status = 'published', 'reviewed', status),
        revision, facts, created_ms, updated_ms, updated_by FROM postmortem_whole;

CREATE TABLE postmortem_section (
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    section TEXT NOT NULL,                    -- "impact"
    position INTEGER NOT NULL,
    title TEXT NOT NULL,                      -- of its heading; '' when it has none
    mode TEXT NOT NULL CHECK (mode IN ('generated', 'human')),
    required INTEGER NOT NULL CHECK (required IN (0, 1)),
    template TEXT NOT NULL,                   -- what facts are put into
    line INTEGER NOT NULL,                    -- of the template's file, for errors
    detached_from TEXT,                       -- what was generated when a person took it over
    revision INTEGER NOT NULL,                -- the newest in postmortem_section_revision
    PRIMARY KEY (postmortem_id, section)
) STRICT, WITHOUT ROWID;

-- Every save; none is ever changed.
CREATE TABLE postmortem_section_revision (
    postmortem_id INTEGER NOT NULL,
    section TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,                       -- Markdown, without what was generated
    author TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (postmortem_id, section, revision),
    FOREIGN KEY (postmortem_id, section) REFERENCES postmortem_section (postmortem_id, section)
) STRICT;

-- Documents from before sections: one section with all of the text, and its revisions.
INSERT INTO postmortem_section
    SELECT id, 'document', 0, '', 'human', 1, '', 1, NULL, revision FROM postmortem_whole;
INSERT INTO postmortem_section_revision
    SELECT postmortem_id, 'document', revision, markdown, author, recorded_ms, ''
    FROM postmortem_revision;
DROP TABLE postmortem_revision;
DROP TABLE postmortem_whole;

CREATE TRIGGER postmortem_section_revision_update BEFORE UPDATE ON postmortem_section_revision
    BEGIN SELECT RAISE(ABORT, 'revisions of a postmortem are never changed'); END;
CREATE TRIGGER postmortem_section_revision_delete BEFORE DELETE ON postmortem_section_revision
    BEGIN SELECT RAISE(ABORT, 'revisions of a postmortem are never deleted'); END;

-- Who was asked to read it, and what they said.
CREATE TABLE postmortem_review (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    who TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('asked', 'approved', 'changes', 'comment')),
    section TEXT NOT NULL,                    -- '': of the whole
    text TEXT NOT NULL,
    revision INTEGER NOT NULL,                -- of the document when it was said
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX postmortem_review_of ON postmortem_review (postmortem_id);

-- What a person answered to a question that the record left open, by the question's words.
CREATE TABLE postmortem_answer (
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    question TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (postmortem_id, question)
) STRICT, WITHOUT ROWID;

-- Hints that somebody looked at and left as they are.
CREATE TABLE postmortem_hint_dismissed (
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    section TEXT NOT NULL,
    phrase TEXT NOT NULL,
    who TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (postmortem_id, section, phrase)
) STRICT, WITHOUT ROWID;

-- What was published: text, page, facts, graphs and the hash of the samples kept for it.
CREATE TABLE postmortem_version (
    postmortem_id INTEGER NOT NULL REFERENCES postmortem (id),
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    markdown TEXT NOT NULL,
    html TEXT NOT NULL,                       -- one file
    facts TEXT NOT NULL,                      -- JSON
    sections TEXT NOT NULL,                   -- JSON: as the editor shows them
    samples_upto INTEGER NOT NULL,            -- the newest frozen_sample of the incident then
    samples_sha256 BLOB NOT NULL,             -- of those
    sha256 BLOB NOT NULL,                     -- of all of the above and the graphs below
    published_ms INTEGER NOT NULL,
    published_by TEXT NOT NULL,
    PRIMARY KEY (postmortem_id, version)
) STRICT;
CREATE TRIGGER postmortem_version_update BEFORE UPDATE ON postmortem_version
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never changed'); END;
CREATE TRIGGER postmortem_version_delete BEFORE DELETE ON postmortem_version
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never deleted'); END;

CREATE TABLE postmortem_version_graph (
    postmortem_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    graph_id INTEGER NOT NULL REFERENCES graph (id),
    svg TEXT NOT NULL,                        -- with the letters of that day
    PRIMARY KEY (postmortem_id, version, graph_id),
    FOREIGN KEY (postmortem_id, version) REFERENCES postmortem_version (postmortem_id, version)
        DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TRIGGER postmortem_version_graph_update BEFORE UPDATE ON postmortem_version_graph
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never changed'); END;
CREATE TRIGGER postmortem_version_graph_delete BEFORE DELETE ON postmortem_version_graph
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never deleted'); END;

-- Graphs that the rules asked for, and those that a person chose.
ALTER TABLE graph ADD COLUMN made TEXT NOT NULL DEFAULT 'auto' CHECK (made IN ('auto', 'chosen'));
ALTER TABLE graph ADD COLUMN threshold REAL;  -- drawn as a line; NULL: none
ALTER TABLE graph ADD COLUMN rule_id INTEGER NOT NULL DEFAULT 0; -- whose alerts are its bands

-- The samples of an incident, in pieces: what is frozen later goes behind what is there.
ALTER TABLE frozen_sample RENAME TO frozen_sample_whole;
CREATE TABLE frozen_sample (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    labels TEXT NOT NULL,                     -- a JSON object, with __name__
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    n INTEGER NOT NULL,
    samples BLOB NOT NULL,                    -- n times: int64 ms, float64 bits; little-endian
    UNIQUE (incident_id, labels, from_ms)
) STRICT;
INSERT INTO frozen_sample (incident_id, labels, from_ms, to_ms, n, samples)
    SELECT incident_id, labels, from_ms, to_ms, n, samples FROM frozen_sample_whole;
DROP TABLE frozen_sample_whole;
CREATE TRIGGER frozen_sample_update BEFORE UPDATE ON frozen_sample
    BEGIN SELECT RAISE(ABORT, 'frozen samples are never changed'); END;
CREATE TRIGGER frozen_sample_delete BEFORE DELETE ON frozen_sample
    BEGIN SELECT RAISE(ABORT, 'frozen samples are never deleted'); END;
