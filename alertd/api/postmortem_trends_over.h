#pragma once

/*
 * What happens where, and what it comes from, over the months of a year: incidents by the services
 * of the catalogue, contributing factors of published documents by their tags.
 */

#include "alertd/db/db.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/json/write.h"

enum {
    TRENDS_NAMES_MAX = 2100, /* services, or tags; others are left out */
    TRENDS_SAID_MAX = 50,    /* factors of a tag that are listed; all are counted */
};

struct trends_factor {
    int64_t postmortem_id;
    const char *incident; /* its key */
    const char *text;
};

struct trends_line {
    const char *name; /* of a service, or tag; "": of none */
    int64_t months[12], n;
    struct trends_factor *said; /* the earliest first; NULL: of a service */
    size_t n_said;
};

struct trends_over {
    struct arena *arena;
    struct trends_line *services, *factors; /* most first */
    size_t n_services, n_factors;
    size_t n_documents; /* that name a factor */
    bool is_spent;
};

/* Of incidents that were opened in [from_ms, to_ms). Codes of the db. */
int trends_over_read(struct db_conn *conn,
                     int64_t from_ms,
                     int64_t to_ms,
                     struct arena *arena,
                     struct trends_over *ret_over,
                     struct err *reterr);
/* Members of an open object: services, factors, factors_in. */
void trends_over_json(const struct trends_over *over, struct json_out *out);
/* Two sections of the review. */
void trends_over_review(const struct trends_over *over, struct str *out);
