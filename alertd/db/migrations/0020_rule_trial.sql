-- Candidates of rules: each runs live and silent beside its rule (the API's "canary"), and what
-- either of the two fired meanwhile is kept, so that the difference can be told.
CREATE TABLE rule_trial (
    rule_id INTEGER PRIMARY KEY REFERENCES rule (id),
    yaml TEXT NOT NULL,                       -- the candidate alone, as a version's
    base_version INTEGER NOT NULL,            -- of the rule, when it began
    author TEXT NOT NULL,
    began_ms INTEGER NOT NULL,
    is_seeded INTEGER NOT NULL DEFAULT 0,     -- the rule's alerts of then were taken over
    evaluations INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    last_ms INTEGER
) STRICT;

-- The candidate's alerts as its last evaluation left them: what a restart reads back.
CREATE TABLE rule_trial_state (
    rule_id INTEGER NOT NULL REFERENCES rule_trial (rule_id) ON DELETE CASCADE,
    labels TEXT NOT NULL,
    state INTEGER NOT NULL,                   -- 0 inactive, 1 pending, 2 firing
    active_ms INTEGER,
    fired_ms INTEGER,
    keep_firing_since_ms INTEGER,
    no_data_since_ms INTEGER,
    resolved_ms INTEGER,
    PRIMARY KEY (rule_id, labels)
) STRICT, WITHOUT ROWID;

-- What fired since it began, of the rule ('current') and of the candidate. Bounded: the oldest go.
CREATE TABLE rule_trial_alert (
    id INTEGER PRIMARY KEY,
    rule_id INTEGER NOT NULL REFERENCES rule_trial (rule_id) ON DELETE CASCADE,
    side TEXT NOT NULL CHECK (side IN ('current', 'candidate')),
    labels TEXT NOT NULL,
    fired_ms INTEGER NOT NULL,
    resolved_ms INTEGER                       -- NULL: it fires
) STRICT;
CREATE INDEX rule_trial_alert_open ON rule_trial_alert (rule_id, side) WHERE resolved_ms IS NULL;
CREATE INDEX rule_trial_alert_of ON rule_trial_alert (rule_id, id);
