/*
 * The order of the steps, the verdict, and the sentence. See why.h.
 */

#include "alertd/why/why.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alertd/why/private.h"

static const char *const verdict_names[] = {
    [WHY_SENT] = "sent",
    [WHY_NOT_SENT] = "not sent",
    [WHY_WAITING] = "waiting",
    [WHY_REFUSED] = "refused",
    [WHY_WOULD_BE_SENT] = "would be sent",
    [WHY_WOULD_NOT_BE_SENT] = "would not be sent",
    [WHY_VERDICT_NOT_KNOWN] = "not known",
};

const char *why_verdict_name(enum why_verdict verdict)
{
    return verdict_names[verdict];
}

/* --- steps --- */

const char *why_keep(struct why_writer *writer, const char *text)
{
    const char *copy = text ? arena_strndup(writer->arena, text, strlen(text)) : NULL;

    writer->is_full |= text && !copy;
    return copy || !text ? copy : "";
}

struct str *why_begin(struct why_writer *writer)
{
    str_cut(&writer->words, 0);
    str_cut(&writer->data, 0);
    writer->json = JSON_OUT(&writer->data);
    json_open(&writer->json, '{');
    return &writer->words;
}

void why_end(struct why_writer *writer, const char *step, const char *result, const char *receiver)
{
    json_close(&writer->json, '}');
    if (writer->why->n == WHY_STEPS_MAX)
        return; /* each kind has a limit of its own */
    writer->why->steps[writer->why->n++] = (struct why_step){
        .step = step,
        .result = result,
        .because = why_keep(writer, str_text(&writer->words)),
        .evidence = why_keep(writer, writer->data.full ? "{}" : str_text(&writer->data)),
        .receiver = why_keep(writer, receiver),
    };
}

void why_add_time(struct why_writer *writer, int64_t at_ms)
{
    struct clock_utc at = clock_split_utc(at_ms);
    struct clock_utc asked = clock_split_utc(writer->in->at_ms);

    if (at.yearday != asked.yearday || at.year != asked.year)
        str_addf(&writer->words, "%04d-%02d-%02d ", at.year, at.month, at.day);
    str_addf(&writer->words, "%02d:%02d:%02d UTC", at.hour, at.minute, at.second);
}

bool why_is_wanted(const struct why_writer *writer, const char *receiver)
{
    return !writer->in->receiver || strcmp(writer->in->receiver, receiver) == 0;
}

/* --- the verdict --- */

/* Nobody would be told, whatever its groups do. */
static bool is_muted(const struct why_finding *found)
{
    return found->silence || found->rule || (found->n_routes && found->n_quiet == found->n_routes);
}

static bool waits_for_its_group(const struct why_writer *writer)
{
    return writer->found.flush_ms != INT64_MAX && writer->found.flush_ms > writer->in->at_ms &&
           writer->found.n_tell > 0;
}

static enum why_verdict verdict_of_firing(const struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;

    if (found->n_sent)
        return WHY_SENT;
    if (found->refused)
        return found->refused->refused ? WHY_REFUSED : WHY_WAITING;
    if (found->waiting)
        return WHY_WAITING;
    if (is_muted(found) || found->given_up)
        return WHY_NOT_SENT;
    return waits_for_its_group(writer) ? WHY_WAITING : WHY_NOT_SENT;
}

static enum why_verdict decide(const struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;

    switch (writer->in->alert->state) {
    case WHY_SUPPOSED:
        return is_muted(found) || found->n_tell == 0 ? WHY_WOULD_NOT_BE_SENT : WHY_WOULD_BE_SENT;
    case WHY_NOT_KNOWN: return found->n_sent ? WHY_SENT : WHY_VERDICT_NOT_KNOWN;
    case WHY_INACTIVE: return WHY_NOT_SENT;
    case WHY_PENDING: return is_muted(found) ? WHY_NOT_SENT : WHY_WAITING;
    case WHY_OVER: return found->n_sent ? WHY_SENT : WHY_NOT_SENT;
    case WHY_FIRING: break;
    }
    return verdict_of_firing(writer);
}

