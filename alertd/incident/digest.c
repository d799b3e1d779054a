/*
 * A flood in one page: what is counted. See digest.h; its words are in digest_words.c.
 */

#include "alertd/incident/digest.h"

#include <stdlib.h>
#include <string.h>

#include "alertd/incident/digest_words.h"

/* An alert and which page it is from: the last one says what it is now. */
struct sighting {
    const struct incident_alert *alert;
    size_t page;
};

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static int check(const struct page *pages, size_t n_pages, struct err *reterr)
{
    if (n_pages == 0 || n_pages > DIGEST_PAGES_MAX)
        return err_set(reterr, DIGEST_E_PAGES, "a digest is of 1 to %d pages", DIGEST_PAGES_MAX);
    for (size_t i = 0; i < n_pages; i++)
        if (pages[i].digest || !same_text(pages[i].receiver, pages[0].receiver) ||
            !same_text(pages[i].lane, pages[0].lane))
            return err_set(reterr, DIGEST_E_PAGES,
                           "a digest is of pages about incidents, of one receiver and lane");
    return 0;
}

/* --- incidents --- */

static int worst_first(const void *a, const void *b)
{
    const struct incident *x = &((const struct digest_incident *)a)->page->incident;
    const struct incident *y = &((const struct digest_incident *)b)->page->incident;
    bool x_over = x->status == INCIDENT_RESOLVED;
    bool y_over = y->status == INCIDENT_RESOLVED;
    unsigned x_rank = incident_severity_rank(x->severity);
    unsigned y_rank = incident_severity_rank(y->severity);

    if (x_over != y_over)
        return x_over ? 1 : -1;
    if (x_rank != y_rank)
        return x_rank < y_rank ? 1 : -1;
    if (x->opened_at_ms != y->opened_at_ms)
        return x->opened_at_ms < y->opened_at_ms ? -1 : 1;
    return strcmp(x->key, y->key);
}

static struct digest_incident *find_incident(struct digest_counts *counts, const char *key)
{
    for (size_t i = 0; i < counts->n_incidents; i++)
        if (strcmp(counts->incidents[i].page->incident.key, key) == 0)
            return &counts->incidents[i];
    return NULL;
}

static bool collect_incidents(const struct page *pages,
                              size_t n_pages,
                              struct arena *arena,
                              struct digest_counts *counts)
{
    counts->incidents = arena_array(arena, n_pages, sizeof(*counts->incidents));
    if (!counts->incidents)
        return false;
    for (size_t i = 0; i < n_pages; i++) {
        struct digest_incident *known = find_incident(counts, pages[i].incident.key);

        if (!known)
            known = &counts->incidents[counts->n_incidents++];
        known->page = &pages[i];
        known->n_pages++;
        if (pages[i].owed_at_ms < counts->oldest_ms)
            counts->oldest_ms = pages[i].owed_at_ms;
    }
    qsort(counts->incidents, counts->n_incidents, sizeof(*counts->incidents), worst_first);
    for (size_t i = 0; i < counts->n_incidents; i++) {
        const struct page *page = counts->incidents[i].page;

        counts->n_over += page->incident.status == INCIDENT_RESOLVED;
        if (page->incident.n_alerts > page->n_alerts)
            counts->n_not_carried += page->incident.n_alerts - page->n_alerts;
    }
    return true;
}

/* --- alerts --- */

/* The same alert beside itself, the last sighting first. */
static int by_identity(const void *a, const void *b)
{
    const struct sighting *x = a;
    const struct sighting *y = b;

    if (x->alert->rule_id != y->alert->rule_id)
        return x->alert->rule_id < y->alert->rule_id ? -1 : 1;
    if (x->alert->fingerprint != y->alert->fingerprint)
        return x->alert->fingerprint < y->alert->fingerprint ? -1 : 1;
    return x->page > y->page ? -1 : x->page < y->page;
}

