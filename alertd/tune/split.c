/*
 * Taking a rule's comparison out of its text. See split.h.
 */

#include "alertd/tune/split.h"

#include <math.h>
#include <string.h>

#include "alertd/promql/ast.h"
#include "lib/base/float.h"

enum {
    LEAVES_MAX = 32, /* thresholds of one rule that are offered */
};

/* A comparison by which a rule decides. */
struct leaf {
    const struct promql_expr *comparison;
    const struct promql_expr *left;   /* the vector that is compared */
    const struct promql_expr *number; /* NULL: two vectors */
    double value;
    enum surface_op op;
};

struct splitting {
    const struct promql_expr *root;
    const char *text;
    struct leaf leaves[LEAVES_MAX];
    size_t n_leaves;
};

/* --- what is what --- */

static bool fold(enum promql_operator op, double left, double right, double *ret_value)
{
    switch (op) {
    case OPERATOR_ADD: *ret_value = left + right; return true;
    case OPERATOR_SUBTRACT: *ret_value = left - right; return true;
    case OPERATOR_MULTIPLY: *ret_value = left * right; return true;
    case OPERATOR_DIVIDE: *ret_value = left / right; return true;
    case OPERATOR_MODULO: *ret_value = fmod(left, right); return true;
    case OPERATOR_POWER: *ret_value = pow(left, right); return true;
    default: return false;
    }
}

/* A number, or what is computed of numbers: 14.4 * 0.001. */
static bool number_of(const struct promql_expr *expr, double *ret_value)
{
    double left;
    double right;

    expr = expr_unwrap(expr);
    if (expr->kind == PROMQL_UNARY && number_of(expr->unary.of, ret_value)) {
        *ret_value = expr->unary.minus ? -*ret_value : *ret_value;
        return true;
    }
    if (expr->kind == PROMQL_BINARY)
        return number_of(expr->binary.left, &left) && number_of(expr->binary.right, &right) &&
               fold(expr->binary.op, left, right, ret_value);
    if (expr->kind != PROMQL_NUMBER)
        return false;
    *ret_value = expr->number.value;
    return true;
}

static bool is_up(enum surface_op op)
{
    return op == SURFACE_ABOVE || op == SURFACE_AT_LEAST;
}

static bool op_of(enum promql_operator op, bool is_mirrored, enum surface_op *ret_op)
{
    switch (op) {
    case OPERATOR_GREATER: *ret_op = is_mirrored ? SURFACE_BELOW : SURFACE_ABOVE; return true;
    case OPERATOR_LESS: *ret_op = is_mirrored ? SURFACE_ABOVE : SURFACE_BELOW; return true;
    case OPERATOR_GREATER_EQUAL:
        *ret_op = is_mirrored ? SURFACE_AT_MOST : SURFACE_AT_LEAST;
        return true;
    case OPERATOR_LESS_EQUAL:
        *ret_op = is_mirrored ? SURFACE_AT_LEAST : SURFACE_AT_MOST;
        return true;
    default: return false;
    }
}

static bool leaf_of(const struct promql_expr *expr, struct leaf *ret_leaf)
{
    struct leaf leaf = {.comparison = expr};
    bool is_mirrored = false;

    if (expr->kind != PROMQL_BINARY || expr->binary.return_bool ||
        !operator_is_comparison(expr->binary.op))
        return false;
    const struct promql_expr *left = expr->binary.left;
    const struct promql_expr *right = expr->binary.right;
    leaf.left = left;
    if (left->type == PROMQL_VECTOR && number_of(right, &leaf.value)) {
        leaf.number = right;
    } else if (right->type == PROMQL_VECTOR && number_of(left, &leaf.value)) {
        leaf.number = left;
        leaf.left = right;
        is_mirrored = true;
    } else if (left->type != PROMQL_VECTOR || right->type != PROMQL_VECTOR) {
        return false;
    }
    if (!op_of(expr->binary.op, is_mirrored, &leaf.op) || (leaf.number && !isfinite(leaf.value)))
        return false;
    *ret_leaf = leaf;
    return true;
}

static void find_leaves(struct splitting *splitting, const struct promql_expr *expr)
{
    if (splitting->n_leaves < LEAVES_MAX && leaf_of(expr, &splitting->leaves[splitting->n_leaves]))
        splitting->n_leaves++;
    for (size_t i = 0; expr_child(expr, i); i++)
        find_leaves(splitting, expr_child(expr, i));
}

static bool holds(const struct promql_expr *expr, const struct promql_expr *inner)
{
    return expr->start <= inner->start && inner->end <= expr->end;
}

/* Its two sides find each other by all their labels, so that they may change places. */
static bool is_plain(const struct promql_expr *expr)
{
    const struct promql_matching *matching = &expr->binary.matching;

    return !matching->on && matching->labels.n == 0;
}

