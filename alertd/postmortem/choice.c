/*
 * Which template an incident asks for. See choice.h.
 */

#include "alertd/postmortem/choice.h"

#include <string.h>

enum {
    MINUTE_MS = 60 * 1000,
    STANDARD_MS = 30 * MINUTE_MS,
    MAJOR_MS = 120 * MINUTE_MS,
};

#define DAYS(n) ((int64_t)(n)*24 * 60 * MINUTE_MS)

static bool is_one_of(const char *severity, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(severity, *words) == 0)
            return true;
    return false;
}

static bool is_first_class(const char *severity)
{
    static const char *const words[] = {"sev1", "SEV1", "p1", "P1", "emergency", NULL};

    return is_one_of(severity, words);
}

static bool is_second_class(const char *severity)
{
    static const char *const words[] = {"sev2", "SEV2", "p2", "P2", NULL};

    return is_one_of(severity, words);
}

static bool drill(const struct choice_input *input)
{
    return input->is_drill;
}

static bool near_miss(const struct choice_input *input)
{
    return input->is_near_miss;
}

static bool first_class(const struct choice_input *input)
{
    return is_first_class(input->severity);
}

static bool data_was_lost(const struct choice_input *input)
{
    return input->data_was_lost;
}

static bool several_scopes(const struct choice_input *input)
{
    return input->n_scopes > 1;
}

static bool recurrence(const struct choice_input *input)
{
    return input->is_recurrence;
}

static bool long_and_critical(const struct choice_input *input)
{
    return strcmp(input->severity, "critical") == 0 && input->duration_ms > MAJOR_MS;
}

static bool second_class(const struct choice_input *input)
{
    return is_second_class(input->severity);
}

static bool long_page(const struct choice_input *input)
{
    return input->was_paged && input->duration_ms > STANDARD_MS;
}

static bool anything(const struct choice_input *input)
{
    (void)input;
    return true;
}

static const struct {
    bool (*holds)(const struct choice_input *input);
    struct choice choice;
} rows[] = {
    {drill, {"debrief", DAYS(1), "it is a drill"}},
    {near_miss, {"near-miss", DAYS(5), "it was declared a near miss"}},
    {data_was_lost, {"major", DAYS(3), "data was lost"}},
    {first_class, {"major", DAYS(3), "its severity is of the first class"}},
    {several_scopes, {"major", DAYS(3), "it hit more than one scope"}},
    {recurrence, {"major", DAYS(3), "it happened before"}},
    {long_and_critical, {"major", DAYS(3), "it was critical for more than two hours"}},
    {second_class, {"standard", DAYS(5), "its severity is of the second class"}},
    {long_page, {"standard", DAYS(5), "somebody was paged, and it lasted more than 30 minutes"}},
    {anything, {"quick", DAYS(5), "it was short, or nobody was paged"}},
};

struct choice choice_make(const struct choice_input *input)
{
    size_t i = 0;

    while (!rows[i].holds(input)) /* the last row always does */
        i++;
    return rows[i].choice;
}

bool choice_row(size_t index, struct choice *ret_row)
{
    if (index >= sizeof(rows) / sizeof(*rows))
        return false;
    *ret_row = rows[index].choice;
    return true;
}
