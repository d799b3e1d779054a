-- What a digest told: outbox.superseded_by is its row.
CREATE INDEX outbox_superseded_by ON outbox (superseded_by) WHERE superseded_by IS NOT NULL;
