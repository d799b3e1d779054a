/*
 * Words of the config file beside our own. See words.h.
 */

#include "alertd/deliver/words.h"

#include <stdio.h>
#include <string.h>

#include "alertd/deliver/render.h"
#include "lib/model/fingerprint.h"

void words_done(struct words *words)
{
    arena_reset(&words->arena);
}

/* --- A page as Alertmanager's data -------------------------------------------------------- */

static const struct labels *side_of(const struct incident_alert *alert, bool annotations)
{
    return annotations ? alert->annotations : alert->labels;
}

static bool is_shared(const struct page *page, const struct label *pair, bool annotations)
{
    for (size_t i = 1; i < page->n_alerts; i++) {
        const char *value = labels_get(side_of(&page->alerts[i], annotations), pair->name);

        if (!value || strcmp(value, pair->value) != 0)
            return false;
    }
    return true;
}

/* The pairs that all alerts share. */
static const struct labels *common(struct words *words, bool annotations)
{
    const struct page *page = words->page;
    const struct labels *first = page->n_alerts ? side_of(&page->alerts[0], annotations) : NULL;
    struct label *pairs = arena_array(&words->arena, first ? first->n + 1 : 1, sizeof(*pairs));
    size_t n = 0;

    for (uint32_t i = 0; first && pairs && i < first->n; i++)
        if (is_shared(page, &first->at[i], annotations))
            pairs[n++] = first->at[i];
    return pairs ? labels_in_arena(&words->arena, pairs, n) : NULL;
}

static bool fill_alert(struct words *words,
                       const struct incident_alert *from,
                       struct notice_alert *alert)
{
    STR_AUTO struct str url = STR_INIT(16384);
    char fingerprint[FINGERPRINT_TEXT];

    render_explore_url(words->page, from, &url);
    (void)fingerprint_text(from->labels, fingerprint);
    *alert = (struct notice_alert){
        .is_firing = from->firing,
        .labels = from->labels,
        .annotations = from->annotations,
        .starts_at_ms = from->fired_at_ms,
        .ends_at_ms = from->firing ? INT64_MIN : from->resolved_at_ms,
        .generator_url = arena_strndup(&words->arena, str_text(&url), url.len),
        .fingerprint = arena_strndup(&words->arena, fingerprint, strlen(fingerprint)),
    };
    return alert->generator_url && alert->fingerprint;
}

/* NULL: the arena is spent. */
static const struct notice_data *data_of(struct words *words)
{
    const struct page *page = words->page;
    struct notice_data *data = arena_alloc(&words->arena, sizeof(*data));
    struct notice_alert *alerts = arena_array(&words->arena, page->n_alerts + 1, sizeof(*alerts));
    bool is_whole = data && alerts;

    for (size_t i = 0; is_whole && i < page->n_alerts; i++)
        is_whole = fill_alert(words, &page->alerts[i], &alerts[i]);
    if (!is_whole)
        return NULL;
    *data = (struct notice_data){
        .receiver = page->receiver,
        .status = render_is_over(page) ? "resolved" : "firing",
        .reason = page->reason,
        .external_url = page->external_url,
        .alerts = alerts,
        .n_alerts = page->n_alerts,
        .has_alerts = true,
        .group_labels = page->group ? page->group : labels_empty(),
        .common_labels = common(words, false),
        .common_annotations = common(words, true),
        .route_labels = page->route ? page->route : labels_empty(),
        .now_ms = page->now_ms,
    };
    return data->common_labels && data->common_annotations ? data : NULL;
}

/* --- Fields ------------------------------------------------------------------------------ */

/* The first one is told: the others mostly have the same cause. */
static void note_error(struct words *words, const char *key, const struct err *err)
{
    struct deliver_outcome *outcome = words->outcome;

    if (outcome->template_error[0])
        return;
    if (err->line)
        (void)snprintf(outcome->template_error, sizeof(outcome->template_error),
                       "%.60s: %u:%u: %.280s", key, err->line, err->column, err->text);
    else
        (void)snprintf(outcome->template_error, sizeof(outcome->template_error), "%.60s: %.280s",
                       key, err->text);
}

static const char *expand(struct words *words,
                          const struct tmpl *template,
                          const char *key,
                          bool is_html)
{
    STR_AUTO struct str out = STR_INIT(WORDS_TEXT_BYTES_MAX);
    struct err err = {0};
    const char *text = NULL;

    if (!words->data)
        words->data = data_of(words);
    if (!words->data)
        (void)err_set(&err, TMPL_E_EXPAND, "too many alerts for a template");
    else if (notice_expand(template, words->data, is_html, &out, &err) == 0)
        text = arena_strndup(&words->arena, str_text(&out), out.len);
    if (!text)
        note_error(words, key, &err);
    return text;
}

/* {{ template "slack.default.title" . }}, when that is no longer what is built in. */
static const char *expand_usual(struct words *words, const char *usual, bool is_html)
{
    const struct route_texts *texts = words->to->texts;
    STR_AUTO struct str call = STR_INIT(200);
    struct tmpl *template = NULL;
    struct err err = {0};

    if (!texts || !tmpl_library_is_users(&texts->library, usual))
        return NULL;
    str_addf(&call, "{{ template \"%s\" . }}", usual);
    const char *text = arena_strndup(&words->arena, str_text(&call), call.len);
    if (text && notice_parse(&texts->library, &words->arena, text, &template, &err) == 0)
        return expand(words, template, usual, is_html);
    note_error(words, usual, &err);
    return NULL;
}

const char *words_said(struct words *words, const char *text, const char *usual, bool is_html)
{
    const struct route_text *known;

    if (!text)
        return usual ? expand_usual(words, usual, is_html) : NULL;
    if (!strstr(text, "{{"))
        return text;
    known = words->to->texts ? route_text_find(words->to->texts, text) : NULL;
    return known ? expand(words, known->parsed, known->key, is_html) : NULL;
}

void words_cut(struct str *text, size_t max)
{
    static const char ellipsis[] = "\u2026";
    size_t keep = max > sizeof(ellipsis) - 1 ? max - (sizeof(ellipsis) - 1) : 0;
    const char *at = str_text(text);

    if (text->len <= max)
        return;
    while (keep > 0 && ((unsigned char)at[keep] & 0xC0) == 0x80)
        keep--;
    str_cut(text, keep);
    str_add(text, ellipsis);
}
