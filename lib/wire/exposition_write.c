/*
 * The text format out. See exposition_write.h.
 */

#include "lib/wire/exposition_write.h"

#include <stdbool.h>
#include <string.h>

#include "lib/base/float.h"

static void add_escaped(struct str *out, const char *text, bool in_quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            str_add(out, "\\n");
        else if (*text == '\\')
            str_add(out, "\\\\");
        else if (*text == '"' && in_quotes)
            str_add(out, "\\\"");
        else
            str_addc(out, *text);
    }
}

void exposition_family(struct str *out, const char *name, enum metric_type type, const char *help)
{
    if (help && help[0]) {
        str_addf(out, "# HELP %s ", name);
        add_escaped(out, help, false);
        str_addc(out, '\n');
    }
    /* 0.0.4 knows five words; OpenMetrics' others have no place here */
    bool is_old = type == METRIC_COUNTER || type == METRIC_GAUGE || type == METRIC_HISTOGRAM ||
                  type == METRIC_SUMMARY;
    str_addf(out, "# TYPE %s %s\n", name, is_old ? metric_type_name(type) : "untyped");
}

static const char *name_of(const struct label *labels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(labels[i].name, LABEL_NAME) == 0)
            return labels[i].value;
    return "";
}

void exposition_sample(struct str *out, const struct label *labels, size_t n, double value)
{
    char number[FLOAT_TEXT_MAX];
    char divider = '{';

    str_add(out, name_of(labels, n));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(labels[i].name, LABEL_NAME) == 0)
            continue;
        str_addc(out, divider);
        str_add(out, labels[i].name);
        str_add(out, "=\"");
        add_escaped(out, labels[i].value, true);
        str_addc(out, '"');
        divider = ',';
    }
    if (divider == ',')
        str_addc(out, '}');
    str_addc(out, ' ');
    str_addn(out, number, float_short(value, number));
    str_addc(out, '\n');
}

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
static bool is_classic_metric(const char *name)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:0123456789";

    return name[0] && !(name[0] >= '0' && name[0] <= '9') && name[strspn(name, chars)] == '\0';
}

static void add_quoted(struct str *out, const char *text)
{
    str_addc(out, '"');
    add_escaped(out, text, true);
    str_addc(out, '"');
}

void openmetrics_sample(struct str *out, const struct label *labels, size_t n, struct sample sample)
{
    const char *name = name_of(labels, n);
    char number[FLOAT_TEXT_MAX];
    char divider = '{';
    int64_t fraction_ms = sample.t_ms % 1000;
    int64_t seconds = sample.t_ms / 1000;

    if (is_classic_metric(name)) {
        str_add(out, name);
    } else {
        str_addc(out, divider);
        add_quoted(out, name);
        divider = ',';
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(labels[i].name, LABEL_NAME) == 0)
            continue;
        str_addc(out, divider);
        if (labels_name_is_classic(labels[i].name))
            str_add(out, labels[i].name);
        else
            add_quoted(out, labels[i].name);
        str_addc(out, '=');
        add_quoted(out, labels[i].value);
        divider = ',';
    }
    if (divider == ',')
        str_addc(out, '}');
    str_addc(out, ' ');
    str_addn(out, number, float_short(sample.value, number));
    str_addf(out, " %s%lld.%03d\n", sample.t_ms < 0 && seconds == 0 ? "-" : "", (long long)seconds,
             (int)(fraction_ms < 0 ? -fraction_ms : fraction_ms));
}
