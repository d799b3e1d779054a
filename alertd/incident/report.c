/*
 * The numbers of a report. See report.h.
 *
 *   changes --sort by incident, rule--> pairs (incident, rule, when it fired first)
 *   votes   --sort the same way-------> a verdict for each pair
 *   pages   --for each pair of the incident that had fired by then--> pages per rule
 */

#include "alertd/incident/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/incident/flap.h"

/* One rule's alerts in one incident. */
struct pair {
    int64_t incident_id;
    int64_t rule_id;
    const char *rule;
    int64_t fired_ms; /* the first of them */
    unsigned pages, night_pages;
    bool opened; /* the incident, in the span */
    enum verdict verdict;
};

struct work {
    struct report_input *in;
    struct arena *arena;
    struct report *out;
    struct pair *pairs;
    size_t n_pairs;
};

static int no_room(struct err *reterr)
{
    return err_set(reterr, REPORT_E_LIMIT, "too much for one report: ask for a shorter time");
}

bool report_is_person(const char *who)
{
    return strncmp(who, REPORT_PERSON, sizeof(REPORT_PERSON) - 1) == 0;
}

const char *report_name(const char *who)
{
    return report_is_person(who) ? who + sizeof(REPORT_PERSON) - 1 : who;
}

bool report_is_night(const struct zone *zone, int64_t at_ms)
{
    int hour = zone_local(zone, at_ms).hour;

    return hour >= REPORT_NIGHT_FROM_HOUR || hour < REPORT_NIGHT_TO_HOUR;
}

static const struct zone *zone_of(const struct report_input *in, const char *who)
{
    for (size_t i = 0; i < in->n_homes; i++)
        if (strcmp(in->homes[i].who, who) == 0)
            return in->homes[i].zone;
    return in->zone;
}

struct report_share report_wilson(unsigned hits, unsigned n)
{
    static const double z = 1.959963984540054; /* 95 % */

    if (n == 0)
        return (struct report_share){NAN, NAN, NAN};

    double share = (double)hits / n;
    double middle = share + z * z / (2.0 * n);
    double width = z * sqrt(share * (1 - share) / n + z * z / (4.0 * n * n));
    double scale = 1 + z * z / n;
    double low = (middle - width) / scale;
    double high = (middle + width) / scale;

    /* at the ends rounding may step over them */
    return (struct report_share){share, low < 0 || hits == 0 ? 0 : low,
                                 high > 1 || hits == n ? 1 : high};
}

/* --- orders --- */

static int by_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_rule(int64_t a_id, const char *a, int64_t b_id, const char *b)
{
    return a_id != b_id ? by_int(a_id, b_id) : strcmp(a, b);
}

static int incident_order(const void *a, const void *b)
{
    const struct report_incident *x = a;
    const struct report_incident *y = b;

    return by_int(x->id, y->id);
}

static int page_order(const void *a, const void *b)
{
    const struct report_page *x = a;
    const struct report_page *y = b;
    int order = by_int(x->incident_id, y->incident_id);

    return order ? order : by_int(x->at_ms, y->at_ms);
}

static int change_order(const void *a, const void *b)
{
    const struct report_change *x = a;
    const struct report_change *y = b;
    int order = by_int(x->incident_id, y->incident_id);

    if (order == 0)
        order = by_rule(x->rule_id, x->rule, y->rule_id, y->rule);
    return order ? order : by_int(x->at_ms, y->at_ms);
}

/* The same alert in all its incidents, in order of time. */
static int alert_order(const void *a, const void *b)
{
    const struct report_change *x = a;
    const struct report_change *y = b;
    int order = by_rule(x->rule_id, x->rule, y->rule_id, y->rule);

    if (order == 0)
        order = (x->fingerprint > y->fingerprint) - (x->fingerprint < y->fingerprint);
    return order ? order : by_int(x->at_ms, y->at_ms);
}

