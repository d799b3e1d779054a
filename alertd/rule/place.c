/*
 * Where in its file a rule went wrong when it was evaluated. See group.h.
 */

#include <string.h>

#include "alertd/rule/group.h"

void rule_place(const struct rule *rule,
                const struct err *err,
                unsigned *ret_line,
                unsigned *ret_column)
{
    const struct yaml_node *scalar = rule->expr_node;
    unsigned line = 1;

    if (!err->line || !scalar || !scalar->text) {
        *ret_line = rule->node->line;
        *ret_column = rule->node->column;
        return;
    }
    size_t offset = strspn(scalar->text, " \t\r\n"); /* expr_text begins behind it */
    for (; line < err->line && scalar->text[offset]; offset++)
        line += scalar->text[offset] == '\n';
    offset += err->column ? err->column - 1 : 0;
    yaml_place(scalar, offset, ret_line, ret_column);
}