/* --- the sentence --- */

static const char *called(const char *receiver)
{
    static const char person[] = "person:";

    return strncmp(receiver, person, strlen(person)) == 0 ? receiver + strlen(person) : receiver;
}

static void add_silence(struct why_writer *writer)
{
    const struct why_silence *one = writer->found.silence;

    str_addf(&writer->words, "%s silenced it", one->created_by);
    if (*one->comment)
        str_addf(&writer->words, " (\"%s\")", one->comment);
    str_add(&writer->words, " until ");
    why_add_time(writer, one->silence.ends_at_ms);
}

/* False: nothing mutes it. */
static bool add_mute(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;

    if (found->silence) {
        add_silence(writer);
    } else if (found->rule) {
        str_add(&writer->words, "it is inhibited while ");
        if (found->source)
            labels_print(found->source->labels, &writer->words);
        str_add(&writer->words, " fires");
    } else if (found->n_routes && found->n_quiet == found->n_routes) {
        if (found->interval)
            str_addf(&writer->words, "the interval %s mutes its route", found->interval);
        else
            str_add(&writer->words, "its route is not active at that time");
    } else {
        return false;
    }
    return true;
}

static void add_row(struct why_writer *writer, const struct why_delivery *row)
{
    str_addf(&writer->words, "%s by %s", called(row->receiver), row->kind);
}

static void add_after_sent(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;
    const struct why_alert *alert = writer->in->alert;

    if (alert->state == WHY_OVER) {
        str_add(&writer->words, "; it is over since ");
        why_add_time(writer, alert->resolved_ms);
        return;
    }
    if (is_muted(found)) {
        str_add(&writer->words, "; no more of it now: ");
        (void)add_mute(writer);
    } else if (found->acknowledged_ms) {
        str_addf(&writer->words, "; %s acknowledged it at ", found->acknowledged_by);
        why_add_time(writer, found->acknowledged_ms);
        str_add(&writer->words, ", so there are no reminders");
    } else if (found->repeat_ms != INT64_MAX) {
        str_add(&writer->words, "; the next reminder is due at ");
        why_add_time(writer, found->repeat_ms);
    }
    if (found->nobody)
        str_addf(&writer->words, "; %s", found->nobody);
    if (found->refused) {
        str_add(&writer->words, "; not accepted yet: ");
        add_row(writer, found->refused);
    }
}

static void sent_words(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;

    str_add(&writer->words, " was sent to ");
    add_row(writer, found->sent);
    str_add(&writer->words, " at ");
    why_add_time(writer, found->sent->sent_ms);
    if (found->n_sent > 1)
        str_addf(&writer->words, " (and %zu more)", found->n_sent - 1);
    add_after_sent(writer);
}

static void waiting_words(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;
    const struct why_delivery *row = found->refused ? found->refused : found->waiting;

    if (writer->in->alert->state == WHY_PENDING) {
        str_add(&writer->words, " waits: it is true, but not for long enough yet");
        return;
    }
    if (row) {
        str_add(&writer->words,
                row == found->refused ? " waits: not accepted yet by " : " waits to be sent to ");
        add_row(writer, row);
        if (row->last_error && !writer->in->is_past)
            str_addf(&writer->words, ": %s", row->last_error);
        return;
    }
    str_add(&writer->words, found->first_flush
                                ? " waits for its group: it is told first at "
                                : " waits for its group, which is looked at next at ");
    why_add_time(writer, found->flush_ms);
}