static int vote_order(const void *a, const void *b)
{
    const struct report_vote *x = a;
    const struct report_vote *y = b;
    int order = by_int(x->incident_id, y->incident_id);

    return order ? order : by_rule(x->rule_id, x->rule, y->rule_id, y->rule);
}

static int rule_row_order(const void *a, const void *b)
{
    const struct report_rule_row *x = a;
    const struct report_rule_row *y = b;

    if (x->noise != y->noise)
        return by_int(y->noise, x->noise);
    if (x->load.pages != y->load.pages)
        return by_int(y->load.pages, x->load.pages);
    if (x->load.incidents != y->load.incidents)
        return by_int(y->load.incidents, x->load.incidents);
    return by_rule(x->rule_id, x->rule, y->rule_id, y->rule);
}

static int pair_by_rule(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    int order = by_rule(x->rule_id, x->rule, y->rule_id, y->rule);

    return order ? order : by_int(x->incident_id, y->incident_id);
}

static int who_order(const void *a, const void *b)
{
    const struct report_who_row *x = a;
    const struct report_who_row *y = b;

    if (x->load.pages != y->load.pages)
        return by_int(y->load.pages, x->load.pages);
    return strcmp(x->who, y->who);
}

static int flapping_order(const void *a, const void *b)
{
    const struct report_flapping *x = a;
    const struct report_flapping *y = b;

    if (x->percent < y->percent || x->percent > y->percent)
        return x->percent < y->percent ? 1 : -1;
    int order = by_rule(x->rule_id, x->rule, y->rule_id, y->rule);
    return order ? order : strcmp(x->instance, y->instance);
}

static int span_order(const void *a, const void *b)
{
    return by_int(*(const int64_t *)a, *(const int64_t *)b);
}

static void sort(void *at, size_t n, size_t size, int (*order)(const void *, const void *))
{
    if (n > 1)
        qsort(at, n, size, order);
}

/* --- incidents --- */

static bool is_within(const struct report_input *in, int64_t at_ms)
{
    return at_ms >= in->from_ms && at_ms < in->to_ms;
}

static const struct report_incident *find_incident(const struct report_input *in, int64_t id)
{
    const struct report_incident wanted = {.id = id};

    return in->n_incidents ? bsearch(&wanted, in->incidents, in->n_incidents,
                                     sizeof(*in->incidents), incident_order)
                           : NULL;
}

static struct report_spans summary(int64_t *spans_ms, size_t n)
{
    if (n == 0)
        return (struct report_spans){0};
    sort(spans_ms, n, sizeof(*spans_ms), span_order);
    /* nearest rank: always one that happened */
    return (struct report_spans){
        .n = n,
        .median_ms = spans_ms[(n - 1) / 2],
        .p90_ms = spans_ms[(n * 9 + 9) / 10 - 1],
        .max_ms = spans_ms[n - 1],
    };
}

static int count_incidents(struct work *work, struct err *reterr)
{
    const struct report_input *in = work->in;
    struct report *out = work->out;
    int64_t *acks = arena_array(work->arena, in->n_incidents + 1, sizeof(*acks));
    int64_t *ends = arena_array(work->arena, in->n_incidents + 1, sizeof(*ends));
    size_t n_acks = 0;
    size_t n_ends = 0;

    if (!acks || !ends)
        return no_room(reterr);
    for (size_t i = 0; i < in->n_incidents; i++) {
        const struct report_incident *one = &in->incidents[i];
        int64_t lasted_ms = one->resolved_at_ms - one->opened_at_ms;

        if (!is_within(in, one->opened_at_ms))
            continue;
        out->load.incidents++;
        if (one->acknowledged_at_ms)
            acks[n_acks++] = one->acknowledged_at_ms - one->opened_at_ms;
        else
            out->never_acknowledged++;
        if (!one->resolved_at_ms)
            continue;
        ends[n_ends++] = lasted_ms;
        if (!one->resolved_by_person && lasted_ms < REPORT_FAST_MS)
            out->self_resolved_fast++;
    }
    out->to_acknowledge = summary(acks, n_acks);
    out->to_resolve = summary(ends, n_ends);
    return 0;
}

