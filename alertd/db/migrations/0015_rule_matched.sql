-- When a rule's selectors last matched a series, or it was first asked; 0: never asked.
ALTER TABLE rule ADD COLUMN matched_ms INTEGER NOT NULL DEFAULT 0;
