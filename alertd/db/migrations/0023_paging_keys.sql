-- Rows of a flood are found by numbers and lie in the order they came: each that lies in the order of its text is a page of
-- the file to be written.

-- One group of one route; the number is the dispatcher's, and new after each start.
CREATE TABLE notify_group_2 (
    id INTEGER PRIMARY KEY,
    route TEXT NOT NULL,                      -- its place in the tree
    labels TEXT NOT NULL,                     -- the group's
    next_flush_ms INTEGER NOT NULL,
    has_flushed INTEGER NOT NULL
) STRICT;
INSERT INTO notify_group_2 (route, labels, next_flush_ms, has_flushed)
    SELECT route, labels, next_flush_ms, has_flushed FROM notify_group;
DROP TABLE notify_group;
ALTER TABLE notify_group_2 RENAME TO notify_group;

-- What each integration was told last about a group: it outlives the group. The number is the
-- dispatcher's; of two rows of one integration and group the later one counts.
CREATE TABLE notify_told_2 (
    id INTEGER PRIMARY KEY,
    group_key TEXT NOT NULL,
    receiver TEXT NOT NULL,
    kind TEXT NOT NULL,
    slot INTEGER NOT NULL,
    firing BLOB NOT NULL,                     -- fingerprints, ascending, 8 bytes each
    resolved BLOB NOT NULL,
    told_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
INSERT INTO notify_told_2 (group_key, receiver, kind, slot, firing, resolved, told_ms, expires_ms)
    SELECT group_key, receiver, kind, slot, firing, resolved, told_ms, expires_ms FROM notify_told;
DROP TABLE notify_told;
ALTER TABLE notify_told_2 RENAME TO notify_told;

-- The phone page's token says which incident it is for; ack_link has those that do not yet.
CREATE TABLE ack_token (
    incident_id INTEGER PRIMARY KEY REFERENCES incident (id),
    token_hash BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- The incidents of a group by a number: text_hash() is alertd's.
ALTER TABLE incident ADD COLUMN group_hash INTEGER;
UPDATE incident SET group_hash = text_hash(group_key);
DROP INDEX incident_group;
CREATE INDEX incident_group ON incident (group_hash);
