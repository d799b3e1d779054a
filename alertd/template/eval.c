/*
 * Running a template's tree. Every node and every call is a step, and steps, output,
 * memory and nesting are bounded, so that no template can hold up an evaluation.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"
#include "lib/base/mem.h"

enum {
    RUN_BYTES_MAX = 4 * 1024 * 1024,
    ARGS_MAX = 64,
    FLOW_BREAK = 100, /* not failures: on their way to the range around them */
    FLOW_CONTINUE = 101,
};

static int run_list(struct tmpl_run *run, const struct node *list, const struct value *dot);
static int eval_pipe(struct tmpl_run *run,
                     const struct pipe *pipe,
                     const struct value *dot,
                     struct value *ret_value);

int tmpl_fail(struct tmpl_run *run, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    unsigned line = 1, column = 1;
    va_list ap;

    for (size_t i = 0; i < run->offset; i++) {
        column = run->template->text[i] == '\n' ? 1 : column + 1;
        line += run->template->text[i] == '\n';
    }
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    return err_at(run->reterr, TMPL_E_EXPAND, line, column, "%s", words);
}

int tmpl_fail_memory(struct tmpl_run *run)
{
    return tmpl_fail(run, "more than %d bytes of memory used", (int)RUN_BYTES_MAX);
}

static int step(struct tmpl_run *run)
{
    if (++run->n_steps > TMPL_STEPS_MAX)
        return tmpl_fail(run, "more than %d steps", (int)TMPL_STEPS_MAX);
    if (run->out->full)
        return tmpl_fail(run, "output longer than %zu bytes", run->out->limit);
    return 0;
}

/* --- Fields ------------------------------------------------------------------------------ */

static int field_of_named(struct tmpl_run *run,
                          const struct value *value,
                          const char *name,
                          struct value *ret_value)
{
    for (size_t i = 0; i < value->n; i++) {
        if (strcmp(value->names[i], name) != 0)
            continue;
        *ret_value = value->items[i];
        return 0;
    }
    if (value->kind == VALUE_RECORD)
        return tmpl_fail(run, "there is no field .%.60s here", name);
    *ret_value = (struct value){0};
    return 0;
}

static int field_of(struct tmpl_run *run,
                    const struct value *value,
                    const char *name,
                    struct value *ret_value)
{
    switch (value->kind) {
    case VALUE_NONE: /* as Go: a field of nothing is nothing */
        *ret_value = (struct value){0};
        return 0;
    case VALUE_LABELS: {
        const char *text = labels_get(value->labels, name);

        *ret_value = value_text(text ? text : "");
        return 0;
    }
    case VALUE_MAP:
    case VALUE_RECORD: return field_of_named(run, value, name, ret_value);
    case VALUE_TIME:
    case VALUE_DURATION: {
        int r = tmpl_method(run, value, name, NULL, 0, ret_value);

        return r == -ENOENT ? tmpl_fail(run, "there is no method .%.60s here", name) : r;
    }
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TEXT:
    case VALUE_LIST: return tmpl_fail(run, "%s has no field .%.60s", value_type_name(value), name);
    }
    UNREACHABLE("value_kind out of range");
}

/* --- Operands and commands ----------------------------------------------------------------- */

static struct variable *find_variable(struct tmpl_run *run, const char *name)
{
    for (size_t i = run->n_variables; i-- > 0;)
        if (strcmp(run->variables[i].name, name) == 0)
            return &run->variables[i];
    return NULL;
}

static int call(struct tmpl_run *run,
                const struct tmpl_fn *fn,
                const struct value *args,
                size_t n,
                struct value *ret_value)
{
    *ret_value = (struct value){0};
    return fn->call(run, args, n, ret_value);
}

/* The operand without its fields. */
static int eval_head(struct tmpl_run *run,
                     const struct operand *operand,
                     const struct value *dot,
                     struct value *ret_value)
{
    switch (operand->kind) {
    case OPERAND_DOT: *ret_value = *dot; return 0;
    case OPERAND_CONSTANT: *ret_value = operand->constant; return 0;
    case OPERAND_VARIABLE: {
        const struct variable *variable = find_variable(run, operand->name);

        *ret_value = variable ? variable->value : (struct value){0};
        return 0;
    }
    case OPERAND_FUNCTION: /* as an argument: called with none */
        if (operand->fn->min > 0)
            return tmpl_fail(run, "%s needs arguments: put the call in parentheses",
                             operand->fn->name);
        return call(run, operand->fn, NULL, 0, ret_value);
    case OPERAND_PIPE: return eval_pipe(run, operand->pipe, dot, ret_value);
    }
    UNREACHABLE("operand_kind out of range");
}

