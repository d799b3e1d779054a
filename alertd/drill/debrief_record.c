/*
 * A played drill as the rows of a record, so that its document is made as that of an incident.
 * See debrief_private.h.
 */

#include <string.h>

#include "alertd/drill/debrief_private.h"

/* What a moment is called on a timeline; NULL: it is not on it. */
static const char *kind_of_act(const struct drill_moment *moment)
{
    switch (moment->act) {
    case DRILL_ACT_SEE: return "human.observation";
    case DRILL_ACT_ACK: return "ack";
    case DRILL_ACT_QUERY: return "query.run";
    case DRILL_ACT_RUNBOOK: return "human.note";
    case DRILL_ACT_HYPOTHESIS: return "human.hypothesis";
    case DRILL_ACT_ANSWER: return "human.answer";
    case DRILL_ACT_TELL: return "comms.internal";
    case DRILL_ACT_ESCALATE: return "notify.escalated";
    case DRILL_ACT_DO:
        return moment->verdict == DRILL_GOOD && moment->worth == DRILL_WORTH_RIGHT
                   ? "mitigation.applied"
                   : "human.action";
    case DRILL_ACT_HINT:
    case DRILL_ACT_NOTE: return "human.note";
    }
    return "human.note";
}

static const char *kind_of_happening(const struct drill_moment *moment)
{
    static const char *const kinds[][2] = {
        {"deploy", "change.deploy"}, {"chat", "chat.message"}, {"customer", "human.report"}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i][0], moment->who) == 0)
            return kinds[i][1];
    return "metric.mark";
}

static const char *kind_of(const struct drill_moment *moment)
{
    switch (moment->kind) {
    case DRILL_MOMENT_PENDING: return "alert.pending";
    case DRILL_MOMENT_FIRING: return "alert.firing";
    case DRILL_MOMENT_RESOLVED: return "alert.resolved";
    case DRILL_MOMENT_OPENED: return "incident.opened";
    case DRILL_MOMENT_OVER: return "incident.resolved";
    case DRILL_MOMENT_PAGE: return "notify.sent";
    case DRILL_MOMENT_NOBODY: return "notify.undelivered";
    case DRILL_MOMENT_TOLD:
    case DRILL_MOMENT_BROKEN: return NULL;
    case DRILL_MOMENT_HAPPENED: return kind_of_happening(moment);
    case DRILL_MOMENT_ACT:
    case DRILL_MOMENT_HINT: return kind_of_act(moment);
    }
    return NULL;
}

static const char *hypothesis_of(const struct drill_moment *moment)
{
    if (moment->kind != DRILL_MOMENT_ACT || moment->act != DRILL_ACT_HYPOTHESIS)
        return NULL;
    return moment->verdict == DRILL_GOOD  ? "confirmed"
           : moment->verdict == DRILL_BAD ? "refuted"
                                          : "open";
}

/* What a page said is told in the words of the moment. */
static const char *text_of(struct debrief_work *work, const struct drill_moment *moment)
{
    STR_AUTO struct str text = STR_INIT(64 * 1024);
    bool is_said = moment->what &&
                   (moment->kind == DRILL_MOMENT_HAPPENED ||
                    (moment->kind == DRILL_MOMENT_ACT && moment->act != DRILL_ACT_RUNBOOK));

    if (is_said)
        return moment->what;
    drill_moment_print(moment, &text);
    return debrief_text(work, "%s", str_text(&text));
}

struct rows {
    struct timeline_event *events;
    struct postmortem_curation *curation;
    size_t n;
    int64_t opened_ms, over_ms, acked_ms; /* wall; 0: not */
};

