/*
 * Running a template's tree: lists, blocks, named templates. Every node is a step, and steps,
 * output, memory and nesting are bounded, so that no template can hold up an evaluation.
 */

#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    FLOW_BREAK = 100, /* not failures: on their way to the range around them */
    FLOW_CONTINUE = 101,
};

static int run_list(struct tmpl_run *run, const struct node *list, const struct value *dot);

bool value_is_true(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NONE: return false;
    case VALUE_BOOL: return value->is_true;
    case VALUE_INT:
    case VALUE_DURATION: return value->number != 0;
    case VALUE_FLOAT: return value->real != 0;
    case VALUE_TEXT: return value->text[0] != '\0';
    case VALUE_LABELS: return value->labels->n > 0;
    case VALUE_LIST:
    case VALUE_MAP: return value->n > 0;
    case VALUE_RECORD:
    case VALUE_TIME: return true;
    }
    UNREACHABLE("value_kind out of range");
}

static int run_condition(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0};
    int r = tmpl_eval_pipe(run, node->pipe, dot, &value);

    if (r)
        return r;
    if (!value_is_true(&value))
        return run_list(run, node->else_list, dot);
    return run_list(run, node->list, node->kind == NODE_WITH ? &value : dot);
}

static int run_round(struct tmpl_run *run,
                     const struct node *node,
                     const struct value *key,
                     const struct value *item,
                     bool *ret_ends)
{
    const struct pipe *pipe = node->pipe;
    size_t outer = run->n_variables;
    int r = tmpl_step(run);

    if (!r && pipe->n_vars == 2)
        r = tmpl_set_variable(run, pipe->vars[0], false, key);
    if (!r && pipe->n_vars > 0)
        r = tmpl_set_variable(run, pipe->vars[pipe->n_vars - 1], pipe->assigns, item);
    if (!r)
        r = run_list(run, node->list, item);
    run->n_variables = outer;
    *ret_ends = r == FLOW_BREAK;
    return r == FLOW_BREAK || r == FLOW_CONTINUE ? 0 : r;
}

/* How many rounds a range makes, -1 when it can't be walked. */
static int64_t rounds_of(const struct value *value)
{
    switch (value->kind) {
    case VALUE_NONE: return 0;
    case VALUE_INT: return value->number > 0 ? value->number : 0;
    case VALUE_LABELS: return value->labels->n;
    case VALUE_LIST:
    case VALUE_MAP: return (int64_t)value->n;
    case VALUE_BOOL:
    case VALUE_FLOAT:
    case VALUE_TEXT:
    case VALUE_RECORD:
    case VALUE_TIME:
    case VALUE_DURATION: return -1;
    }
    UNREACHABLE("value_kind out of range");
}

static void round_at(const struct value *value, int64_t i, struct value *key, struct value *item)
{
    *key = value_int(i);
    *item = *key;
    if (value->kind == VALUE_LABELS) {
        *key = value_text(value->labels->at[i].name);
        *item = value_text(value->labels->at[i].value);
    } else if (value->kind != VALUE_INT) {
        if (value->kind == VALUE_MAP)
            *key = value_text(value->names[i]);
        *item = value->items[i];
    }
}

static int run_range(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0}, key, item;
    bool ends = false;
    int r = tmpl_eval_commands(run, node->pipe, dot, &value);

    if (r)
        return r;
    int64_t n = rounds_of(&value);
    if (n < 0)
        return tmpl_fail(run, "range can't walk over %s", value_type_name(&value));
    if (n == 0)
        return run_list(run, node->else_list, dot);
    for (int64_t i = 0; i < n && !ends && !r; i++) {
        round_at(&value, i, &key, &item);
        r = run_round(run, node, &key, &item, &ends);
    }
    return r;
}

static const struct definition *find_definition(const struct definition *from, const char *name)
{
    while (from && strcmp(from->name, name) != 0)
        from = from->next;
    return from;
}

/* A list with variables of its own; where the text is from is told in errors. */
static int run_apart(struct tmpl_run *run,
                     const struct node *list,
                     const struct tmpl_source *source,
                     const struct value *dot)
{
    MEM_AUTO struct variable *outer = mem_dup(run->variables, sizeof(run->variables));
    const struct tmpl_source *outer_source = run->source;
    size_t n_outer = run->n_variables;

    run->n_variables = 0;
    run->source = source;
    int r = tmpl_set_variable(run, "$", false, dot);
    if (!r)
        r = run_list(run, list, dot);
    if (r)
        return r; /* it ends here: errors keep their place */
    memcpy(run->variables, outer, sizeof(run->variables));
    run->n_variables = n_outer;
    run->source = outer_source;
    return 0;
}

