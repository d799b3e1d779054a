-- A game master's notes are theirs alone, until they share them when the drill is over.
ALTER TABLE session_note ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0;
