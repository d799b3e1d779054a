/*
 * What a template reads: found on the tree, without running it, so that advice can be
 * given before the first page: a label that the expression never has is an empty gap.
 */

#include <string.h>

#include "alertd/rule/template.h"
#include "alertd/template/engine.h"

struct walk {
    void (*each)(void *arg, char kind, const char *name, size_t offset);
    void *arg;
    unsigned n_other_dots; /* inside range and with the dot is something else */
};

static void walk_pipe(struct walk *walk, const struct pipe *pipe);
static void walk_list(struct walk *walk, const struct node *list);

/* $labels.a, $labels, .Labels.a, .Labels: how the labels are reached. */
static void tell_labels(struct walk *walk, const struct operand *operand, char one, size_t field)
{
    if (operand->n_fields > field)
        walk->each(walk->arg, one, operand->fields[field], operand->offset);
    else
        walk->each(walk->arg, 'L', "", operand->offset);
}

static void walk_operand(struct walk *walk, const struct operand *operand)
{
    bool own_dot = operand->kind == OPERAND_DOT && walk->n_other_dots == 0;
    const char *root = own_dot && operand->n_fields ? operand->fields[0] : "";

    if (operand->kind == OPERAND_PIPE)
        walk_pipe(walk, operand->pipe);
    if (operand->kind == OPERAND_VARIABLE && strcmp(operand->name, "$") == 0 && operand->n_fields)
        root = operand->fields[0];
    if (strcmp(root, "Labels") == 0)
        tell_labels(walk, operand, 'l', 1);
    if (strcmp(root, "ExternalLabels") == 0 && operand->n_fields > 1)
        tell_labels(walk, operand, 'e', 1);
    if (strcmp(root, "Value") == 0)
        walk->each(walk->arg, 'v', "", operand->offset);
    if (operand->kind != OPERAND_VARIABLE)
        return;
    if (strcmp(operand->name, "$labels") == 0)
        tell_labels(walk, operand, 'l', 0);
    if (strcmp(operand->name, "$externalLabels") == 0 && operand->n_fields)
        tell_labels(walk, operand, 'e', 0);
    if (strcmp(operand->name, "$value") == 0)
        walk->each(walk->arg, 'v', "", operand->offset);
}

/* index $labels "a" reads one label, not all. */
static bool is_index_of_labels(const struct command *command)
{
    return command->n == 3 && command->args[0]->kind == OPERAND_FUNCTION &&
           strcmp(command->args[0]->fn->name, "index") == 0 &&
           command->args[1]->kind == OPERAND_VARIABLE &&
           strcmp(command->args[1]->name, "$labels") == 0 &&
           command->args[2]->kind == OPERAND_CONSTANT &&
           command->args[2]->constant.kind == VALUE_TEXT;
}

static void walk_pipe(struct walk *walk, const struct pipe *pipe)
{
    for (size_t i = 0; i < pipe->n; i++) {
        const struct command *command = &pipe->commands[i];

        const char *wrong = tmpl_wrong_call(command, i > 0);

        if (wrong)
            walk->each(walk->arg, '!', wrong, command->args[0]->offset);
        if (is_index_of_labels(command)) {
            walk->each(walk->arg, 'l', command->args[2]->constant.text, command->args[1]->offset);
            continue;
        }
        for (size_t arg = 0; arg < command->n; arg++)
            walk_operand(walk, command->args[arg]);
    }
}

/* {{ $value }}, {{ .Value }} and nothing else. */
static bool prints_value(const struct walk *walk, const struct pipe *pipe)
{
    const struct operand *operand = pipe->n == 1 ? pipe->commands[0].args[0] : NULL;

    if (!operand || pipe->commands[0].n != 1 || pipe->n_vars > 0)
        return false;
    if (operand->kind == OPERAND_VARIABLE && strcmp(operand->name, "$value") == 0)
        return true;
    bool is_root = (operand->kind == OPERAND_DOT && walk->n_other_dots == 0) ||
                   (operand->kind == OPERAND_VARIABLE && strcmp(operand->name, "$") == 0);
    return is_root && operand->n_fields == 1 && strcmp(operand->fields[0], "Value") == 0;
}

static void walk_list(struct walk *walk, const struct node *list)
{
    for (const struct node *node = list; node; node = node->next) {
        if (node->pipe) {
            walk_pipe(walk, node->pipe);
            if (node->kind == NODE_ACTION && prints_value(walk, node->pipe))
                walk->each(walk->arg, 'r', "", node->pipe->commands[0].args[0]->offset);
        }
        bool other_dot = node->kind == NODE_RANGE || node->kind == NODE_WITH;

        walk->n_other_dots += other_dot;
        walk_list(walk, node->list);
        walk->n_other_dots -= other_dot;
        walk_list(walk, node->else_list);
    }
}

void rule_template_reads(const struct tmpl *template,
                         void (*each)(void *arg, char kind, const char *name, size_t offset),
                         void *arg)
{
    struct walk walk = {each, arg, 0};

    walk_list(&walk, template->list);
}
