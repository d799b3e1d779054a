#pragma once

/*
 * Which template an incident asks for, by when, and why: the first row of a small table
 * whose condition holds. docs/postmortem-templates.md prints the table.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct choice_input {
    const char *severity;
    bool is_drill;
    bool is_near_miss;
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

struct choice choice_make(const struct choice_input *input);

/* The table, for its page in the documentation: false past the end. */
bool choice_row(size_t index, struct choice *ret_row);