static void add_row(struct debrief_work *work, struct rows *rows, const struct drill_moment *moment)
{
    bool is_act = moment->kind == DRILL_MOMENT_ACT || moment->kind == DRILL_MOMENT_HINT;
    int64_t at_ms = work->zero_ms + moment->at_ms;
    const char *kind = kind_of(moment);

    if (!kind)
        return;
    if (moment->kind == DRILL_MOMENT_OPENED && !rows->opened_ms)
        rows->opened_ms = at_ms;
    if (moment->kind == DRILL_MOMENT_OVER)
        rows->over_ms = at_ms;
    if (is_act && moment->act == DRILL_ACT_ACK && moment->verdict == DRILL_GOOD && !rows->acked_ms)
        rows->acked_ms = at_ms;
    rows->curation[rows->n].hypothesis = hypothesis_of(moment);
    rows->events[rows->n] = (struct timeline_event){
        .id = (int64_t)rows->n + 1,
        .kind = kind,
        .event_class = is_act ? "human" : "machine",
        .source = is_act ? "drill" : "the drill",
        .actor = is_act ? work->input->player : NULL,
        .text = text_of(work, moment),
        .data = "{}",
        .occurred_at_ms = at_ms,
        .recorded_at_ms = at_ms,
    };
    rows->n++;
}

/* What the drill knows for certain; other marks are read off the rows. */
static size_t fill_marks(const struct debrief_work *work, struct postmortem_mark *marks)
{
    int64_t mended_ms = drill_world_mended_ms(work->input->world);
    const struct {
        const char *name, *rule;
        bool known;
        int64_t at_ms;
    } known[] = {
        {"impact_start", "the drill says when the trouble begins", true, work->drill->onset_ms},
        {"paged", "the first page to the player", work->score->paged, work->score->base_ms},
        {"mitigated", "what was done that mends", mended_ms != DRILL_NOT_YET, mended_ms},
    };
    size_t n = 0;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].known)
            marks[n++] = (struct postmortem_mark){.name = known[i].name,
                                                  .scope = "",
                                                  .at_ms = work->zero_ms + known[i].at_ms,
                                                  .source = "drill",
                                                  .rule = known[i].rule};
    return n;
}

int debrief_record(struct debrief_work *work, const struct fact **ret_facts, struct err *reterr)
{
    struct rows rows = {0};
    size_t n = work->n_moments;

    rows.events = arena_array(work->arena, n + 1, sizeof(*rows.events));
    rows.curation = arena_array(work->arena, n + 1, sizeof(*rows.curation));
    if (!rows.events || !rows.curation)
        return err_set(reterr, DEBRIEF_E_LIMIT, "the drill is too long for one document");
    for (size_t i = 0; i < n; i++)
        add_row(work, &rows, &work->moments[i]);

    const struct incident incident = {
        .key = work->input->key,
        .title = work->drill->title,
        .severity = "",
        .status = rows.over_ms    ? INCIDENT_RESOLVED
                  : rows.acked_ms ? INCIDENT_ACKNOWLEDGED
                                  : INCIDENT_TRIGGERED,
        .opened_at_ms = rows.opened_ms ? rows.opened_ms : work->zero_ms + work->drill->onset_ms,
        .acknowledged_at_ms = rows.acked_ms,
        .acknowledged_by = rows.acked_ms ? work->input->player : NULL,
        .resolved_at_ms = rows.over_ms,
        .labels = labels_empty(),
        .group_key = "",
        .origin = "drill",
    };
    struct postmortem_mark marks[3];
    const struct postmortem_input input = {
        .drill = &work->about,
        .marks = marks,
        .n_marks = fill_marks(work, marks),
        .template_name = "debrief",
        .title = debrief_text(work, "Debrief: %s", work->drill->title),
        .status = "draft",
        .owner = work->input->player,
        .author = work->input->player,
        .generator = work->input->generator,
        .now_ms = work->zero_ms + work->score->until_ms,
        .incident_url = "",
        .incident = &incident,
        .events = rows.events,
        .n_events = rows.n,
        .curation = rows.curation,
    };

    return postmortem_facts(work->arena, &input, ret_facts, reterr) == 0
               ? 0
               : err_set(reterr, DEBRIEF_E_LIMIT, "the drill is too long for one document");
}
