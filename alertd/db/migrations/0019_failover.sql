-- A page whose receiver can't be told goes to another as well: when that was decided, and of the other's row in whose place it stands.
ALTER TABLE outbox ADD COLUMN failed_over_ms INTEGER;
ALTER TABLE outbox ADD COLUMN instead_of TEXT;

-- Whose schedule an override was of, for those that are taken back: a report tells who was on call until then.
ALTER TABLE roster_change ADD COLUMN owner TEXT;
