/*
 * alertctl drill and check drills: offline, with the daemon's own engine.
 *
 * Exit status: 1 when a drill does not load or an expectation is not met, 3 when all load and
 * something is told.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/drill.h"
#include "lib/base/fs.h"
#include "lib/base/mem.h"

enum {
    OUTPUT_BYTES_MAX = 256 * 1024 * 1024
};

static enum ctl_exit fail_load(const struct drill_loaded *loaded)
{
    const struct err *err = &loaded->err;

    if (err->line)
        (void)fprintf(stderr, "%s:%u:%u: %s\n", loaded->path, err->line, err->column, err->text);
    else
        (void)fprintf(stderr, "%s: %s\n", loaded->path, err->text);
    return CTL_FAILURE;
}

/* --- check drills ------------------------------------------------------------------------------------ */

static enum ctl_exit check_one(const struct ctl *ctl, const char *path, size_t *n_told)
{
    struct drill_loaded loaded;
    struct drill_findings findings = {0};
    enum ctl_exit status = CTL_OK;

    if (!drill_load(path, ctl_option(ctl, "rules"), &loaded))
        return fail_load(&loaded);
    drill_check(loaded.drill_case, drill_load_read, &loaded, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        (void)printf("%s:%u:%u: %s: %s\n", path, findings.at[i].line, findings.at[i].column,
                     findings.at[i].is_error ? "error" : "warning", findings.at[i].text);
        if (findings.at[i].is_error)
            status = CTL_FAILURE;
    }
    *n_told += findings.n;
    drill_findings_done(&findings);
    drill_loaded_done(&loaded);
    return status;
}

enum ctl_exit cmd_check_drills(struct ctl *ctl)
{
    bool failed = false;
    size_t n_told = 0;

    for (int i = 0; i < ctl->n_arguments; i++)
        failed |= check_one(ctl, ctl->arguments[i], &n_told) != CTL_OK;
    if (!failed && n_told == 0)
        (void)printf("%d drill%s, nothing to say\n", ctl->n_arguments,
                     ctl->n_arguments == 1 ? "" : "s");
    if (failed)
        return CTL_FAILURE;
    return n_told ? CTL_FINDINGS : CTL_OK;
}

/* --- drill list ----------------------------------------------------------------------------------------- */

struct listing {
    struct drill **drills;
    char **paths;
    size_t n, capacity, paths_capacity;
    bool failed;
};

static int list_one(void *arg, const char *path, const char *text, size_t len, struct err *reterr)
{
    struct listing *listing = arg;
    struct drill *drill = NULL;
    struct err err = {0};

    if (drill_parse(text, len, &drill, &err) != 0) {
        (void)fprintf(stderr, "%s:%u:%u: %s\n", path, err.line, err.column, err.text);
        listing->failed = true;
        return 0;
    }
    listing->drills = mem_grow(listing->drills, &listing->capacity, listing->n + 1,
                               sizeof(struct drill *));
    listing->paths = mem_grow(listing->paths, &listing->paths_capacity, listing->n + 1,
                              sizeof(char *));

    size_t at = listing->n++; /* by their place on the path */

    for (; at > 0 && listing->drills[at - 1]->path > drill->path; at--) {
        listing->drills[at] = listing->drills[at - 1];
        listing->paths[at] = listing->paths[at - 1];
    }
    listing->drills[at] = drill;
    listing->paths[at] = mem_strdup(path);
    return 0;
}

static void list_json(const struct listing *listing, struct str *text)
{
    struct json_out out = JSON_OUT(text);

    json_open(&out, '[');
    for (size_t i = 0; i < listing->n; i++) {
        const struct drill *drill = listing->drills[i];

        json_open(&out, '{');
        json_kv_int(&out, "path", drill->path);
        json_kv_string(&out, "level", drill->level);
        json_kv_string(&out, "title", drill->title);
        json_kv_string(&out, "teaches", drill->teaches);
        json_kv_bool(&out, "real", drill->reconstructed != NULL);
        json_kv_string(&out, "file", listing->paths[i]);
        json_close(&out, '}');
    }
    json_close(&out, ']');
    str_addc(text, '\n');
}

static void list_human(const struct listing *listing, bool color, struct str *text)
{
    const char *level = "";

    for (size_t i = 0; i < listing->n; i++) {
        const struct drill *drill = listing->drills[i];
        const char *at = drill->level ? drill->level : "anybody";

        if (strcmp(level, at) != 0)
            str_addf(text, "%s%s%s%s\n", i ? "\n" : "", color ? "\033[1m" : "", at,
                     color ? "\033[0m" : "");
        level = at;
        str_addf(text, "  %2" PRId64 "  %s%s\n      %s%s%s\n      %s\n", drill->path, drill->title,
                 drill->reconstructed ? "  (really happened)" : "", color ? "\033[2m" : "",
                 drill->teaches ? drill->teaches : "", color ? "\033[0m" : "", listing->paths[i]);
    }
}

