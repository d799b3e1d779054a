/*
 * Any text at all, read as alertd's config file: either it has a place where it is wrong, or
 * alerts find their way through it. As a file of tests it runs or is refused with words.
 */

#include <stdint.h>
#include <string.h>

#include "alertd/route/advice.h"
#include "alertd/route/test_run.h"
#include "alertd/route/tree.h"
#include "lib/base/bug.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *arg, unsigned line, unsigned column, const char *words)
{
    (void)arg;
    if (line == 0 || column == 0 || !words[0])
        UNREACHABLE("advice without a place or words");
}

static void walk(const struct route_config *config)
{
    static const struct label pairs[] = {
        {"alertname", "Down"}, {"severity", "page"}, {"team", "db"}, {"env", "dev"}};

    for (size_t n = 0; n <= sizeof(pairs) / sizeof(*pairs); n++) {
        const struct labels *alert = labels_new(pairs, n);
        struct route_walk taken;

        route_walk(config, alert, &taken);
        if (taken.n == 0)
            UNREACHABLE("nobody takes an alert");
        for (size_t i = 0; i < taken.n; i++) {
            const char *interval;

            (void)route_node_quiet(taken.at[i], (int64_t)(n * 37) * 3600000, &interval);
        }
        labels_unref(alert);
    }
}

static void run_tests(const uint8_t *data, size_t size, const struct route_config *config)
{
    STR_AUTO struct str diff = STR_INIT(64 * 1024);
    struct route_test_file *file = NULL;
    struct err err = {0};

    if (route_test_file_parse((const char *)data, size, &file, &err)) {
        if (!err.text[0])
            UNREACHABLE("tests refused without words");
        return;
    }
    for (size_t i = 0; i < file->n && i < 10; i++)
        if (file->tests[i].until_ms < 86400000)
            (void)route_test_run(config, &file->tests[i], &diff);
    route_test_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct route_config *config = NULL;
    const char *builtin = route_config_default_text();
    struct err err = {0};

    if (route_config_parse((const char *)data, size, "/etc", NULL, NULL, &config, &err) == 0) {
        route_config_advise(config, note, NULL);
        walk(config);
    } else if (!err.text[0]) {
        UNREACHABLE("refused without words");
    }
    route_config_unref(config);
    if (route_config_parse(builtin, strlen(builtin), NULL, NULL, NULL, &config, &err))
        UNREACHABLE("the default is no config");
    run_tests(data, size, config);
    route_config_unref(config);
    return 0;
}