int tmpl_run_named(struct tmpl_run *run, const char *name, const struct value *dot)
{
    const struct tmpl_library *library = run->template->library;
    const struct definition *definition = find_definition(run->template->definitions, name);

    if (!definition && library)
        definition = find_definition(library->definitions, name);
    if (!definition)
        return tmpl_fail(run, "template \"%.60s\" is not defined", name);
    return run_apart(run, definition->list,
                     definition->source.text == run->template->source.text ? &run->template->source
                                                                           : &definition->source,
                     dot);
}

int tmpl_run_text(struct tmpl_run *run, const char *text)
{
    struct tmpl *inner = NULL;
    struct err err = {0};

    if (tmpl_parse(run->template->language, run->arena, text, &inner, &err))
        return tmpl_fail(run, "%u:%u: %s", err.line, err.column, err.text);

    const struct tmpl *outer = run->template;
    int r;

    inner->library = outer->library;
    run->template = inner;
    r = run_apart(run, inner->list, &inner->source, run->root);
    if (r == 0)
        run->template = outer;
    return r;
}

static void put_value(struct tmpl_run *run, const struct value *value)
{
    if (run->html)
        tmpl_html_value(run->html, value, run->out);
    else
        value_print(value, run->out);
}

static void put_text(struct tmpl_run *run, const struct node *node)
{
    if (run->html)
        tmpl_html_text(run->html, node->text, node->len, run->out);
    else
        str_addn(run->out, node->text, node->len);
}

static int run_action(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0};
    int r = tmpl_eval_pipe(run, node->pipe, dot, &value);

    if (!r && node->pipe->n_vars == 0)
        put_value(run, &value);
    return r;
}

static int run_template(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0};
    int r = node->pipe ? tmpl_eval_pipe(run, node->pipe, dot, &value) : 0;

    return r ? r : tmpl_run_named(run, node->text, &value);
}

static int run_node(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    switch (node->kind) {
    case NODE_TEXT: put_text(run, node); return 0;
    case NODE_ACTION: return run_action(run, node, dot);
    case NODE_IF:
    case NODE_WITH: {
        size_t outer = run->n_variables;
        int r = run_condition(run, node, dot);

        run->n_variables = outer;
        return r;
    }
    case NODE_RANGE: return run_range(run, node, dot);
    case NODE_TEMPLATE: return run_template(run, node, dot);
    case NODE_BREAK: return FLOW_BREAK;
    case NODE_CONTINUE: return FLOW_CONTINUE;
    }
    UNREACHABLE("node_kind out of range");
}

static int run_list(struct tmpl_run *run, const struct node *list, const struct value *dot)
{
    size_t outer = run->n_variables;
    int r = 0;

    if (++run->depth > TMPL_DEPTH_MAX)
        return tmpl_fail(run, "templates call each other too deeply");
    for (const struct node *node = list; node && !r; node = node->next) {
        run->offset = node->offset;
        r = tmpl_step(run);
        if (!r)
            r = run_node(run, node, dot);
    }
    run->n_variables = outer;
    run->depth--;
    return r;
}

int tmpl_expand(const struct tmpl *template,
                const struct tmpl_input *input,
                struct str *out,
                struct err *reterr)
{
    ARENA_AUTO struct arena arena;
    struct tmpl_html html = {0};
    struct tmpl_run run = {
        .template = template,
        .source = &template->source,
        .html = input->is_html ? &html : NULL,
        .root = &input->dot,
        .data = input->data,
        .now_ms = input->now_ms,
        .arena = &arena,
        .out = out,
        .reterr = reterr,
    };

    arena_init(&arena, TMPL_RUN_BYTES_MAX);
    for (size_t i = 0; i < input->n_variables; i++)
        (void)tmpl_set_variable(&run, input->variables[i].name, false, &input->variables[i].value);

    int r = tmpl_set_variable(&run, "$", false, &input->dot);

    if (!r)
        r = run_list(&run, template->list, &input->dot);
    if (!r)
        r = tmpl_step(&run); /* the output may have filled with the last node */
    return r;
}