/* The greatest of those that pass passes just when one of them does; downwards the least. */
static bool folds_through(const struct promql_expr *expr, enum surface_op op)
{
    return expr->kind == PROMQL_AGGREGATE &&
           expr->aggregate.op == (is_up(op) ? AGGREGATOR_MAX : AGGREGATOR_MIN);
}

/* --- the text of the values --- */

static void add_text(const struct splitting *splitting, uint32_t from, uint32_t to, struct str *out)
{
    str_addn(out, splitting->text + from, to - from);
}

static void add_node(const struct splitting *splitting,
                     const struct promql_expr *expr,
                     struct str *out)
{
    str_addc(out, '(');
    add_text(splitting, expr->start, expr->end, out);
    str_addc(out, ')');
}

/* What stands between the operator's sign and its right side: on (job) group_left () ... */
static void add_matching(const struct splitting *splitting,
                         const struct promql_expr *expr,
                         struct str *out)
{
    uint32_t from = expr->binary.op_start + (uint32_t)strlen(operator_name(expr->binary.op));

    add_text(splitting, from, expr->binary.right->start, out);
    uint32_t last = expr->binary.right->start;
    while (last > from && strchr(" \t\r\n(", splitting->text[last - 1]))
        last--;
    if (expr->binary.matching.card != CARD_ONE_TO_ONE && splitting->text[last - 1] != ')')
        str_add(out, " () "); /* group_left takes what stands in parentheses behind it for labels */
}

/* In place of the comparison: what is compared. */
static void add_compared(const struct splitting *splitting,
                         const struct leaf *leaf,
                         struct str *out)
{
    add_node(splitting, leaf->left, out);
    if (leaf->number)
        return;
    str_add(out, " /");
    add_matching(splitting, leaf->comparison, out);
    str_addc(out, '(');
    add_node(splitting, leaf->comparison->binary.right, out);
    str_add(out, " > 0)");
}

static bool add_value(const struct splitting *splitting,
                      const struct promql_expr *expr,
                      const struct leaf *leaf,
                      struct str *out);

static bool add_value_of_set(const struct splitting *splitting,
                             const struct promql_expr *expr,
                             const struct leaf *leaf,
                             struct str *out)
{
    const struct promql_expr *left = expr->binary.left;
    const struct promql_expr *right = expr->binary.right;
    bool is_left = holds(left, leaf->comparison);
    bool fits;

    if (expr->binary.op == OPERATOR_OR) {
        if (!is_plain(expr))
            return false;
        /* The other side alone lets it fire, at any threshold; NaN^0 is 1. */
        add_node(splitting, is_left ? right : left, out);
        str_add(out, is_up(leaf->op) ? " ^ 0 * Inf or (" : " ^ 0 * -Inf or (");
        fits = add_value(splitting, is_left ? left : right, leaf, out);
        str_addc(out, ')');
        return fits;
    }
    if (is_left) {
        str_addc(out, '(');
        fits = add_value(splitting, left, leaf, out);
        str_addc(out, ')');
        add_text(splitting, left->end, expr->end, out);
        return fits;
    }
    if (expr->binary.op != OPERATOR_AND || !is_plain(expr))
        return false;
    str_addc(out, '(');
    fits = add_value(splitting, right, leaf, out);
    str_add(out, ") and ");
    add_node(splitting, left, out);
    return fits;
}

/* The rule with what is compared in place of the comparison. False: not in this tree. */
static bool add_value(const struct splitting *splitting,
                      const struct promql_expr *expr,
                      const struct leaf *leaf,
                      struct str *out)
{
    if (expr == leaf->comparison) {
        add_compared(splitting, leaf, out);
        return true;
    }
    if (expr->kind == PROMQL_PAREN) {
        str_addc(out, '(');
        bool fits = add_value(splitting, expr->paren, leaf, out);
        str_addc(out, ')');
        return fits;
    }
    if (folds_through(expr, leaf->op) && holds(expr->aggregate.of, leaf->comparison)) {
        add_text(splitting, expr->start, expr->aggregate.of->start, out);
        bool fits = add_value(splitting, expr->aggregate.of, leaf, out);
        add_text(splitting, expr->aggregate.of->end, expr->end, out);
        return fits;
    }
    if (expr->kind == PROMQL_BINARY && operator_is_set(expr->binary.op))
        return add_value_of_set(splitting, expr, leaf, out);
    return false;
}

/* --- all thresholds as one factor --- */

/* Leaves of a tree of and and or, all of one direction, each above zero: A > a and B > b is
 * min(A / a, B / b) > 1. */
