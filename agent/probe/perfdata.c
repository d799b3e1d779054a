/*
 * What Nagios plugins print behind the bar. See perfdata.h.
 */

#include "agent/probe/perfdata.h"

#include <string.h>
#include <strings.h>

#include "lib/base/float.h"

static const struct {
    const char *text;
    const char *unit;
    double scale;
} units[] = {
    {"", "", 1},
    {"s", "s", 1},
    {"ms", "s", 1e-3},
    {"us", "s", 1e-6},
    {"ns", "s", 1e-9},
    {"%", "%", 1},
    {"c", "c", 1},
    {"B", "B", 1},
    {"KB", "B", 1024.0},
    {"MB", "B", 1048576.0},
    {"GB", "B", 1073741824.0},
    {"TB", "B", 1099511627776.0},
    {"PB", "B", 1125899906842624.0},
    {"KiB", "B", 1024.0},
    {"MiB", "B", 1048576.0},
    {"GiB", "B", 1073741824.0},
    {"TiB", "B", 1099511627776.0},
};

/* The label up to its '='; NULL when there is none before the next blank. */
static const char *read_label(const char *at, char label[PERFDATA_LABEL_MAX])
{
    bool in_quotes = *at == '\'';
    size_t len = 0;

    if (in_quotes)
        at++;
    for (;; at++) {
        if (*at == '\0' || (!in_quotes && (*at == ' ' || *at == '\n')))
            return NULL;
        if (in_quotes && *at == '\'') {
            if (at[1] != '\'')
                break;
            at++;
        } else if (!in_quotes && *at == '=') {
            break;
        }
        if (len + 1 < PERFDATA_LABEL_MAX)
            label[len++] = *at;
    }
    label[len] = '\0';
    if (in_quotes)
        at++;
    return *at == '=' && len ? at + 1 : NULL;
}

/* How much of [at, end) is a number. */
static size_t number_length(const char *at, const char *end)
{
    size_t len = 0;

    while (at + len < end) {
        char c = at[len];
        bool is_exponent_sign = (c == '+' || c == '-') && len && (at[len - 1] | 0x20) == 'e';
        bool is_exponent = (c | 0x20) == 'e' && len && at + len + 1 < end &&
                           strchr("+-0123456789", at[len + 1]);

        if (!((c >= '0' && c <= '9') || c == '.' || (c == '-' && len == 0) || is_exponent_sign ||
              is_exponent))
            break;
        len++;
    }
    return len;
}

/* KB and kB are the same; C (degrees) and c (a counter), b (bits) and B are not. */
static bool is_unit(const char *text, size_t len, const char *unit)
{
    if (strlen(unit) != len)
        return false;
    return len > 1 ? strncasecmp(text, unit, len) == 0 : memcmp(text, unit, len) == 0;
}

/* "23GB" -> 23 * 2^30 and "B"; false for "U" (not known) and what is no number. */
static bool read_value(const char *at,
                       const char *end,
                       struct perfdata_item *item,
                       double *ret_scale)
{
    size_t len = number_length(at, end);
    size_t unit_len = (size_t)(end - at) - len;

    if (len == 0 || float_parse(at, len, &item->value) < 0)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (is_unit(at + len, unit_len, units[i].text)) {
            item->unit = units[i].unit;
            item->value *= units[i].scale;
            *ret_scale = units[i].scale;
            return true;
        }
    item->unit = "";
    *ret_scale = 1;
    return true;
}

/* "90", "10:90", "~:90": the upper end, which is what people set. "@10:20" (alert
 * inside) and "10:" (no upper end) give none. */
static bool read_bound(const char *at, const char *end, double scale, double *ret_bound)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    double value;

    if (at == end || *at == '@')
        return false;
    if (colon)
        at = colon + 1;
    if (number_length(at, end) == 0 || float_parse(at, number_length(at, end), &value) < 0)
        return false;
    *ret_bound = value * scale;
    return true;
}

/* One "label=value;w;c;m;x" that ends at `end`; `at` is behind the '='. */
static bool read_item(const char *at, const char *end, struct perfdata_item *item)
{
    double scale = 1;
    const char *stop = memchr(at, ';', (size_t)(end - at));

    stop = stop ? stop : end;
    if (!read_value(at, stop, item, &scale))
        return false;
    for (int i = 0; i < PERFDATA_N_BOUNDS; i++) {
        item->has[i] = false;
        if (stop == end)
            continue;
        at = stop + 1;
        stop = memchr(at, ';', (size_t)(end - at));
        stop = stop ? stop : end;
        item->has[i] = read_bound(at, stop, scale, &item->bound[i]);
    }
    return true;
}

bool perfdata_next(const char **text, struct perfdata_item *ret_item)
{
    for (;;) {
        const char *at = *text + strspn(*text, " \t\r\n");

        if (!*at) {
            *text = at;
            return false;
        }

        const char *value = read_label(at, ret_item->label);
        const char *from = value ? value : at;
        const char *end = from + strcspn(from, " \t\r\n");

        *text = end;
        if (value && read_item(value, end, ret_item))
            return true;
    }
}

char *perfdata_split(char *output, char **ret_perfdata)
{
    char *feed = strchr(output, '\n');
    char *rest = feed ? feed + 1 : output + strlen(output);
    char *bar = memchr(output, '|', (size_t)((feed ? feed : rest) - output));
    char *rest_bar = strchr(rest, '|');
    char *to;

    if (feed)
        *feed = '\0';
    if (!bar && !rest_bar) {
        *ret_perfdata = output + strlen(output);
        return output;
    }
    if (!bar) {
        *rest_bar = '\0';
        *ret_perfdata = rest_bar + 1;
        return output;
    }
    *bar = '\0';
    *ret_perfdata = bar + 1;
    if (rest_bar) { /* close the gap that the other lines' words leave */
        to = bar + 1 + strlen(bar + 1);
        *to++ = ' ';
        memmove(to, rest_bar + 1, strlen(rest_bar + 1) + 1);
    }
    return output;
}
