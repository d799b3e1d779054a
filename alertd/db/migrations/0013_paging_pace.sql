-- A flood of alerts writes as many pages of the file as its rows have indexes that are not in the order of time: those that
-- another one serves as well are gone, and what waits lies in the order in which it is taken.
DROP INDEX incident_takes_alerts;
DROP INDEX incident_alert_firing;
DROP INDEX outbox_incident;
DROP INDEX outbox_unsent;
CREATE INDEX outbox_waiting ON outbox (receiver, kind, slot, reason = 'resolved', due_ms) WHERE state = 'waiting';

-- In the order they came; fingerprints are found by an index of numbers.
CREATE TABLE external_alert_2 (
    fingerprint INTEGER NOT NULL,
    labels TEXT NOT NULL,
    annotations TEXT NOT NULL,
    source TEXT NOT NULL,                     -- 'alertmanager', 'pagerduty', 'webhook'
    generator_url TEXT NOT NULL,
    starts_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,                 -- in the future while it fires
    is_firing INTEGER NOT NULL,               -- as told to the incidents
    updated_ms INTEGER NOT NULL
) STRICT;
INSERT INTO external_alert_2 SELECT fingerprint, labels, annotations, source, generator_url, starts_ms, ends_ms, is_firing,
    updated_ms FROM external_alert;
DROP TABLE external_alert;
ALTER TABLE external_alert_2 RENAME TO external_alert;
CREATE INDEX external_alert_fingerprint ON external_alert (fingerprint);
CREATE INDEX external_alert_ends ON external_alert (ends_ms) WHERE is_firing;