static bool add_factor(const struct splitting *splitting,
                       const struct promql_expr *expr,
                       enum surface_op op,
                       size_t *n_leaves,
                       struct str *out);

/* Both sides, each twice: which of the two decides. */
static bool add_factor_of_set(const struct splitting *splitting,
                              const struct promql_expr *expr,
                              enum surface_op op,
                              size_t *n_leaves,
                              struct str *out)
{
    STR_AUTO struct str left = STR_INIT(PROMQL_TEXT_MAX);
    STR_AUTO struct str right = STR_INIT(PROMQL_TEXT_MAX);
    size_t n_right = 0; /* counted once */
    bool is_and = expr->binary.op == OPERATOR_AND;

    if (expr->binary.op == OPERATOR_UNLESS || !is_plain(expr) ||
        !add_factor(splitting, expr->binary.left, op, n_leaves, &left) ||
        !add_factor(splitting, expr->binary.right, op, &n_right, &right))
        return false;
    *n_leaves += n_right;
    const char *first = is_and == is_up(op) ? "<=" : ">=";
    str_addf(out, "(%s %s %s or %s %s %s", str_text(&left), first, str_text(&right),
             str_text(&right), first, str_text(&left));
    if (!is_and) /* one alone is enough; NaN is not one */
        str_addf(out, " or %s %s or %s", str_text(&left), is_up(op) ? "> -Inf" : "< Inf",
                 str_text(&right));
    str_addc(out, ')');
    return true;
}

static bool add_factor(const struct splitting *splitting,
                       const struct promql_expr *expr,
                       enum surface_op op,
                       size_t *n_leaves,
                       struct str *out)
{
    struct leaf leaf;

    if (leaf_of(expr, &leaf)) {
        if (!leaf.number || leaf.op != op || leaf.value <= 0)
            return false;
        ++*n_leaves;
        str_addc(out, '(');
        add_node(splitting, leaf.left, out);
        str_add(out, " / ");
        add_node(splitting, leaf.number, out);
        str_addc(out, ')');
        return true;
    }
    if (expr->kind == PROMQL_PAREN)
        return add_factor(splitting, expr->paren, op, n_leaves, out);
    if (folds_through(expr, op)) {
        add_text(splitting, expr->start, expr->aggregate.of->start, out);
        bool fits = add_factor(splitting, expr->aggregate.of, op, n_leaves, out);
        add_text(splitting, expr->aggregate.of->end, expr->end, out);
        return fits;
    }
    if (expr->kind == PROMQL_BINARY && operator_is_set(expr->binary.op))
        return add_factor_of_set(splitting, expr, op, n_leaves, out);
    return false;
}

/* --- the choices --- */

/* Which comes first: what a person most likely means. */
enum rank {
    RANK_TOGETHER,
    RANK_THRESHOLD,
    RANK_VECTORS,
    RANK_ZERO, /* `> 0` is most often a gate */
    RANK_AGAIN,
    RANK_PRESENCE,
    N_RANKS,
};

struct choices {
    struct split_choice *at;
    size_t n;
    enum rank ranks[LEAVES_MAX + 2];
    struct arena *arena;
    bool is_spent;
};

static void add_choice(struct choices *choices,
                       enum rank rank,
                       const struct split_choice *choice,
                       const struct str *expr)
{
    size_t at = choices->n;
    struct split_choice made = *choice;

    if (expr) {
        made.expr = expr->full ? NULL : arena_strndup(choices->arena, str_text(expr), expr->len);
        choices->is_spent |= !made.expr;
    }
    made.places = arena_array(choices->arena, choice->n_places + 1, sizeof(*made.places));
    if (!made.places) {
        choices->is_spent = true;
        return;
    }
    if (choice->n_places > 0)
        memcpy(made.places, choice->places, choice->n_places * sizeof(*made.places));
    for (; at > 0 && choices->ranks[at - 1] > rank; at--) {
        choices->at[at] = choices->at[at - 1];
        choices->ranks[at] = choices->ranks[at - 1];
    }
    choices->at[at] = made;
    choices->ranks[at] = rank;
    choices->n++;
}

static void add_leaf(const struct splitting *splitting,
                     const struct leaf *leaf,
                     struct choices *choices)
{
    STR_AUTO struct str expr = STR_INIT(PROMQL_TEXT_MAX);
    const struct promql_expr *moved = leaf->number ? leaf->number : leaf->comparison->binary.right;
    struct split_place place = {moved->start, moved->end, leaf->number ? leaf->value : 1};
    struct split_choice choice = {.places = &place, .n_places = 1, .op = leaf->op};

