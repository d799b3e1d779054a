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

#include "alertd/template/template.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

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

struct tmpl_run;
typedef int tmpl_call(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value);

struct tmpl_fn {
    const char *name;
    size_t min, max; /* arguments; max SIZE_MAX: any number */
    tmpl_call *call;
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
    const struct tmpl_fn *fn;
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

struct tmpl {
    const char *text;
    struct node *list;
    struct definition *definitions;
};

/* --- Tokens inside {{ }} (lex.c) ------------------------------------------- */

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

struct tmpl_token {
    enum token_kind kind;
    const char *at; /* where it starts in the text */
    size_t len;
    bool after_space;
    const char *word; /* WORD, FIELD, VARIABLE: a copy in the arena */
    struct value constant;
    bool trims; /* CLOSE: was -}} */
};

struct tmpl_lexer {
    struct arena *arena;
    const char *text; /* the whole, for positions */
    const char *at;
    struct err *reterr;
};

int tmpl_lex(struct tmpl_lexer *lexer, struct tmpl_token *ret_token);
int tmpl_fail_at(const struct tmpl_lexer *lexer, const char *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool tmpl_is_space(char c);

/* --- Evaluation (eval.c) ------------------------------------------------------ */

struct variable {
    const char *name;
    struct value value;
};

enum {
    VARIABLES_MAX = 64
};

struct tmpl_run {
    const struct tmpl *template;
    const void *data; /* the language's own */
    int64_t now_ms;
    struct arena *arena;
    struct str *out;
    struct variable variables[VARIABLES_MAX];
    size_t n_variables;
    size_t n_steps;
    unsigned depth;
    size_t offset; /* of what is being evaluated, for errors */
    struct err *reterr;
};

struct tmpl_input {
    const void *data; /* for the language's functions */
    int64_t now_ms;
    struct value dot;
    const struct variable *variables; /* besides `$` */
    size_t n_variables;
};

/* Appends the expanded text. On TMPL_E_EXPAND `out` holds what came before. */
int tmpl_expand(const struct tmpl *template,
                const struct tmpl_input *input,
                struct str *out,
                struct err *reterr);

/* TMPL_E_EXPAND with the place of what is being evaluated. */
int tmpl_fail(struct tmpl_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int tmpl_fail_memory(struct tmpl_run *run);

/* NULL, or why this call can't work: too few arguments, or arguments to what takes none.
 * Go finds this only when it runs; rule files in use have it, so it loads and lint tells. */
const char *tmpl_wrong_call(const struct command *command, bool is_piped);

/* {{ template "name" dot }} into out; for `tmpl`. */
int tmpl_run_named(struct tmpl_run *run, const char *name, const struct value *dot);

bool value_is_true(const struct value *value);
/* A method of a time or a duration: (toTime 5).Format "2006". -ENOENT: there is none. */
int tmpl_method(struct tmpl_run *run,
                const struct value *receiver,
                const char *name,
                const struct value *args,
                size_t n,
                struct value *ret_value);

/* --- Values as text (print.c, format.c) ------------------------------ */

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

/* What a template may call, and the variables it has besides `$`. Both end with NULL. */
struct tmpl_language {
    const struct tmpl_fn *const *families;
    const char *const *variables;
};

const struct tmpl_fn *tmpl_fn_find(const struct tmpl_language *language, const char *name);
/* The nearest known name, or NULL. */
const char *tmpl_fn_near(const struct tmpl_language *language, const char *name);

/* The text so far moves into the arena and becomes a value. */
int tmpl_give_text(struct tmpl_run *run, struct str *text, struct value *ret_value);
int tmpl_need_text(struct tmpl_run *run, const struct value *value, const char **ret_text);
/* A number, or text that reads as one. */
int tmpl_need_float(struct tmpl_run *run, const struct value *value, double *ret_real);

/* Tables end with {0}. */
extern const struct tmpl_fn tmpl_basic_fns[]; /* fn_basic.c: Go's own */
extern const struct tmpl_fn tmpl_text_fns[];  /* fn_text.c */
extern const struct tmpl_fn tmpl_human_fns[]; /* fn_human.c */

/* urlquery, by any name. */
tmpl_call tmpl_fn_urlquery;
/* As a part of a URL's query: a blank is a plus. */
void tmpl_add_query(struct str *out, const char *text);
/* Four significant digits. */
void tmpl_add_digits(struct str *out, double value);
/* The same of what fits below 1000, and a unit: 1.5k, 20m. */
void tmpl_add_scaled(struct str *out, double value);

/* "2006-01-02 15:04:05.999 +0000 UTC" of nanoseconds since 1970. */
void tmpl_print_time(int64_t at_ns, struct str *out);
/* As Go's time.Duration prints: "1h0m0.5s". */
void tmpl_print_duration(int64_t duration_ns, struct str *out);