/* --- pairs of incident and rule --- */

static int make_pairs(struct work *work, struct err *reterr)
{
    const struct report_input *in = work->in;

    work->pairs = arena_array(work->arena, in->n_changes + 1, sizeof(*work->pairs));
    if (!work->pairs)
        return no_room(reterr);
    for (size_t i = 0; i < in->n_changes; i++) {
        const struct report_change *change = &in->changes[i];
        const struct pair *last = work->n_pairs ? &work->pairs[work->n_pairs - 1] : NULL;
        const struct report_incident *incident = find_incident(in, change->incident_id);

        if (!change->fires || !incident ||
            (last && last->incident_id == change->incident_id &&
             by_rule(last->rule_id, last->rule, change->rule_id, change->rule) == 0))
            continue;
        work->pairs[work->n_pairs++] = (struct pair){
            .incident_id = change->incident_id,
            .rule_id = change->rule_id,
            .rule = change->rule,
            .fired_ms = change->at_ms,
            .opened = is_within(in, incident->opened_at_ms),
        };
    }
    return 0;
}

static void add_vote(struct verdict_votes *votes, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_USEFUL: votes->useful++; break;
    case VERDICT_NOISE: votes->noise++; break;
    case VERDICT_UNKNOWN: votes->unknown++; break;
    case VERDICT_NONE: break;
    }
}

/* Pairs and votes are in the same order: walked side by side. */
static void judge_pairs(struct work *work)
{
    const struct report_input *in = work->in;
    size_t at = 0;

    for (size_t i = 0; i < work->n_pairs; i++) {
        struct pair *pair = &work->pairs[i];
        const struct report_vote key = {pair->incident_id, pair->rule_id, pair->rule, VERDICT_NONE};
        struct verdict_votes votes = {0};

        while (at < in->n_votes && vote_order(&in->votes[at], &key) < 0)
            at++;
        for (; at < in->n_votes && vote_order(&in->votes[at], &key) == 0; at++)
            add_vote(&votes, in->votes[at].verdict);
        pair->verdict = verdict_of_votes(&votes);
    }
}

/* --- pages --- */

static struct report_who_row *row_of_who(struct report *out, const char *who)
{
    for (size_t i = 0; i < out->n_people; i++)
        if (strcmp(out->people[i].who, who) == 0)
            return &out->people[i];
    out->people[out->n_people].who = who;
    return &out->people[out->n_people++];
}

static void add_page(struct report_load *load, bool is_night)
{
    load->pages++;
    load->night_pages += is_night;
}

/* Pairs and pages are both in order of the incident. */
static void page_pairs(struct work *work, const struct report_page *page, bool is_night, size_t *at)
{
    while (*at < work->n_pairs && work->pairs[*at].incident_id < page->incident_id)
        (*at)++;
    for (size_t i = *at; i < work->n_pairs && work->pairs[i].incident_id == page->incident_id; i++)
        if (work->pairs[i].fired_ms <= page->at_ms) {
            work->pairs[i].pages++;
            work->pairs[i].night_pages += is_night;
        }
}

/* Whether this page is the first of its incident that `who` (NULL: anybody) got within
 * [from, to): pages of an incident lie together, in order of time. */
static bool is_first(const struct report_input *in, size_t at, const struct report_shift *shift)
{
    const struct report_page *page = &in->pages[at];

    while (at-- > 0 && in->pages[at].incident_id == page->incident_id) {
        const struct report_page *before = &in->pages[at];

        if (before->at_ms < shift->from_ms)
            return true;
        if (!shift->who || strcmp(before->who, shift->who) == 0)
            return false;
    }
    return true;
}

