#pragma once

/*
 * Which template an incident asks for, by when, and why: the first row of a small table whose
 * conditions all hold. What ships is only a beginning: an alertd may have another (docs/api.md).
 * docs/postmortem-templates.md prints the one that ships.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choice_input {
    const char *severity;
    const char *origin; /* "real", "near_miss", "drill", "import" */
    bool is_recurrence;
    bool was_paged;
    bool data_was_lost; /* said so: a tag or label data_loss */
    unsigned n_scopes;  /* of impact */
    int64_t duration_ms;
};

struct choice {
    const char *template_name;
    int64_t due_ms; /* after the incident was resolved */
    const char *why;
};

/* What is not asked for is false, NULL or 0. */
struct choice_rule {
    struct choice choice;
    const char *origin;
    const char *severities; /* words with a blank between them, any of which; case does not count */
    bool data_was_lost, is_recurrence, was_paged;
    unsigned scopes_over;
    int64_t longer_than_ms;
};
struct choice_table {
    const struct choice_rule *rules;
    size_t n;
};
extern const struct choice_table choice_builtin; /* its last row always holds */

/* The first that holds, else the last one that ships. */
struct choice choice_make(const struct choice_input *input, const struct choice_table *table);
