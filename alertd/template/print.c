/*
 * Values of templates as text, as Go's %v prints them.
 */

#include <stdio.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"
#include "lib/base/float.h"

#define NS_PER_SECOND INT64_C(1000000000)

struct value value_text(const char *text)
{
    return (struct value){.kind = VALUE_TEXT, .text = text};
}

struct value value_int(int64_t number)
{
    return (struct value){.kind = VALUE_INT, .number = number};
}

struct value value_float(double real)
{
    return (struct value){.kind = VALUE_FLOAT, .real = real};
}

struct value value_bool(bool is_true)
{
    return (struct value){.kind = VALUE_BOOL, .is_true = is_true};
}

struct value value_labels(const struct labels *labels)
{
    return (struct value){.kind = VALUE_LABELS, .labels = labels};
}

const char *value_type_name(const struct value *value)
{
    if (value->type && value->type->name)
        return value->type->name;
    switch (value->kind) {
    case VALUE_NONE: return "<nil>";
    case VALUE_BOOL: return "bool";
    case VALUE_INT: return "int";
    case VALUE_FLOAT: return "float64";
    case VALUE_TEXT: return "string";
    case VALUE_LABELS: return "map[string]string";
    case VALUE_LIST: return "[]interface {}";
    case VALUE_MAP: return "map[string]interface {}";
    case VALUE_RECORD: return "struct";
    case VALUE_TIME: return "time.Time";
    case VALUE_DURATION: return "time.Duration";
    }
    UNREACHABLE("value_kind out of range");
}

/* 1500 ns with 3 decimals at most is "1.5" of the unit. */
static void add_fraction(struct str *out, uint64_t amount, uint64_t unit, const char *name)
{
    char digits[16];

    str_addf(out, "%llu", (unsigned long long)(amount / unit));
    if (amount % unit) {
        int width = unit == 1000 ? 3 : unit == 1000000 ? 6 : 9;
        int len = snprintf(digits, sizeof(digits), ".%0*llu", width,
                           (unsigned long long)(amount % unit));

        while (digits[len - 1] == '0')
            len--;
        str_addn(out, digits, (size_t)len);
    }
    str_add(out, name);
}

void tmpl_print_duration(int64_t duration_ns, struct str *out)
{
    uint64_t size = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
    uint64_t minutes = size / NS_PER_SECOND / 60;

    if (duration_ns < 0)
        str_addc(out, '-');
    if (size == 0) {
        str_add(out, "0s");
    } else if (size < 1000) {
        str_addf(out, "%llun", (unsigned long long)size);
        str_addc(out, 's');
    } else if (size < 1000 * 1000) {
        add_fraction(out, size, 1000, "\xc2\xb5s");
    } else if (size < (uint64_t)NS_PER_SECOND) {
        add_fraction(out, size, 1000 * 1000, "ms");
    } else {
        if (minutes >= 60)
            str_addf(out, "%lluh", (unsigned long long)(minutes / 60));
        if (minutes)
            str_addf(out, "%llum", (unsigned long long)(minutes % 60));
        add_fraction(out, size - minutes * 60 * NS_PER_SECOND, NS_PER_SECOND, "s");
    }
}

static void print_labels(const struct labels *labels, struct str *out)
{
    str_add(out, "map[");
    for (uint32_t i = 0; i < labels->n; i++)
        str_addf(out, "%s%s:%s", i ? " " : "", labels->at[i].name, labels->at[i].value);
    str_addc(out, ']');
}

/* Lists stand in brackets, records in braces, maps name their members. */
static void print_items(const struct value *value, struct str *out)
{
    str_add(out, value->kind == VALUE_MAP ? "map[" : value->kind == VALUE_LIST ? "[" : "{");
    for (size_t i = 0; i < value->n; i++) {
        if (i)
            str_addc(out, ' ');
        if (value->kind == VALUE_MAP)
            str_addf(out, "%s:", value->names[i]);
        value_print(&value->items[i], out);
    }
    str_addc(out, value->kind == VALUE_RECORD ? '}' : ']');
}

void value_print(const struct value *value, struct str *out)
{
    char number[FLOAT_TEXT_MAX];

    if (value->type && value->type->print) {
        value->type->print(value, out);
        return;
    }
    switch (value->kind) {
    case VALUE_NONE: str_add(out, "<no value>"); return;
    case VALUE_BOOL: str_add(out, value->is_true ? "true" : "false"); return;
    case VALUE_INT: str_addf(out, "%lld", (long long)value->number); return;
    case VALUE_FLOAT: str_addn(out, number, float_go(value->real, number)); return;
    case VALUE_TEXT: str_add(out, value->text); return;
    case VALUE_LABELS: print_labels(value->labels, out); return;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_RECORD: print_items(value, out); return;
    case VALUE_TIME: tmpl_print_time(value, out); return;
    case VALUE_DURATION: tmpl_print_duration(value->number, out); return;
    }
    UNREACHABLE("value_kind out of range");
}

void value_print_all(const struct value *values, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        if (i && values[i - 1].kind != VALUE_TEXT && values[i].kind != VALUE_TEXT)
            str_addc(out, ' ');
        if (values[i].kind == VALUE_NONE)
            str_add(out, "<nil>");
        else
            value_print(&values[i], out);
    }
}

void value_print_shown(const struct value *values, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        bool is_text = values[i].kind == VALUE_TEXT || values[i].kind == VALUE_NONE;

        if (i && !is_text && values[i - 1].kind != VALUE_TEXT && values[i - 1].kind != VALUE_NONE)
            str_addc(out, ' ');
        value_print(&values[i], out);
    }
}
