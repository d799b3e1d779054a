#pragma once

/*
 * Between the readers of foreign timelines.
 */

#include "alertd/incident/foreign.h"

struct foreign {
    struct arena *arena;
    const struct foreign_input *input;
    struct foreign_event *events; /* room for FOREIGN_EVENTS_MAX */
    size_t n;
    unsigned line;
    int64_t shift_days; /* how many midnights times without a day have passed */
    int64_t before_ms;  /* the time of the last one; 0: none */
    struct err *reterr;
};

/* A place for another one, already of the kind human.note; NULL past the limit. */
struct foreign_event *foreign_add(struct foreign *foreign);
const char *foreign_keep(struct foreign *foreign, const char *text, size_t len);
/* A time at the start of text; *ret_len: how much of it that is. */
int foreign_time(struct foreign *foreign,
                 const char *text,
                 size_t len,
                 struct foreign_event *event,
                 size_t *ret_len);
int foreign_wrong(struct foreign *foreign, const char *words);

int foreign_read_csv(struct foreign *foreign);
int foreign_read_chat(struct foreign *foreign);
int foreign_read_pagerduty(struct foreign *foreign);
int foreign_read_alertmanager(struct foreign *foreign);
