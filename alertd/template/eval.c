/*
 * What a pipe gives: fields, operands, calls. Every operand and every call is a step, and steps,
 * memory and nesting are bounded. The lists around them run in run.c.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "alertd/template/engine.h"
#include "lib/base/bug.h"

enum {
    ARGS_MAX = 64
};

int tmpl_fail(struct tmpl_run *run, const char *fmt, ...)
{
    char words[ERR_TEXT_MAX];
    unsigned line = 1, column = 1;
    va_list ap;

    for (size_t i = 0; i < run->offset; i++) {
        column = run->source->text[i] == '\n' ? 1 : column + 1;
        line += run->source->text[i] == '\n';
    }
    va_start(ap, fmt);
    (void)vsnprintf(words, sizeof(words), fmt, ap);
    va_end(ap);
    if (run->source->name && run->source != &run->template->source)
        return err_set(run->reterr, TMPL_E_EXPAND, "%.100s:%u:%u: %s", run->source->name, line,
                       column, words);
    return err_at(run->reterr, TMPL_E_EXPAND, line, column, "%s", words);
}

int tmpl_fail_memory(struct tmpl_run *run)
{
    return tmpl_fail(run, "more than %d bytes of memory used", (int)TMPL_RUN_BYTES_MAX);
}

int tmpl_step(struct tmpl_run *run)
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

/* A method of the value's type, or of its kind. -ENOENT: there is none. */
static int method_of(struct tmpl_run *run,
                     const struct value *receiver,
                     const char *name,
                     const struct value *args,
                     size_t n,
                     struct value *ret_value)
{
    int r = receiver->type && receiver->type->method
                ? receiver->type->method(run, receiver, name, args, n, ret_value)
                : -ENOENT;

    return r == -ENOENT ? tmpl_time_method(run, receiver, name, args, n, ret_value) : r;
}

static int field_of(struct tmpl_run *run,
                    const struct value *value,
                    const char *name,
                    struct value *ret_value)
{
    int r = method_of(run, value, name, NULL, 0, ret_value);

    if (r != -ENOENT)
        return r;
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
    case VALUE_DURATION: return tmpl_fail(run, "there is no method .%.60s here", name);
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
    case OPERAND_PIPE: return tmpl_eval_pipe(run, operand->pipe, dot, ret_value);
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
    int r = tmpl_step(run);

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
    r = method_of(run, &receiver, name, args, n, ret_value);
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
    int r = tmpl_step(run);

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

int tmpl_set_variable(struct tmpl_run *run,
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
int tmpl_eval_commands(struct tmpl_run *run,
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

int tmpl_eval_pipe(struct tmpl_run *run,
                   const struct pipe *pipe,
                   const struct value *dot,
                   struct value *ret_value)
{
    struct value value = {0};
    int r = tmpl_eval_commands(run, pipe, dot, &value);

    if (!r && pipe->n_vars)
        r = tmpl_set_variable(run, pipe->vars[0], pipe->assigns, &value);
    if (!r)
        *ret_value = value;
    return r;
}
