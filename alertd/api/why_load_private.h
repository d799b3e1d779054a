#pragma once

/*
 * Inside why_load.h: what its files share. Nobody else includes this.
 *
 *   why_load.c     which alert, its rows, the config of then, silences, its incident
 *   why_samples.c  what samples of ALERTS say: its state, what else fired
 *   why_groups.c   its groups, what was told of them, whom a policy would page
 */

#include <errno.h>

#include "alertd/api/why_load.h"

struct why_loading {
    const struct api *api;
    const struct why_question *question;
    struct why_known *known;
    struct db_conn *conn;
    struct err *reterr;
    int result; /* of callbacks */
};

int why_no_room(struct why_loading *loading);

/* The state of a rule's alert at a past instant, when its row does not reach back so far. */
int why_ask_samples(struct why_loading *loading);
/* What fired then. */
int why_sources_then(struct why_loading *loading);
int why_load_groups(struct why_loading *loading);
int why_load_policies(struct why_loading *loading);