    choice.now = place.base;
    if (add_value(splitting, splitting->root, leaf, &expr)) {
        choice.way = leaf->number ? SPLIT_ONE : SPLIT_VECTORS;
        choice.words = leaf->number
                           ? "one threshold: all its settings from one pass over what is compared"
                           : "a vector against another: all factors of the right one from one "
                             "pass over their ratio, where the right one is above 0";
        enum rank rank = !leaf->number      ? RANK_VECTORS
                         : leaf->value == 0 ? RANK_ZERO
                                            : RANK_THRESHOLD;
        add_choice(choices, rank, &choice, &expr);
    } else if (leaf->number) {
        choice.way = SPLIT_AGAIN;
        choice.hole = leaf->number;
        choice.words = "a threshold within: the rule is evaluated anew for each threshold, what "
                       "lies beside it once";
        str_cut(&expr, 0);
        add_node(splitting, leaf->left, &expr);
        add_choice(choices, RANK_AGAIN, &choice, &expr);
    }
}

static void add_together(const struct splitting *splitting, struct choices *choices)
{
    STR_AUTO struct str expr = STR_INIT(PROMQL_TEXT_MAX);
    struct split_place places[LEAVES_MAX];
    size_t n_places = 0;
    size_t n = 0;

    if (splitting->n_leaves < 2 ||
        !add_factor(splitting, splitting->root, splitting->leaves[0].op, &n, &expr) || n < 2 ||
        n > splitting->n_leaves || expr.full)
        return;
    for (size_t i = 0; i < splitting->n_leaves; i++) {
        const struct leaf *leaf = &splitting->leaves[i];
        bool is_within = false; /* what another one compares */
        for (size_t k = 0; k < splitting->n_leaves; k++)
            is_within |= k != i && holds(splitting->leaves[k].left, leaf->comparison);
        if (!is_within)
            places[n_places++] = (struct split_place){leaf->number->start, leaf->number->end,
                                                      leaf->value};
    }
    const struct split_choice choice = {
        .way = SPLIT_TOGETHER,
        .op = splitting->leaves[0].op,
        .now = 1,
        .places = places,
        .n_places = n_places,
        .words = "several thresholds moved together: a factor of each, from one pass over the one "
                 "that decides"};
    add_choice(choices, RANK_TOGETHER, &choice, &expr);
}

static void add_presence(const struct splitting *splitting, struct choices *choices)
{
    STR_AUTO struct str expr = STR_INIT(PROMQL_TEXT_MAX);
    const struct split_choice choice = {.way = SPLIT_PRESENCE,
                                        .op = SURFACE_AT_LEAST,
                                        .now = 1,
                                        .words = "no threshold: only `for` can be moved"};

    add_text(splitting, splitting->root->start, splitting->root->end, &expr);
    add_choice(choices, RANK_PRESENCE, &choice, &expr);
}

int split_expr(const struct promql_expr *expr,
               struct arena *arena,
               struct split_choice **ret_choices,
               size_t *ret_n,
               struct err *reterr)
{
    struct splitting splitting = {.root = expr, .text = expr->text};
    struct choices choices = {.at = arena_array(arena, LEAVES_MAX + 2, sizeof(struct split_choice)),
                              .arena = arena};

    if (!choices.at)
        return err_set(reterr, SPLIT_E_LIMIT, "no memory for a rule's thresholds");
    find_leaves(&splitting, expr);
    add_together(&splitting, &choices);
    for (size_t i = 0; i < splitting.n_leaves; i++)
        add_leaf(&splitting, &splitting.leaves[i], &choices);
    add_presence(&splitting, &choices);
    if (choices.is_spent)
        return err_set(reterr, SPLIT_E_LIMIT,
                       "the expression is too long to be taken apart (%d bytes at most)",
                       PROMQL_TEXT_MAX);
    *ret_choices = choices.at;
    *ret_n = choices.n;
    return 0;
}

/* --- and back --- */

void split_text(const struct promql_expr *expr,
                const struct split_choice *choice,
                double threshold,
                struct str *out)
{
    char number[FLOAT_TEXT_MAX];
    uint32_t at = expr->start;

    for (size_t i = 0; i < choice->n_places; i++) {
        const struct split_place *place = &choice->places[i];
        bool is_factor = choice->way == SPLIT_TOGETHER;
        str_addn(out, expr->text + at, place->start - at);
        (void)float_go(is_factor ? threshold * place->base : threshold, number);
        str_add(out, number);
        if (choice->way == SPLIT_VECTORS)
            str_addf(out, " * (%.*s)", (int)(place->end - place->start), expr->text + place->start);
        at = place->end;
    }
    str_addn(out, expr->text + at, expr->end - at);
}

const char *split_way_name(enum split_way way)
{
    static const char *const names[] = {"one", "together", "vectors", "presence", "again"};

    return names[way];
}
