/*
 * One rule of a file changed. See edit.h.
 */

#include "alertd/rule/edit.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/model/duration.h"

struct edit {
    const struct rule_file *file;
    const char *text;
    const struct rule *rule, *wanted;
    size_t group, index; /* where the rule is in the file */
};

/* --- places in the text --- */

/* The byte at a line and column, which count from 1 and in characters. */
static size_t offset_of(const char *text, unsigned line, unsigned column)
{
    size_t at = 0;

    for (; line > 1 && text[at]; at++)
        line -= text[at] == '\n';
    for (; column > 1 && text[at]; column--) {
        at++;
        while (((unsigned char)text[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static void replace(const char *text, size_t from, size_t to, const char *by, struct str *out)
{
    str_addn(out, text, from);
    str_add(out, by);
    str_add(out, text + to);
}

/* --- whether it is as it should be --- */

static bool prints_alike(const struct rule *a, const struct rule *b)
{
    STR_AUTO struct str left = STR_INIT(4 << 20);
    STR_AUTO struct str right = STR_INIT(4 << 20);

    rule_print(a, 0, &left);
    rule_print(b, 0, &right);
    return !left.full && !right.full && strcmp(str_text(&left), str_text(&right)) == 0;
}

static bool is_right(const struct edit *edit, const struct str *made)
{
    struct rule_file *file = NULL;
    struct err err = {0};
    bool right = !made->full && rule_file_parse(edit->file->source, str_text(made), made->len, NULL,
                                                &file, &err) == 0;

    right = right && file->n_groups == edit->file->n_groups;
    for (size_t g = 0; right && g < file->n_groups; g++) {
        const struct rule_group *before = &edit->file->groups[g];
        const struct rule_group *after = &file->groups[g];
        right = before->n_rules == after->n_rules && before->interval_ms == after->interval_ms &&
                strcmp(before->name, after->name) == 0;
        for (size_t i = 0; right && i < after->n_rules; i++) {
            bool is_it = g == edit->group && i == edit->index;
            right = prints_alike(is_it ? edit->wanted : &before->rules[i], &after->rules[i]);
        }
    }
    rule_file_unref(file);
    return right;
}

/* --- only what differs --- */

/* The part of the expression that is another one: [from, to) of the old, by `by`. */
static bool edit_expr(const struct edit *edit, const char *text, struct str *out)
{
    const char *before = edit->rule->expr_text;
    const char *after = edit->wanted->expr_text;
    const struct yaml_node *node = edit->rule->expr_node;
    size_t n_before = strlen(before);
    size_t n_after = strlen(after);
    size_t same = 0;
    size_t tail = 0;

    if (!node || node->len < n_before)
        return false;
    while (same < n_before && same < n_after && before[same] == after[same])
        same++;
    while (tail < n_before - same && tail < n_after - same &&
           before[n_before - 1 - tail] == after[n_after - 1 - tail])
        tail++;
    /* whole numbers, not digits of them */
    while (same > 0 && strchr("0123456789.eE", before[same - 1]))
        same--;
    while (tail > 0 && strchr("0123456789.eE", before[n_before - tail]))
        tail--;
    if (n_before - tail <= same)
        return false;
    size_t lead = (size_t)strspn(node->text, " \t\r\n");
    struct rule_span span = rule_span_in(node, lead + same, lead + n_before - tail);
    if (span.line != span.end_line)
        return false;
    STR_AUTO struct str by = STR_INIT(256 << 10);
    str_addn(&by, after + same, n_after - tail - same);
    replace(text, offset_of(text, span.line, span.column),
            offset_of(text, span.end_line, span.end_column), str_text(&by), out);
    return !by.full;
}

static bool edit_duration(const struct edit *edit,
                          const char *text,
                          const char *field,
                          int64_t duration_ms,
                          struct str *out)
{
    const struct yaml_node *node = yaml_get(edit->rule->node, field);
    char printed[DURATION_TEXT_MAX];

    if (!node || node->kind != YAML_SCALAR || !node->plain || node->len == 0)
        return false;
    struct rule_span span = rule_span_of(node);
    replace(text, offset_of(text, span.line, span.column),
            offset_of(text, span.end_line, span.end_column), duration_print(duration_ms, printed),
            out);
    return true;
}

/* From the last field to the first, so that places before stay what they are: expr, for and
 * keep_firing_for may stand in any order, so each is done on a file parsed anew. */
static bool edit_fields(const struct edit *edit, struct str *out)
{
    const struct rule *rule = edit->rule;
    const struct rule *wanted = edit->wanted;
    bool other_expr = strcmp(rule->expr_text, wanted->expr_text) != 0;
    bool other_for = rule->for_ms != wanted->for_ms;
    bool other_keep = rule->keep_firing_for_ms != wanted->keep_firing_for_ms;

    if (other_expr)
        return edit_expr(edit, edit->text, out);
    if (other_for)
        return edit_duration(edit, edit->text, "for", wanted->for_ms, out);
    return other_keep &&
           edit_duration(edit, edit->text, "keep_firing_for", wanted->keep_firing_for_ms, out);
}

/* --- the rule whole --- */

/* How far in the item of the list stands, and where its text ends: before the next line that is no
 * further in, blank ones behind it left alone. */
static void edit_whole(const struct edit *edit, struct str *out)
{
    const char *text = edit->text;
    size_t node = offset_of(text, edit->rule->node->line, edit->rule->node->column);
    size_t line = node;

    while (line > 0 && text[line - 1] != '\n')
        line--;
    size_t dash = line + strspn(text + line, " ");
    unsigned indent = (unsigned)(dash - line);
    size_t end = node + strcspn(text + node, "\n");
    for (size_t at = end; text[at];) {
        size_t next = at + 1;
        size_t spaces = strspn(text + next, " ");
        bool is_blank = text[next + spaces] == '\n' || text[next + spaces] == '\0';
        if (!is_blank && (spaces <= indent || text[next + spaces] == '\t'))
            break;
        at = next + strcspn(text + next, "\n");
        if (!is_blank)
            end = at;
        if (!text[at])
            break;
    }
    STR_AUTO struct str rule = STR_INIT(4 << 20);
    rule_print(edit->wanted, indent, &rule);
    if (rule.len > 0)
        str_cut(&rule, rule.len - 1); /* its last newline */
    replace(text, line, end, str_text(&rule), out);
}

/* --- all of it --- */

static bool find(struct edit *edit)
{
    for (size_t g = 0; g < edit->file->n_groups; g++)
        for (size_t i = 0; i < edit->file->groups[g].n_rules; i++)
            if (&edit->file->groups[g].rules[i] == edit->rule) {
                edit->group = g;
                edit->index = i;
                return true;
            }
    return false;
}

/* One field after the other, each on what the one before made of the file. */
static bool edit_one_by_one(const struct edit *edit, struct str *out)
{
    STR_AUTO struct str now = STR_INIT(out->limit);
    struct rule_file *file = NULL;
    struct err err = {0};
    bool goes_on = true;

    str_add(&now, edit->text);
    for (int field = 0; field < 3 && goes_on && !is_right(edit, &now); field++) {
        STR_AUTO struct str next = STR_INIT(out->limit);
        struct edit step = *edit;
        rule_file_unref(file);
        file = NULL;
        goes_on = rule_file_parse(edit->file->source, str_text(&now), now.len, NULL, &file, &err) ==
                  0;
        if (!goes_on)
            break;
        step.file = file;
        step.text = str_text(&now);
        step.rule = &file->groups[edit->group].rules[edit->index];
        goes_on = edit_fields(&step, &next) && !next.full;
        str_cut(&now, 0);
        str_add(&now, str_text(&next));
    }
    rule_file_unref(file);
    goes_on = goes_on && is_right(edit, &now);
    if (goes_on)
        str_add(out, str_text(&now));
    return goes_on;
}

int rule_edit(const struct rule_file *file,
              const char *text,
              const struct rule *rule,
              const struct rule *wanted,
              struct str *out,
              struct err *reterr)
{
    struct edit edit = {file, text, rule, wanted, 0, 0};

    if (find(&edit)) {
        if (edit_one_by_one(&edit, out))
            return 0;
        edit_whole(&edit, out);
        if (is_right(&edit, out))
            return 0;
    }
    str_cut(out, 0);
    return err_set(
        reterr, RULE_EDIT_E_NOT_POSSIBLE,
        "the rule stands in its file in a way that can't be changed from here (an alias, "
        "or a merge key): change the file, and import it");
}