static void page_shifts(struct work *work, size_t at, bool is_night)
{
    const struct report_page *page = &work->in->pages[at];

    for (size_t i = 0; i < work->out->n_shifts; i++) {
        struct report_shift_row *row = &work->out->shifts[i];
        const struct report_shift *shift = &row->shift;

        if (page->at_ms < shift->from_ms || page->at_ms >= shift->to_ms ||
            (shift->who && strcmp(shift->who, page->who) != 0))
            continue;
        add_page(&row->load, is_night);
        row->load.incidents += is_first(work->in, at, shift);
    }
}

static int count_pages(struct work *work, struct err *reterr)
{
    const struct report_input *in = work->in;
    struct report *out = work->out;
    size_t at = 0;

    out->people = arena_array(work->arena, in->n_pages + 1, sizeof(*out->people));
    out->shifts = arena_array(work->arena, in->n_shifts + 1, sizeof(*out->shifts));
    if (!out->people || !out->shifts)
        return no_room(reterr);
    out->n_shifts = in->n_shifts;
    for (size_t i = 0; i < in->n_shifts; i++)
        out->shifts[i].shift = in->shifts[i];
    for (size_t i = 0; i < in->n_pages; i++) {
        const struct report_page *page = &in->pages[i];
        const struct report_shift whole = {page->who, in->from_ms, in->to_ms, NULL};

        if (!is_within(in, page->at_ms))
            continue;
        bool is_night = report_is_night(zone_of(in, page->who), page->at_ms);
        struct report_who_row *who = row_of_who(out, page->who);

        add_page(&out->load, is_night);
        add_page(&who->load, is_night);
        who->load.incidents += is_first(in, i, &whole);
        page_shifts(work, i, is_night);
        page_pairs(work, page, is_night, &at);
    }
    sort(out->people, out->n_people, sizeof(*out->people), who_order);
    return 0;
}

/* --- rules --- */

static void add_pair(struct report_rule_row *row, const struct pair *pair)
{
    row->load.incidents++;
    row->load.pages += pair->pages;
    row->load.night_pages += pair->night_pages;
    switch (pair->verdict) {
    case VERDICT_USEFUL: row->useful++; break;
    case VERDICT_NOISE: row->noise++; break;
    case VERDICT_UNKNOWN: row->unknown++; break;
    case VERDICT_NONE: row->unanswered++; break;
    }
}

static void judge_incident(struct report *out, const struct verdict_votes *votes)
{
    switch (verdict_of_votes(votes)) {
    case VERDICT_USEFUL: out->useful++; break;
    case VERDICT_NOISE: out->noise++; break;
    case VERDICT_UNKNOWN: out->unknown++; break;
    case VERDICT_NONE: out->unanswered++; break;
    }
}

/* Each incident once, by what its rules were found to be; while pairs are in its order. */
static void judge_incidents(struct work *work)
{
    struct report *out = work->out;

    for (size_t i = 0; i < work->n_pairs;) {
        int64_t incident_id = work->pairs[i].incident_id;
        struct verdict_votes votes = {0};
        bool counts = false;

        for (; i < work->n_pairs && work->pairs[i].incident_id == incident_id; i++) {
            add_vote(&votes, work->pairs[i].verdict);
            counts |= work->pairs[i].opened || work->pairs[i].pages > 0;
        }
        if (counts)
            judge_incident(out, &votes);
    }
    out->noise_share = report_wilson(out->noise, out->noise + out->useful);
}

