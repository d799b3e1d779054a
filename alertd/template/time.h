#pragma once

/*
 * An instant taken apart. Shared by the files about time in template/.
 */

#include "alertd/template/engine.h"
#include "lib/model/zone.h"

struct tmpl_time {
    struct zone_local local;
    int year_day; /* 1..366 */
    int ns;       /* behind the second */
    int64_t unix_s;
};

struct tmpl_time tmpl_time_of(const struct value *time);

extern const char *const tmpl_month_names[12];
extern const char *const tmpl_day_names[7];