enum ctl_exit cmd_drill_list(struct ctl *ctl)
{
    STR_AUTO struct str pattern = STR_INIT(DRILL_PATH_MAX);
    STR_AUTO struct str text = STR_INIT(OUTPUT_BYTES_MAX);
    struct listing listing = {0};
    struct err err = {0};

    str_addf(&pattern, "%s/*.drill", ctl->n_arguments ? ctl->arguments[0] : "drills");
    if (fs_each(str_text(&pattern), DRILL_BYTES_MAX, list_one, &listing, &err) != 0)
        return ctl_fail(ctl, "%s", err.text);
    if (ctl->json)
        list_json(&listing, &text);
    else
        list_human(&listing, ctl->color, &text);
    (void)fputs(str_text(&text), stdout);
    for (size_t i = 0; i < listing.n; i++) {
        drill_free(listing.drills[i]);
        free(listing.paths[i]);
    }
    free(listing.drills);
    free(listing.paths);
    if (listing.n == 0 && !listing.failed)
        return ctl_fail(ctl, "no file ends with .drill in %s: which folder are they in?",
                        ctl->n_arguments ? ctl->arguments[0] : "drills");
    return listing.failed ? CTL_FAILURE : CTL_OK;
}

/* --- drill run -------------------------------------------------------------------------------------------- */

struct running {
    struct drill_loaded *loaded;
    size_t n_loaded;
    struct drill_job *jobs;
    size_t n_jobs, capacity;
    uint64_t seed;
};

static void add_job(struct running *running,
                    const struct drill_loaded *loaded,
                    const struct drill_player *player)
{
    running->jobs = mem_grow(running->jobs, &running->capacity, running->n_jobs + 1,
                             sizeof(*running->jobs));
    running->jobs[running->n_jobs++] = (struct drill_job){
        .loaded = loaded, .player = player, .seed = running->seed};
}

static enum ctl_exit add_players(const struct ctl *ctl,
                                 struct running *running,
                                 const struct drill_loaded *loaded)
{
    const struct drill *drill = loaded->drill_case->drill;
    const char *only = ctl_option(ctl, "player");

    if (only) {
        const struct drill_player *player = drill_player_find(drill, only);

        if (!player && strcmp(only, "nobody") != 0)
            return ctl_fail(ctl, "%s has no player '%s'", loaded->path, only);
        add_job(running, loaded, player);
        return CTL_OK;
    }
    for (size_t i = 0; i < drill->n_players; i++)
        add_job(running, loaded, &drill->players[i]);
    if (drill->n_players == 0)
        add_job(running, loaded, NULL);
    return CTL_OK;
}

static enum ctl_exit load_all(const struct ctl *ctl, struct running *running)
{
    enum ctl_exit status = CTL_OK;

    running->loaded = mem_zalloc((size_t)ctl->n_arguments * sizeof(*running->loaded));
    for (int i = 0; i < ctl->n_arguments; i++) {
        struct drill_loaded *loaded = &running->loaded[running->n_loaded++];

        if (!drill_load(ctl->arguments[i], ctl_option(ctl, "rules"), loaded))
            status = fail_load(loaded);
        else if (add_players(ctl, running, loaded) != CTL_OK)
            status = CTL_FAILURE;
    }
    return status;
}

static bool any_failed(const struct running *running)
{
    for (size_t i = 0; i < running->n_jobs; i++)
        if (running->jobs[i].played.n_failed)
            return true;
    return false;
}

static enum ctl_exit tell(const struct ctl *ctl, const struct running *running)
{
    STR_AUTO struct str text = STR_INIT(OUTPUT_BYTES_MAX);
    struct json_out out = JSON_OUT(&text);

    if (ctl->json) {
        drill_show_json(running->jobs, running->n_jobs, &out);
        str_addc(&text, '\n');
    } else if (running->n_jobs == 1) {
        drill_show_played(&running->jobs[0], ctl->color, true, &text);
    } else {
        for (size_t i = 0; i < running->n_jobs; i++)
            drill_show_line(&running->jobs[i], ctl->color, &text);
    }
    if (text.full)
        return ctl_fail(ctl, "the report is larger than %d MiB: run fewer drills at a time",
                        OUTPUT_BYTES_MAX >> 20);
    (void)fputs(str_text(&text), stdout);
    return any_failed(running) ? CTL_FAILURE : CTL_OK;
}

