-- Practice: copies of real pages for people who look over somebody's shoulder, what they made of
-- them, and what they have learnt so far. What is real is read here and never written.
-- Times are UTC milliseconds.

-- One page of one shadow: of an incident's step, however many people and contacts that paged.
CREATE TABLE shadow_page (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    shadow TEXT NOT NULL,                     -- the roster's item, which may be gone by now
    person TEXT NOT NULL,                     -- who looks on
    mode TEXT NOT NULL CHECK (mode IN ('observe', 'own copy', 'reverse')),
    mentor TEXT NOT NULL,                     -- who stands behind: named, or who was really paged
    of_kind TEXT NOT NULL CHECK (of_kind IN ('person', 'schedule')),
    of_name TEXT NOT NULL,
    incident_id INTEGER NOT NULL REFERENCES incident (id),
    outbox_id INTEGER REFERENCES outbox (id), -- the real page; NULL: it told what waited already
    step TEXT NOT NULL,                       -- "shop 1.1": policy, round and step
    is_night INTEGER NOT NULL,                -- for who looks on
    made_ms INTEGER NOT NULL,
    seen_ms INTEGER,
    opened_ms INTEGER,
    acknowledged_ms INTEGER,                  -- their own copy
    hypothesis TEXT,
    hypothesis_ms INTEGER,                    -- the first
    notes TEXT NOT NULL DEFAULT '',
    revealed_ms INTEGER,                      -- looked at the real timeline first
    acted_on INTEGER,                         -- 1 yes, 0 no, NULL not answered; so the next two
    made_sense INTEGER,
    knew_where INTEGER,
    answered_ms INTEGER,
    link_hash BLOB UNIQUE,                    -- of its own page's address
    UNIQUE (shadow, incident_id, step, made_ms)
) STRICT;
CREATE INDEX shadow_page_person ON shadow_page (person, id);
CREATE INDEX shadow_page_incident ON shadow_page (incident_id);

-- What told it: rows of the lane 'shadow'; in reverse the real ones, and those of who stands
-- behind.
CREATE TABLE shadow_page_row (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    page_id INTEGER NOT NULL REFERENCES shadow_page (id),
    role TEXT NOT NULL CHECK (role IN ('shadow', 'mentor')),
    PRIMARY KEY (outbox_id, page_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shadow_page_row_of ON shadow_page_row (page_id);

CREATE TABLE shadow_page_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    page_id INTEGER NOT NULL REFERENCES shadow_page (id),
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    actor TEXT,                               -- NULL: a machine
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX shadow_page_event_of ON shadow_page_event (page_id, id);
CREATE TRIGGER shadow_page_event_is_never_changed BEFORE UPDATE ON shadow_page_event
BEGIN SELECT RAISE(ABORT, 'the story of a shadow page is append-only'); END;
CREATE TRIGGER shadow_page_event_is_never_deleted BEFORE DELETE ON shadow_page_event
BEGIN SELECT RAISE(ABORT, 'the story of a shadow page is append-only'); END;

-- One item of the checklist, as far as one person is. Items are named in readiness.yml.
CREATE TABLE readiness_item (
    person TEXT NOT NULL,
    area TEXT NOT NULL,                       -- as it was when it was done
    item TEXT NOT NULL,
    evidence TEXT NOT NULL,
    question TEXT NOT NULL,                   -- as it was asked
    answer TEXT NOT NULL,
    done_ms INTEGER NOT NULL,
    done_by TEXT NOT NULL,
    signed_by TEXT,                           -- never the person themselves
    signed_ms INTEGER,
    PRIMARY KEY (person, item)
) STRICT, WITHOUT ROWID;
