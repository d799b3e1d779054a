-- What people choose for a session: the speed to which it slows when something calls for the player
-- (0: it does not), and whether an incident's rules are played as they were then or as they are now.
ALTER TABLE session ADD COLUMN slow_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session ADD COLUMN rules TEXT NOT NULL DEFAULT 'then' CHECK (rules IN ('then', 'now'));