/* Firing first, worst first, oldest first. */
static int by_weight(const void *a, const void *b)
{
    const struct incident_alert *x = *(const struct incident_alert *const *)a;
    const struct incident_alert *y = *(const struct incident_alert *const *)b;
    unsigned x_rank = incident_severity_rank(labels_get(x->labels, "severity"));
    unsigned y_rank = incident_severity_rank(labels_get(y->labels, "severity"));

    if (x->firing != y->firing)
        return x->firing ? -1 : 1;
    if (x_rank != y_rank)
        return x_rank < y_rank ? 1 : -1;
    if (x->fired_at_ms != y->fired_at_ms)
        return x->fired_at_ms < y->fired_at_ms ? -1 : 1;
    if (x->fingerprint != y->fingerprint)
        return x->fingerprint < y->fingerprint ? -1 : 1;
    return 0;
}

static bool collect_alerts(const struct page *pages,
                           size_t n_pages,
                           struct arena *arena,
                           struct digest_counts *counts)
{
    struct sighting *seen;
    size_t n = 0;

    for (size_t i = 0; i < n_pages; i++)
        n += pages[i].n_alerts;
    seen = arena_array(arena, n + 1, sizeof(*seen));
    counts->alerts = arena_array(arena, n + 1, sizeof(const struct incident_alert *));
    if (!seen || !counts->alerts)
        return false;
    n = 0;
    for (size_t i = 0; i < n_pages; i++)
        for (size_t j = 0; j < pages[i].n_alerts; j++)
            seen[n++] = (struct sighting){&pages[i].alerts[j], i};
    qsort(seen, n, sizeof(*seen), by_identity);
    for (size_t i = 0; i < n; i++) {
        const struct incident_alert *alert = seen[i].alert;

        if (i > 0 && seen[i - 1].alert->rule_id == alert->rule_id &&
            seen[i - 1].alert->fingerprint == alert->fingerprint)
            continue;
        counts->alerts[counts->n_alerts++] = alert;
        counts->n_firing += alert->firing;
    }
    qsort(counts->alerts, counts->n_alerts, sizeof(const struct incident_alert *), by_weight);
    return true;
}

/* --- tallies --- */

static int by_words(const void *a, const void *b)
{
    const struct digest_tally *x = a;
    const struct digest_tally *y = b;
    int order = strcmp(x->name ? x->name : "", y->name ? y->name : "");

    return order ? order : strcmp(x->word, y->word);
}

static int most_first(const void *a, const void *b)
{
    const struct digest_tally *x = a;
    const struct digest_tally *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return by_words(a, b);
}

static int worst_word_first(const void *a, const void *b)
{
    const struct digest_tally *x = a;
    const struct digest_tally *y = b;
    unsigned x_rank = incident_severity_rank(x->word);
    unsigned y_rank = incident_severity_rank(y->word);

    if (x_rank != y_rank)
        return x_rank < y_rank ? 1 : -1;
    return most_first(a, b);
}

/* Equal words become one with their number; how many are left. */
static size_t merge(struct digest_tally *tallies, size_t n)
{
    size_t kept = 0;

    if (n > 0)
        qsort(tallies, n, sizeof(*tallies), by_words);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && by_words(&tallies[kept - 1], &tallies[i]) == 0)
            tallies[kept - 1].n += tallies[i].n;
        else
            tallies[kept++] = tallies[i];
    }
    return kept;
}

static bool tally_words(struct arena *arena, struct digest_counts *counts)
{
    size_t n = counts->n_alerts;

    counts->names = arena_array(arena, n + 1, sizeof(*counts->names));
    counts->severities = arena_array(arena, n + 1, sizeof(*counts->severities));
    if (!counts->names || !counts->severities)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *severity = labels_get(counts->alerts[i]->labels, "severity");

        counts->names[i] = (struct digest_tally){NULL, counts->alerts[i]->name, 1};
        counts->severities[i] = (struct digest_tally){
            NULL, severity && *severity ? severity : "no severity", 1};
    }
    counts->n_names = merge(counts->names, n);
    counts->n_severities = merge(counts->severities, n);
    qsort(counts->names, counts->n_names, sizeof(*counts->names), most_first);
    qsort(counts->severities, counts->n_severities, sizeof(*counts->severities), worst_word_first);
    return true;
}