static void not_sent_words(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;
    const struct why_alert *alert = writer->in->alert;

    str_add(&writer->words, " was not sent: ");
    if (alert->state == WHY_INACTIVE)
        str_add(&writer->words,
                alert->rule_error ? "its rule can't be evaluated" : "it did not fire then");
    else if (add_mute(writer))
        return;
    else if (found->given_up) {
        str_add(&writer->words, "given up for ");
        add_row(writer, found->given_up);
    } else if (found->nobody)
        str_add(&writer->words, found->nobody);
    else if (alert->state == WHY_OVER)
        str_add(&writer->words, "it was over before anybody was told");
    else if (found->n_routes == 0)
        str_addf(&writer->words, "no route of it leads to receiver %s", writer->in->receiver);
    else if (found->n_tell == 0)
        str_add(&writer->words, "it is on the dashboard only, its receiver has nobody to tell");
    else if (found->acknowledged_ms)
        str_addf(&writer->words, "%s had acknowledged its incident already",
                 found->acknowledged_by);
    else
        str_add(&writer->words,
                "its group had been told of it before, or was looked at without it");
}

static void add_receivers(struct why_writer *writer)
{
    const char *between = "";

    for (size_t i = 0; i < writer->walk.n; i++) {
        const char *name = writer->walk.at[i]->receiver->name;

        if (!why_is_wanted(writer, name))
            continue;
        str_addf(&writer->words, "%s%s", between, name);
        between = ", ";
    }
}

static void supposed_words(struct why_writer *writer)
{
    const struct why_finding *found = &writer->found;

    if (writer->why->verdict == WHY_WOULD_BE_SENT) {
        str_add(&writer->words, " would be sent to ");
        add_receivers(writer);
        if (found->nobody)
            str_addf(&writer->words, "; but %s", found->nobody);
        return;
    }
    str_add(&writer->words, " would not be sent: ");
    if (add_mute(writer))
        return;
    if (found->nobody)
        str_add(&writer->words, found->nobody);
    else
        str_add(&writer->words, found->n_routes ? "it would be on the dashboard only"
                                                : "no route of it leads to that receiver");
}

static void add_words(struct why_writer *writer)
{
    const char *name = labels_get(writer->in->alert->labels, "alertname");

    (void)why_begin(writer);
    str_add(&writer->words, name ? name : "The alert");
    switch (writer->why->verdict) {
    case WHY_SENT: sent_words(writer); break;
    case WHY_WAITING: waiting_words(writer); break;
    case WHY_NOT_SENT: not_sent_words(writer); break;
    case WHY_REFUSED:
        str_add(&writer->words, " was refused by ");
        add_row(writer, writer->found.refused);
        if (writer->found.refused->last_error && !writer->in->is_past)
            str_addf(&writer->words, ": %s", writer->found.refused->last_error);
        str_add(&writer->words, "; it is tried again");
        break;
    case WHY_WOULD_BE_SENT:
    case WHY_WOULD_NOT_BE_SENT: supposed_words(writer); break;
    case WHY_VERDICT_NOT_KNOWN:
        str_addf(&writer->words, ": not known: %s",
                 writer->in->alert->words ? writer->in->alert->words
                                          : "whether it fired at that time");
        break;
    }
    str_addc(&writer->words, '.');
    writer->why->words = why_keep(writer, str_text(&writer->words));
}

int why_decide(const struct why_input *input,
               struct arena *arena,
               struct why *ret_why,
               struct err *reterr)
{
    struct why_writer writer = {.in = input,
                                .arena = arena,
                                .why = ret_why,
                                .found = {.flush_ms = INT64_MAX, .repeat_ms = INT64_MAX},
                                .words = STR_INIT(WHY_WORDS_MAX),
                                .data = STR_INIT(WHY_WORDS_MAX)};

    *ret_why = (struct why){.steps = arena_array(arena, WHY_STEPS_MAX, sizeof(struct why_step))};
    writer.is_full = !ret_why->steps;
    if (!writer.is_full) {
        why_holder(&writer);
        why_rule(&writer);
        why_config(&writer);
        why_routes(&writer);
    }
    if (!writer.is_full) {
        why_mutes(&writer);
        why_groups(&writer);
        why_incident(&writer);
        why_escalation(&writer);
        why_deliveries(&writer);
        ret_why->verdict = decide(&writer);
        add_words(&writer);
    }
    str_done(&writer.words);
    str_done(&writer.data);
    return writer.is_full ? err_set(reterr, -ENOMEM, "too much to explain at once") : 0;
}
