-- What is never changed and never deleted is never replaced either: INSERT OR REPLACE deletes the row that is in its way
-- without asking the triggers that forbid it. An id that SQLite is to make is -1 here, and is nobody's.
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event
    WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id OR (source = NEW.source AND reference = NEW.reference))
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_rev_is_never_replaced BEFORE INSERT ON event_rev
    WHEN EXISTS (SELECT 1 FROM event_rev WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'revisions are append-only'); END;
CREATE TRIGGER mark_is_never_replaced BEFORE INSERT ON mark
    WHEN EXISTS (SELECT 1 FROM mark WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'marks are append-only: set it again'); END;
CREATE TRIGGER graph_is_never_replaced BEFORE INSERT ON graph
    WHEN EXISTS (SELECT 1 FROM graph WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'a frozen graph is never changed'); END;
CREATE TRIGGER frozen_sample_is_never_replaced BEFORE INSERT ON frozen_sample
    WHEN EXISTS (SELECT 1 FROM frozen_sample WHERE id = NEW.id OR (incident_id = NEW.incident_id AND labels = NEW.labels AND from_ms = NEW.from_ms))
    BEGIN SELECT RAISE(ABORT, 'frozen samples are never changed'); END;
CREATE TRIGGER incident_learnt_is_never_replaced BEFORE INSERT ON incident_learnt
    WHEN EXISTS (SELECT 1 FROM incident_learnt WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'what was looked up is never changed'); END;
CREATE TRIGGER postmortem_section_revision_is_never_replaced BEFORE INSERT ON postmortem_section_revision
    WHEN EXISTS (SELECT 1 FROM postmortem_section_revision WHERE postmortem_id = NEW.postmortem_id AND section = NEW.section AND revision = NEW.revision)
    BEGIN SELECT RAISE(ABORT, 'revisions of a postmortem are never changed'); END;
CREATE TRIGGER postmortem_version_is_never_replaced BEFORE INSERT ON postmortem_version
    WHEN EXISTS (SELECT 1 FROM postmortem_version WHERE postmortem_id = NEW.postmortem_id AND version = NEW.version)
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never changed'); END;
CREATE TRIGGER postmortem_version_graph_is_never_replaced BEFORE INSERT ON postmortem_version_graph
    WHEN EXISTS (SELECT 1 FROM postmortem_version_graph WHERE postmortem_id = NEW.postmortem_id AND version = NEW.version AND graph_id = NEW.graph_id)
    BEGIN SELECT RAISE(ABORT, 'a published postmortem is never changed'); END;
CREATE TRIGGER postmortem_action_change_is_never_replaced BEFORE INSERT ON postmortem_action_change
    WHEN EXISTS (SELECT 1 FROM postmortem_action_change WHERE action_id = NEW.action_id AND revision = NEW.revision)
    BEGIN SELECT RAISE(ABORT, 'changes of an action are never changed'); END;
CREATE TRIGGER postmortem_table_is_never_replaced BEFORE INSERT ON postmortem_table
    WHEN EXISTS (SELECT 1 FROM postmortem_table WHERE id = NEW.id OR (name = NEW.name AND revision = NEW.revision))
    BEGIN SELECT RAISE(ABORT, 'tables of postmortems are never changed'); END;
CREATE TRIGGER roster_change_is_never_replaced BEFORE INSERT ON roster_change
    WHEN EXISTS (SELECT 1 FROM roster_change WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the history of the roster is append-only'); END;
CREATE TRIGGER service_change_is_never_replaced BEFORE INSERT ON service_change
    WHEN EXISTS (SELECT 1 FROM service_change WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'changes of services are append-only'); END;
CREATE TRIGGER shadow_page_event_is_never_replaced BEFORE INSERT ON shadow_page_event
    WHEN EXISTS (SELECT 1 FROM shadow_page_event WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the story of a shadow page is append-only'); END;
CREATE TRIGGER verdict_is_never_replaced BEFORE INSERT ON verdict
    WHEN EXISTS (SELECT 1 FROM verdict WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'verdicts are append-only'); END;
-- Nor does an event leave the timeline it is on.
CREATE TRIGGER incident_event_is_never_changed BEFORE UPDATE ON incident_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER incident_event_is_never_deleted BEFORE DELETE ON incident_event
    BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