/* With the first n_fields of its fields. */
static int eval_operand(struct tmpl_run *run,
                        const struct operand *operand,
                        size_t n_fields,
                        const struct value *dot,
                        struct value *ret_value)
{
    struct value value = {0};
    int r = step(run);

    run->offset = operand->offset;
    if (!r)
        r = eval_head(run, operand, dot, &value);
    for (size_t i = 0; i < n_fields && !r; i++) {
        struct value receiver = value;

        run->offset = operand->offset;
        r = field_of(run, &receiver, operand->fields[i], &value);
    }
    if (!r)
        *ret_value = value;
    return r;
}

/* and, or: stop at the first argument that decides. */
static int eval_lazy(struct tmpl_run *run,
                     const struct command *command,
                     const struct value *piped,
                     const struct value *dot,
                     struct value *ret_value)
{
    bool is_and = strcmp(command->args[0]->fn->name, "and") == 0;
    struct value value = {0};
    int r = 0;

    for (size_t i = 1; i < command->n && !r; i++) {
        r = eval_operand(run, command->args[i], command->args[i]->n_fields, dot, &value);
        if (!r && value_is_true(&value) != is_and) {
            *ret_value = value;
            return 0;
        }
    }
    if (!r)
        *ret_value = piped ? *piped : value;
    return r;
}

static int eval_args(struct tmpl_run *run,
                     const struct command *command,
                     const struct value *piped,
                     const struct value *dot,
                     struct value *args,
                     size_t *ret_n)
{
    size_t n = 0;
    int r = 0;

    if (command->n - 1 + (piped != NULL) > ARGS_MAX)
        return tmpl_fail(run, "more than %d arguments", (int)ARGS_MAX);
    for (size_t i = 1; i < command->n && !r; i++, n++)
        r = eval_operand(run, command->args[i], command->args[i]->n_fields, dot, &args[n]);
    if (piped)
        args[n++] = *piped;
    *ret_n = n;
    return r;
}

/* `x.Method a b` or a field that takes no arguments. */
static int eval_method(struct tmpl_run *run,
                       const struct command *command,
                       const struct value *args,
                       size_t n,
                       const struct value *dot,
                       struct value *ret_value)
{
    const struct operand *head = command->args[0];
    struct value receiver = {0};
    int r = eval_operand(run, head, head->n_fields - 1, dot, &receiver);

    if (r)
        return r;
    const char *name = head->fields[head->n_fields - 1];
    run->offset = head->offset;
    if (n == 0)
        return field_of(run, &receiver, name, ret_value);
    r = tmpl_method(run, &receiver, name, args, n, ret_value);
    return r == -ENOENT ? tmpl_fail(run, ".%.60s is no method: it takes no arguments", name) : r;
}

const char *tmpl_wrong_call(const struct command *command, bool is_piped)
{
    const struct operand *head = command->args[0];
    size_t n = command->n - 1 + is_piped;

    if (head->kind == OPERAND_CONSTANT && head->constant.kind == VALUE_NONE)
        return "nil is not a command";
    if (head->kind == OPERAND_FUNCTION)
        return n < head->fn->min   ? "too few arguments"
               : n > head->fn->max ? "too many arguments"
                                   : NULL;
    return n > 0 && head->n_fields == 0 ? "this is no function: it takes no arguments" : NULL;
}

static int eval_command(struct tmpl_run *run,
                        const struct command *command,
                        const struct value *piped,
                        const struct value *dot,
                        struct value *ret_value)
{
    const struct operand *head = command->args[0];
    struct value args[ARGS_MAX];
    size_t n = 0;
    int r = step(run);

