#pragma once

/*
 * Inside of templates: values, the tree, and what the files of the engine share.
 *
 *   node (list)  TEXT | ACTION pipe | IF WITH RANGE pipe, list, else | TEMPLATE | BREAK ...
 *   pipe         [$x :=] command | command | ...
 *   command      operand operand ...      the first is called with the rest
 *   operand      . | nil | constant | $x | function | ( pipe ), each with .fields behind
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/rule/template.h"

enum value_kind {
    VALUE_NONE, /* nil, and what a missing key gives */
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_TEXT,
    VALUE_LABELS,   /* a map of text to text: a missing key is "" */
    VALUE_LIST,     /* of values */
    VALUE_MAP,      /* of names to values: a missing key is nil */
    VALUE_RECORD,   /* fixed fields: a missing one is an error */
    VALUE_TIME,     /* nanoseconds since 1970 */
    VALUE_DURATION, /* nanoseconds */
};

struct value {
    enum value_kind kind;
    bool is_true;   /* BOOL */
    int64_t number; /* INT, TIME, DURATION */
    double real;    /* FLOAT */
    const char *text;
    const struct labels *labels;
    const struct value *items; /* LIST, MAP, RECORD */
    const char *const *names;  /* MAP, RECORD */
    size_t n;
};

struct rule_template_run;
typedef int rule_template_call(struct rule_template_run *run,
                               const struct value *args,
                               size_t n,
                               struct value *ret_value);

struct rule_template_fn {
    const char *name;
    size_t min, max; /* arguments; max SIZE_MAX: any number */
    rule_template_call *call;
    bool lazy; /* and, or: arguments are evaluated as long as they matter */
};

enum operand_kind {
    OPERAND_DOT,
    OPERAND_CONSTANT,
    OPERAND_VARIABLE,
    OPERAND_FUNCTION,
    OPERAND_PIPE,
};

struct operand {
    enum operand_kind kind;
    size_t offset; /* in the text, for errors */
    struct value constant;
    const char *name; /* variable, with its $ */
    const struct rule_template_fn *fn;
    const struct pipe *pipe;
    const char **fields;
    size_t n_fields, fields_capacity;
};

struct command {
    struct operand **args;
    size_t n, capacity;
};

struct pipe {
    const char *vars[2];
    size_t n_vars;
    bool assigns; /* = instead of := */
    struct command *commands;
    size_t n, capacity;
    size_t offset;
};

enum node_kind {
    NODE_TEXT,
    NODE_ACTION,
    NODE_IF,
    NODE_WITH,
    NODE_RANGE,
    NODE_TEMPLATE,
    NODE_BREAK,
    NODE_CONTINUE,
};

struct node {
    enum node_kind kind;
    size_t offset;
    const char *text; /* TEXT; the name of a TEMPLATE */
    size_t len;
    const struct pipe *pipe; /* NULL: none */
    struct node *list, *else_list;
    struct node *next;
};

struct definition {
    const char *name;
    struct node *list;
    struct definition *next;
};

struct rule_template {
    const char *text;
    struct node *list;
    struct definition *definitions;
};

/* --- Tokens inside {{ }} (template_lex.c) ------------------------------------------- */

enum token_kind {
    TOKEN_CLOSE, /* }} */
    TOKEN_WORD,
    TOKEN_FIELD,    /* .name, text without the dot */
    TOKEN_VARIABLE, /* $name */
    TOKEN_DOT,
    TOKEN_CONSTANT,
    TOKEN_PIPE,
    TOKEN_OPEN_PAREN,
    TOKEN_CLOSE_PAREN,
    TOKEN_DECLARE, /* := */
    TOKEN_ASSIGN,  /* = */
    TOKEN_COMMA,
};

struct rule_template_token {
    enum token_kind kind;
    const char *at; /* where it starts in the text */
    size_t len;
    bool after_space;
    const char *word; /* WORD, FIELD, VARIABLE: a copy in the arena */
    struct value constant;
    bool trims; /* CLOSE: was -}} */
};

struct rule_template_lexer {
    struct arena *arena;
    const char *text; /* the whole, for positions */
    const char *at;
    struct err *reterr;
};

