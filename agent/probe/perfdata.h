#pragma once

/*
 * What Nagios plugins print behind the bar:
 *
 *     DISK OK - free space: / 75 GB|/=23GB;80;90;0;100 'a b'=1;;;
 *                                   label=value[unit];warn;crit;min;max
 *
 * Labels with blanks stand in single quotes, in which '' is one quote. Values in
 * ms, us, KB, MiB and so on are brought to seconds and bytes (1 KB = 1024 bytes, as
 * the plugins count), so that one rule fits all plugins. What does not parse is
 * skipped to the next blank: plugins of thirty years are not all correct.
 */

#include <stdbool.h>
#include <stddef.h>

enum {
    PERFDATA_LABEL_MAX = 128,
    PERFDATA_ITEMS_MAX = 256, /* of one run */
};

enum perfdata_bound {
    PERFDATA_WARN,
    PERFDATA_CRIT,
    PERFDATA_MIN,
    PERFDATA_MAX,
    PERFDATA_N_BOUNDS,
};

struct perfdata_item {
    char label[PERFDATA_LABEL_MAX];
    const char *unit; /* "s", "B", "%", "c" (a counter) or "": static text */
    double value;
    bool has[PERFDATA_N_BOUNDS];
    double bound[PERFDATA_N_BOUNDS]; /* in the same unit; of a range its upper end */
};

/* The next item at *text, which moves behind it; false at the end. */
bool perfdata_next(const char **text, struct perfdata_item *ret_item);

/* Divides a plugin's output in place: the perfdata of all its lines are moved
 * together, separated by blanks, into *ret_perfdata; returns the first line's words. */
char *perfdata_split(char *output, char **ret_perfdata);
