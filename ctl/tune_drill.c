/*
 * A drill as a past. See tune_drill.h.
 */

#include "ctl/tune_drill.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

static enum ctl_exit fail_load(const struct ctl *ctl, const struct drill_loaded *loaded)
{
    const struct err *err = &loaded->err;

    return err->line
               ? ctl_fail(ctl, "%s:%u:%u: %s", loaded->path, err->line, err->column, err->text)
               : ctl_fail(ctl, "%s: %s", loaded->path, err->text);
}

static enum ctl_exit read_job(const struct ctl *ctl,
                              const struct drill_loaded *loaded,
                              struct drill_job *job)
{
    const char *player = ctl_option(ctl, "player");
    const char *seed = ctl_option(ctl, "seed");
    char *end = NULL;

    *job = (struct drill_job){.loaded = loaded, .seed = 1};
    errno = 0;
    if (seed)
        job->seed = strtoull(seed, &end, 10);
    if (seed && (errno || *end || end == seed)) {
        (void)ctl_fail(ctl, "--seed is a number");
        return CTL_USAGE;
    }
    if (!player || strcmp(player, "nobody") == 0)
        return CTL_OK;
    job->player = drill_player_find(loaded->drill_case->drill, player);
    return job->player ? CTL_OK : ctl_fail(ctl, "%s has no player '%s'", loaded->path, player);
}

enum ctl_exit tune_drill_play(const struct ctl *ctl,
                              const char *path,
                              struct tune_drill **ret_drill)
{
    struct tune_drill *drill = mem_zalloc(sizeof(*drill));
    struct drill_job job;
    enum ctl_exit status = drill_load(path, ctl_option(ctl, "rules"), &drill->loaded)
                               ? read_job(ctl, &drill->loaded, &job)
                               : fail_load(ctl, &drill->loaded);

    if (status != CTL_OK) {
        tune_drill_free(drill);
        return status;
    }
    drill_play_all(&job, 1);
    drill->played = job.played;
    drill->past = drill_past_of(drill->loaded.drill_case, drill->played.world);
    drill->title = mem_strdup(drill->loaded.drill_case->drill->title);
    *ret_drill = drill;
    return CTL_OK;
}

void tune_drill_free(struct tune_drill *drill)
{
    if (!drill)
        return;
    if (drill->played.world)
        drill_played_done(&drill->played);
    drill_loaded_done(&drill->loaded);
    free(drill->title);
    free(drill->url);
    free(drill);
}
