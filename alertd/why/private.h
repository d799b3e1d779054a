#pragma once

/*
 * Inside why/: what its files share. Nobody else includes this.
 *
 *   why.c        the order of the steps, the verdict, the sentence
 *   why_alert.c  its rule, its routes, what mutes it
 *   why_told.c   its groups, what was told of them
 *   why_page.c   its incident, who was paged, what was sent
 */

#include "alertd/route/inhibit.h"
#include "alertd/route/tree.h"
#include "alertd/why/why.h"
#include "lib/base/clock.h"
#include "lib/json/write.h"

/* What the steps found, for the verdict. */
struct why_finding {
    const struct why_silence *silence;
    const struct why_source *source; /* of an inhibition */
    const struct route_inhibit_rule *rule;
    size_t n_routes, n_quiet; /* taken ones; of them quiet at the instant */
    const char *interval;     /* that keeps one quiet */
    enum route_quiet quiet;
    size_t n_tell;     /* integrations that tell somebody, of routes that are not quiet */
    int64_t flush_ms;  /* when the first group is looked at next; INT64_MAX: not known */
    bool first_flush;  /* and that is after group_wait */
    int64_t repeat_ms; /* when the first reminder is due; INT64_MAX: not known */
    const char *acknowledged_by;
    int64_t acknowledged_ms; /* 0: nobody holds it */
    const struct why_delivery *sent, *waiting, *refused, *given_up;
    size_t n_sent;
    const char *nobody; /* the newest step of an escalation that reached nobody */
    bool shown_only;    /* on the dashboard */
};

struct why_writer {
    const struct why_input *in;
    struct arena *arena;
    struct why *why;
    struct why_finding found;
    struct route_walk walk;
    struct str words, data; /* of the step under way */
    struct json_out json;
    bool is_full; /* the arena is spent */
};

/* Begins a step: its words go to writer->words, its evidence to writer->json. */
struct str *why_begin(struct why_writer *writer);
void why_end(struct why_writer *writer, const char *step, const char *result, const char *receiver);
/* Adds "14:02:07 UTC", with the day when it is another than the instant's. */
void why_add_time(struct why_writer *writer, int64_t at_ms);
/* A copy that lives as long as the answer; "" when there is no room. */
const char *why_keep(struct why_writer *writer, const char *text);
/* Is the receiver asked about? */
bool why_is_wanted(const struct why_writer *writer, const char *receiver);

void why_rule(struct why_writer *writer);
void why_config(struct why_writer *writer);
void why_routes(struct why_writer *writer);
void why_mutes(struct why_writer *writer);
void why_groups(struct why_writer *writer);
/* Who holds the incident then; before the steps. */
void why_holder(struct why_writer *writer);
void why_incident(struct why_writer *writer);
void why_escalation(struct why_writer *writer);
void why_deliveries(struct why_writer *writer);
