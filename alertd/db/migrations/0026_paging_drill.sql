-- Paging-path drills: a marked page to every contact method of everybody whom a policy would page,
-- and who answered. It is about no incident: nothing of it is in the outbox, so nothing counts it.
CREATE TABLE paging_drill (
    id INTEGER PRIMARY KEY,
    policy TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,                -- who has not answered by then could not be reached
    ended_ms INTEGER                          -- NULL: it goes on
) STRICT;

CREATE TABLE paging_drill_page (
    id INTEGER PRIMARY KEY,
    drill_id INTEGER NOT NULL REFERENCES paging_drill (id),
    step INTEGER NOT NULL,                    -- from 0; -1: the fallback
    via TEXT NOT NULL,                        -- 'person', 'schedule', 'receiver'
    target TEXT NOT NULL,
    person TEXT,                              -- NULL: nobody
    method TEXT,                              -- NULL: there is none to send to
    address TEXT,
    state TEXT NOT NULL CHECK (state IN ('due', 'sent', 'unreached')),
    token_hash BLOB,                          -- of the link in it: contact_check has its answer
    words TEXT                                -- why it was not sent
) STRICT;
CREATE INDEX paging_drill_page_of ON paging_drill_page (drill_id, id);
CREATE INDEX paging_drill_page_due ON paging_drill_page (id) WHERE state = 'due';
CREATE INDEX paging_drill_page_person ON paging_drill_page (person, drill_id);