int rule_template_lex(struct rule_template_lexer *lexer, struct rule_template_token *ret_token);
int rule_template_fail_at(const struct rule_template_lexer *lexer,
                          const char *at,
                          const char *fmt,
                          ...) __attribute__((format(printf, 3, 4)));
bool rule_template_is_space(char c);

/* --- Evaluation (template_eval.c) ------------------------------------------------------ */

struct variable {
    const char *name;
    struct value value;
};

enum {
    VARIABLES_MAX = 64
};

struct rule_template_run {
    const struct rule_template *template;
    const struct rule_template_data *data; /* now, query, external_url */
    struct arena *arena;
    struct str *out;
    struct variable variables[VARIABLES_MAX];
    size_t n_variables;
    size_t n_steps;
    unsigned depth;
    size_t offset; /* of what is being evaluated, for errors */
    struct err *reterr;
};

/* Expands with any value as the dot and no variables but `$`: for tests of the language. */
int rule_template_expand_dot(const struct rule_template *template,
                             const struct rule_template_data *data,
                             const struct value *dot,
                             struct str *out,
                             struct err *reterr);

/* RULE_TEMPLATE_E_EXPAND with the place of what is being evaluated. */
int rule_template_fail(struct rule_template_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int rule_template_fail_memory(struct rule_template_run *run);

/* NULL, or why this call can't work: too few arguments, or arguments to what takes none.
 * Go finds this only when it runs; rule files in use have it, so it loads and lint tells. */
const char *rule_template_wrong_call(const struct command *command, bool is_piped);

/* {{ template "name" dot }} into out; for `tmpl`. */
int rule_template_run_named(struct rule_template_run *run,
                            const char *name,
                            const struct value *dot);

bool value_is_true(const struct value *value);
/* A method of a time or a duration: (toTime 5).Format "2006". -ENOENT: there is none. */
int rule_template_method(struct rule_template_run *run,
                         const struct value *receiver,
                         const char *name,
                         const struct value *args,
                         size_t n,
                         struct value *ret_value);

/* --- Values as text (template_print.c, template_format.c) ------------------------------ */

struct value value_text(const char *text);
struct value value_int(int64_t number);
struct value value_float(double real);
struct value value_bool(bool is_true);
struct value value_labels(const struct labels *labels);
const char *value_type_name(const struct value *value); /* Go's, for words */

/* As Go's %v prints it. */
void value_print(const struct value *value, struct str *out);
/* As fmt.Sprint: a space between two that are not text. */
void value_print_all(const struct value *values, size_t n, struct str *out);
/* The same for html, js and urlquery: nil as an action shows it. */
void value_print_shown(const struct value *values, size_t n, struct str *out);
/* printf; what the format gets wrong is told in the text, as Go does. */
void value_format(const char *format, const struct value *args, size_t n, struct str *out);

/* --- Functions ------------------------------------------------------------------------- */

const struct rule_template_fn *rule_template_fn_find(const char *name);
/* The nearest known name, or NULL. */
const char *rule_template_fn_near(const char *name);

/* The text so far moves into the arena and becomes a value. */
int rule_template_give_text(struct rule_template_run *run,
                            struct str *text,
                            struct value *ret_value);
int rule_template_need_text(struct rule_template_run *run,
                            const struct value *value,
                            const char **ret_text);
/* A number, or text that reads as one. */
int rule_template_need_float(struct rule_template_run *run,
                             const struct value *value,
                             double *ret_real);

extern const struct rule_template_fn
    rule_template_human_fns[];                                 /* template_human.c, ends with {0} */
extern const struct rule_template_fn rule_template_text_fns[]; /* template_text.c */
extern const struct rule_template_fn rule_template_query_fns[]; /* template_query.c */
extern const struct rule_template_fn rule_template_basic_fns[]; /* template_basic.c */

/* "2006-01-02 15:04:05.999 +0000 UTC" of nanoseconds since 1970. */
void rule_template_print_time(int64_t at_ns, struct str *out);
/* As Go's time.Duration prints: "1h0m0.5s". */
void rule_template_print_duration(int64_t duration_ns, struct str *out);
