-- What a rule's last evaluation read, and where its last error is: in the file, and in the
-- expression (0: not in it).
ALTER TABLE rule ADD COLUMN samples INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN series INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN error_line INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN error_column INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN expr_line INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule ADD COLUMN expr_column INTEGER NOT NULL DEFAULT 0;
-- How many alerts or series each of the group's rules may give; 0: any number.
ALTER TABLE rule_group ADD COLUMN series_limit INTEGER NOT NULL DEFAULT 0;
