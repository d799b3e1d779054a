/*
 * Any text at all as a drill: refused with words, or printed so that it prints the same again,
 * and played when it is short, twice, with the same moments.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/drill/check.h"
#include "alertd/drill/headless.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    PLAYED_MAX_MS = 10 * 60 * 1000,
    SERIES_MAX = 20,
};

static const char rules_text[] = "groups:\n- name: g\n  interval: 15s\n  rules:\n"
                                 "  - {alert: A, expr: '{__name__=~\".+\"} > 0', for: 1m}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_file(void *arg,
                     enum drill_read_what what,
                     const char *name,
                     char **ret_text,
                     size_t *ret_len,
                     struct err *reterr)
{
    const char *text = what == DRILL_READ_PACK ? rules_text : arg;

    *ret_text = mem_strdup(text);
    *ret_len = strlen(text);
    return 0;
}

static void check_print(const struct drill *drill)
{
    STR_AUTO struct str once = STR_INIT(4 * DRILL_BYTES_MAX), twice = STR_INIT(4 * DRILL_BYTES_MAX);
    struct drill *again = NULL;
    struct err err = {0};

    drill_print(drill, &once);
    if (once.len > DRILL_BYTES_MAX)
        return;
    if (drill_parse(str_text(&once), once.len, &again, &err) != 0)
        UNREACHABLE("what was printed can't be read");
    drill_print(again, &twice);
    if (strcmp(str_text(&once), str_text(&twice)) != 0)
        UNREACHABLE("it prints another way the second time");
    drill_free(again);
}

static void play(const struct drill_case *made)
{
    struct drill_played one, two;

    drill_play(made, made->drill->players, 1, &one);
    drill_play(made, made->drill->players, 1, &two);
    if (one.hash != two.hash)
        UNREACHABLE("the same seed, another drill");
    drill_played_done(&one);
    drill_played_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    MEM_AUTO char *text = mem_strndup((const char *)data, size);
    struct drill_findings findings = {0};
    struct drill_case *made = NULL;
    struct drill *drill = NULL;
    struct err err = {0};

    if (drill_parse((const char *)data, size, &drill, &err) != 0) {
        if (!err.text[0])
            UNREACHABLE("refused without words");
        return 0;
    }
    check_print(drill);

    bool is_short = drill->length_ms <= PLAYED_MAX_MS && drill->lead_ms <= PLAYED_MAX_MS &&
                    drill->n_series <= SERIES_MAX;

    if (drill_case_new(drill, read_file, text, &made, &err) != 0)
        return 0;
    drill_check(made, read_file, text, &findings);
    if (is_short && made->n_points <= SERIES_MAX)
        play(made);
    drill_findings_done(&findings);
    drill_case_free(made);
    return 0;
}
