-- Agents: who pushes, and how fresh they are. One row each, kept for ever; the id is
-- what the agent calls itself (X-Watchbill-Agent). Times are Unix milliseconds.
CREATE TABLE agent (
    id            TEXT PRIMARY KEY,
    first_seen_ms INTEGER NOT NULL,
    last_push_ms  INTEGER NOT NULL,
    interval_ms   INTEGER NOT NULL,
    clock_skew_ms INTEGER NOT NULL,
    version       TEXT
) STRICT;