static int count_rules(struct work *work, struct err *reterr)
{
    struct report *out = work->out;

    out->rules = arena_array(work->arena, work->n_pairs + 1, sizeof(*out->rules));
    if (!out->rules)
        return no_room(reterr);
    judge_incidents(work);
    sort(work->pairs, work->n_pairs, sizeof(*work->pairs), pair_by_rule);
    for (size_t i = 0; i < work->n_pairs; i++) {
        const struct pair *pair = &work->pairs[i];
        struct report_rule_row *row = out->n_rules ? &out->rules[out->n_rules - 1] : NULL;

        if (!pair->opened && pair->pages == 0)
            continue;
        if (!row || by_rule(row->rule_id, row->rule, pair->rule_id, pair->rule) != 0) {
            row = &out->rules[out->n_rules++];
            row->rule_id = pair->rule_id;
            row->rule = pair->rule;
        }
        add_pair(row, pair);
    }
    for (size_t i = 0; i < out->n_rules; i++)
        out->rules[i].noise_share = report_wilson(out->rules[i].noise,
                                                  out->rules[i].noise + out->rules[i].useful);
    return 0;
}

/* --- flapping --- */

static void note_flap(struct work *work, const struct report_flapping *found)
{
    struct report *out = work->out;

    for (size_t i = 0; i < out->n_rules; i++)
        if (by_rule(out->rules[i].rule_id, out->rules[i].rule, found->rule_id, found->rule) == 0 &&
            found->percent > out->rules[i].flap_percent)
            out->rules[i].flap_percent = found->percent;
    if (found->percent >= FLAP_HIGH_PERCENT)
        out->flapping[out->n_flapping++] = *found;
}

/* Changes of the span, alert by alert; the same change told in two incidents is one. */
static int count_flapping(struct work *work, struct err *reterr)
{
    struct report_input *in = work->in;
    struct report *out = work->out;
    int64_t *at_ms = arena_array(work->arena, in->n_changes + 1, sizeof(*at_ms));

    out->flapping = arena_array(work->arena, in->n_changes + 1, sizeof(*out->flapping));
    if (!at_ms || !out->flapping)
        return no_room(reterr);
    sort(in->changes, in->n_changes, sizeof(*in->changes), alert_order);
    for (size_t i = 0; i < in->n_changes;) {
        const struct report_change *first = &in->changes[i];
        bool was = !first->fires;
        size_t n = 0;

        for (;
             i < in->n_changes && in->changes[i].fingerprint == first->fingerprint &&
             by_rule(in->changes[i].rule_id, in->changes[i].rule, first->rule_id, first->rule) == 0;
             i++) {
            if (in->changes[i].fires == was)
                continue;
            was = in->changes[i].fires;
            if (is_within(in, in->changes[i].at_ms))
                at_ms[n++] = in->changes[i].at_ms;
        }
        note_flap(work,
                  &(struct report_flapping){first->rule_id, first->rule, first->instance,
                                            flap_percent(at_ms, n, first->step_ms), (unsigned)n});
    }
    sort(out->flapping, out->n_flapping, sizeof(*out->flapping), flapping_order);
    return 0;
}

int report_make(struct report_input *input,
                struct arena *arena,
                struct report *ret_report,
                struct err *reterr)
{
    struct report report = {.from_ms = input->from_ms, .to_ms = input->to_ms, .zone = input->zone};
    struct work work = {.in = input, .arena = arena, .out = &report};

    sort(input->incidents, input->n_incidents, sizeof(*input->incidents), incident_order);
    sort(input->pages, input->n_pages, sizeof(*input->pages), page_order);
    sort(input->changes, input->n_changes, sizeof(*input->changes), change_order);
    sort(input->votes, input->n_votes, sizeof(*input->votes), vote_order);
    int r = count_incidents(&work, reterr);
    if (r == 0)
        r = make_pairs(&work, reterr);
    if (r == 0)
        judge_pairs(&work);
    if (r == 0)
        r = count_pages(&work, reterr);
    if (r == 0)
        r = count_rules(&work, reterr);
    if (r == 0)
        r = count_flapping(&work, reterr);
    if (r)
        return r;
    sort(report.rules, report.n_rules, sizeof(*report.rules), rule_row_order);
    *ret_report = report;
    return 0;
}