static enum ctl_exit read_seed(const struct ctl *ctl, uint64_t *ret_seed)
{
    const char *text = ctl_option(ctl, "seed");
    char *end = NULL;

    *ret_seed = 1;
    if (!text)
        return CTL_OK;
    errno = 0;
    *ret_seed = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
        return CTL_OK;
    (void)ctl_fail(ctl, "--seed is a whole number, not '%s'", text);
    return CTL_USAGE;
}

enum ctl_exit cmd_drill_run(struct ctl *ctl)
{
    struct running running = {0};
    enum ctl_exit status = read_seed(ctl, &running.seed);

    if (status != CTL_OK)
        return status;
    if (!ctl_option(ctl, "headless")) {
        (void)ctl_fail(ctl, "say --headless: here a drill is played by one of its own scripts");
        return CTL_USAGE;
    }
    status = load_all(ctl, &running);
    drill_play_all(running.jobs, running.n_jobs);

    enum ctl_exit told = tell(ctl, &running);

    for (size_t i = 0; i < running.n_jobs; i++)
        drill_played_done(&running.jobs[i].played);
    for (size_t i = 0; i < running.n_loaded; i++)
        drill_loaded_done(&running.loaded[i]);
    free(running.jobs);
    free(running.loaded);
    return status != CTL_OK ? status : told;
}

/* --- drill new ---------------------------------------------------------------------------------------------- */

static const char template[] =
    "drill \"What a newcomer will see first\"\n"
    "    level on-call\n"
    "    teaches \"one sentence: what somebody can do afterwards\"\n"
    "    brief \"You are on call for ...\"\n"
    "    interval 15s\n"
    "    length 1h30m\n"
    "    onset 20m\n"
    "    lead 10m # it begins up to so much earlier: nobody learns the minute by heart\n"
    "    rules blackbox # a pack of rules/, or a file beside this one\n"
    "    oncall ana after 5m ben # you are the first\n"
    "\n"
    "    series probe_success{job=\"blackbox\",instance=\"http://shop/\"} 1\n"
    "    fault set probe_success 0 from 20m until mended after 1m\n"
    "    at 18m deploy \"shop 1.42\"\n"
    "\n"
    "    by 22m expect page ana ProbeDown\n"
    "\n"
    "    graph probe_success\n"
    "    runbook blackbox#probedown\n"
    "    question what \"What is down?\" accept \"the shop\" ~\"shop\"\n"
    "    hypothesis deploy right \"the deploy broke it\" accept ~\"deploy|1\\.42|release\"\n"
    "    hypothesis network wrong \"the network\" accept ~\"network|dns\"\n"
    "    action rollback mends \"roll back to 1.41\" accept ~\"roll ?back|revert\"\n"
    "    action restart herring \"restart it\" accept ~\"restart\"\n"
    "    hint cost 1 \"What changed just before it began?\"\n"
    "    limit ack 5m\n"
    "    limit mitigation 20m\n"
    "\n"
    "    player perfect\n"
    "        at page+1m ack\n"
    "        then 30s query \"probe_success\"\n"
    "        then 1m runbook blackbox#probedown\n"
    "        then 2m hypothesis \"the deploy of 1.42\"\n"
    "        then 1m do \"roll back\"\n"
    "        expect ack <= 5m\n"
    "        expect mitigation < 10m\n"
    "        expect resolved ProbeDown\n"
    "\n"
    "    player slow\n"
    "        at page+8m ack\n"
    "        then 10m do \"roll back\"\n"
    "        expect ack > 5m\n"
    "        expect page ben ProbeDown\n"
    "\n"
    "    player wrong\n"
    "        at page+1m ack\n"
    "        then 1m hypothesis \"it is always dns\"\n"
    "        then 1m do \"restart it\"\n"
    "        expect right never\n"
    "        expect wrong = 1\n"
    "        expect herrings = 1\n";

enum ctl_exit cmd_drill_new(struct ctl *ctl)
{
    const char *path = ctl->arguments[0];
    FILE *file = fopen(path, "wxe"); /* never over somebody's work */

    if (!file)
        return ctl_fail(ctl, "%s: %s", path,
                        errno == EEXIST ? "there is such a file already" : "it can't be written");

    bool ok = fputs(template, file) >= 0;

    ok &= fclose(file) == 0;
    if (!ok)
        return ctl_fail(ctl, "%s: it could not be written", path);
    (void)printf("%s is a drill that runs: alertctl drill run --headless %s\n", path, path);
    return CTL_OK;
}