    if (r)
        return r;
    const char *wrong = tmpl_wrong_call(command, piped != NULL);
    run->offset = head->offset;
    if (wrong)
        return tmpl_fail(run, "%s%s%s", head->kind == OPERAND_FUNCTION ? head->fn->name : "",
                         head->kind == OPERAND_FUNCTION ? ": " : "", wrong);
    if (head->kind == OPERAND_FUNCTION && head->fn->lazy)
        return eval_lazy(run, command, piped, dot, ret_value);
    r = eval_args(run, command, piped, dot, args, &n);
    run->offset = head->offset;
    if (r)
        return r;
    if (head->kind == OPERAND_FUNCTION)
        return call(run, head->fn, args, n, ret_value);
    if (head->n_fields > 0)
        return eval_method(run, command, args, n, dot, ret_value);
    return eval_operand(run, head, 0, dot, ret_value);
}

static int set_variable(struct tmpl_run *run,
                        const char *name,
                        bool assigns,
                        const struct value *value)
{
    struct variable *variable = assigns ? find_variable(run, name) : NULL;

    if (variable) {
        variable->value = *value;
        return 0;
    }
    if (run->n_variables == VARIABLES_MAX)
        return tmpl_fail(run, "too many variables");
    run->variables[run->n_variables++] = (struct variable){name, *value};
    return 0;
}

/* The value alone; who declares variables for it depends on the block. */
static int eval_commands(struct tmpl_run *run,
                         const struct pipe *pipe,
                         const struct value *dot,
                         struct value *ret_value)
{
    struct value value = {0};
    int r = 0;

    for (size_t i = 0; i < pipe->n && !r; i++) {
        struct value piped = value;

        r = eval_command(run, &pipe->commands[i], i ? &piped : NULL, dot, &value);
    }
    if (!r)
        *ret_value = value;
    return r;
}

static int eval_pipe(struct tmpl_run *run,
                     const struct pipe *pipe,
                     const struct value *dot,
                     struct value *ret_value)
{
    struct value value = {0};
    int r = eval_commands(run, pipe, dot, &value);

    if (!r && pipe->n_vars)
        r = set_variable(run, pipe->vars[0], pipe->assigns, &value);
    if (!r)
        *ret_value = value;
    return r;
}

/* --- Nodes --------------------------------------------------------------------------------- */

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
    int r = eval_pipe(run, node->pipe, dot, &value);

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
    int r = step(run);

    if (!r && pipe->n_vars == 2)
        r = set_variable(run, pipe->vars[0], false, key);
    if (!r && pipe->n_vars > 0)
        r = set_variable(run, pipe->vars[pipe->n_vars - 1], pipe->assigns, item);
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
    int r = eval_commands(run, node->pipe, dot, &value);

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

int tmpl_run_named(struct tmpl_run *run, const char *name, const struct value *dot)
{
    const struct definition *definition = run->template->definitions;
    MEM_AUTO struct variable *outer = NULL;
    size_t n_outer = run->n_variables;

    while (definition && strcmp(definition->name, name) != 0)
        definition = definition->next;
    if (!definition)
        return tmpl_fail(run, "template \"%.60s\" is not defined", name);
    outer = mem_dup(run->variables, sizeof(run->variables));
    run->n_variables = 0;
    int r = set_variable(run, "$", false, dot);
    if (!r)
        r = run_list(run, definition->list, dot);
    memcpy(run->variables, outer, sizeof(run->variables));
    run->n_variables = n_outer;
    return r;
}

static int run_action(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0};
    int r = eval_pipe(run, node->pipe, dot, &value);

    if (!r && node->pipe->n_vars == 0)
        value_print(&value, run->out);
    return r;
}

static int run_template(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    struct value value = {0};
    int r = node->pipe ? eval_pipe(run, node->pipe, dot, &value) : 0;

    return r ? r : tmpl_run_named(run, node->text, &value);
}

static int run_node(struct tmpl_run *run, const struct node *node, const struct value *dot)
{
    switch (node->kind) {
    case NODE_TEXT: str_addn(run->out, node->text, node->len); return 0;
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
        r = step(run);
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
    struct tmpl_run run = {
        .template = template,
        .data = input->data,
        .now_ms = input->now_ms,
        .arena = &arena,
        .out = out,
        .reterr = reterr,
    };

    arena_init(&arena, RUN_BYTES_MAX);
    for (size_t i = 0; i < input->n_variables; i++)
        (void)set_variable(&run, input->variables[i].name, false, &input->variables[i].value);

    int r = set_variable(&run, "$", false, &input->dot);

    if (!r)
        r = run_list(&run, template->list, &input->dot);
    if (!r)
        r = step(&run); /* the output may have filled with the last node */
    return r;
}