static bool tells_something(const char *label)
{
    return strcmp(label, "alertname") != 0 && strcmp(label, "severity") != 0;
}

/* What the alerts have in common: pairs that at least two of them have. */
static bool tally_labels(struct arena *arena, struct digest_counts *counts)
{
    size_t n = 0;

    for (size_t i = 0; i < counts->n_alerts; i++)
        n += counts->alerts[i]->labels->n;
    counts->labels = arena_array(arena, n + 1, sizeof(*counts->labels));
    if (!counts->labels)
        return false;
    n = 0;
    for (size_t i = 0; i < counts->n_alerts; i++) {
        const struct labels *labels = counts->alerts[i]->labels;

        for (uint32_t j = 0; j < labels->n; j++)
            if (tells_something(labels->at[j].name))
                counts->labels[n++] = (struct digest_tally){labels->at[j].name, labels->at[j].value,
                                                            1};
    }
    n = merge(counts->labels, n);
    if (n > 0)
        qsort(counts->labels, n, sizeof(*counts->labels), most_first);
    while (counts->n_labels < n && counts->labels[counts->n_labels].n > 1)
        counts->n_labels++;
    return true;
}

/* --- the page --- */

/* The alerts as an array of their own, as pages carry them. */
static bool carry_alerts(const struct digest_counts *counts,
                         struct arena *arena,
                         struct page *ret_page)
{
    size_t n = counts->n_alerts < PAGE_ALERTS_MAX ? counts->n_alerts : PAGE_ALERTS_MAX;
    struct incident_alert *alerts = arena_array(arena, n + 1, sizeof(*alerts));

    if (!alerts)
        return false;
    for (size_t i = 0; i < n; i++)
        alerts[i] = *counts->alerts[i];
    ret_page->alerts = alerts;
    ret_page->n_alerts = n;
    return true;
}

static bool make_page(const struct digest_counts *counts,
                      const struct page *last,
                      struct arena *arena,
                      struct page *ret_page)
{
    const struct page *worst = counts->incidents[0].page;
    struct page page = *last;
    struct page_digest *digest;

    page.incident = worst->incident;
    page.incident.labels = labels_empty();
    page.incident.group_key = "{}:{}";
    page.group_key = "{}:{}"; /* a group of its own: what ends one of them is not it */
    page.group = labels_empty();
    page.incident.n_alerts = (unsigned)(counts->n_alerts + counts->n_not_carried);
    page.incident.n_firing = (unsigned)counts->n_firing;
    page.incident_url = worst->incident_url;
    page.root_id = worst->root_id;
    page.acknowledge_url = NULL; /* it would acknowledge one of many */
    page.n_told = counts->n_alerts + counts->n_not_carried;
    page.reason = "digest";
    page.owed_at_ms = counts->oldest_ms;
    if (!page.lane || strcmp(page.lane, "page") == 0)
        page.lane = "digest";
    if (!carry_alerts(counts, arena, &page) ||
        !digest_words(counts, worst->external_url ? worst->external_url : worst->incident_url,
                      arena, &digest))
        return false;
    page.digest = digest;
    *ret_page = page;
    return true;
}

int digest_fold(const struct page *pages,
                size_t n_pages,
                struct arena *arena,
                struct page *ret_page,
                struct err *reterr)
{
    struct digest_counts counts = {.n_pages = n_pages};
    int r = check(pages, n_pages, reterr);

    if (r)
        return r;
    counts.oldest_ms = pages[0].owed_at_ms;
    counts.now_ms = pages[n_pages - 1].now_ms;
    if (!collect_incidents(pages, n_pages, arena, &counts) ||
        !collect_alerts(pages, n_pages, arena, &counts) || !tally_words(arena, &counts) ||
        !tally_labels(arena, &counts) || !make_page(&counts, &pages[n_pages - 1], arena, ret_page))
        return err_set(reterr, DIGEST_E_MEMORY, "the pages are too large for one digest");
    return 0;
}
