/*
 * Says who is on call, for oncall_schedules.py: a file of rosters, one a line, each after
 * "FROM_MS TO_MS "; a line of JSON comes back for each, with every lane of every schedule.
 *
 *     oncall_answer FILE
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alertd/oncall/schedule.h"
#include "alertd/oncall/spelling.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    MEMORY_MAX = 256 * 1024 * 1024,
    FILE_MAX = 64 * 1024 * 1024,
};

static int answer(const char *line, size_t len, struct zones *zones)
{
    ARENA_AUTO struct arena arena;
    STR_AUTO struct str text = STR_INIT(MEMORY_MAX);
    struct json_out out = JSON_OUT(&text);
    struct roster roster;
    struct err err = {0};
    char *json = NULL;
    int64_t from_ms = strtoll(line, &json, 10);
    int64_t to_ms = strtoll(json, &json, 10);

    arena_init(&arena, MEMORY_MAX);
    if (roster_parse(json, len - (size_t)(json - line), zones, &arena, &roster, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return EXIT_FAILURE;
    }
    json_open(&out, '{');
    for (size_t i = 0; i < roster.n_schedules; i++) {
        struct schedule_spans spans;

        if (schedule_spans(&roster.schedules[i], roster.shadows, roster.n_shadows, from_ms, to_ms,
                           &arena, &spans, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            return EXIT_FAILURE;
        }
        json_key(&out, roster.schedules[i].name);
        json_open(&out, '{');
        json_key(&out, "final");
        lane_print(&spans.final, &out);
        json_key(&out, "rotation");
        lane_print(&spans.rotation, &out);
        json_key(&out, "gaps");
        lane_print(&spans.gaps, &out);
        json_key(&out, "shadows");
        lane_print(&spans.shadows, &out);
        json_close(&out, '}');
    }
    json_close(&out, '}');
    (void)puts(str_text(&text));
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct zones zones = {0};
    MEM_AUTO char *bytes = NULL;
    size_t len = 0;
    int status = EXIT_SUCCESS;

    if (argc != 2 || fs_read(argv[1], FILE_MAX, &bytes, &len, NULL))
        return EXIT_FAILURE;
    for (char *line = bytes; status == EXIT_SUCCESS && *line;) {
        char *end = strchr(line, '\n');

        if (!end)
            break;
        status = answer(line, (size_t)(end - line), &zones);
        line = end + 1;
    }
    zones_done(&zones);
    return status;
}
