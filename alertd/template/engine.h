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
    VALUE_TIME,     /* nanoseconds since 1970; VALUE_TIME_ZERO is Go's zero time, year 1 */
    VALUE_DURATION, /* nanoseconds */
};

/* What an HTML text may take as it is. */
enum value_trust {
    TRUST_NONE,
    TRUST_HTML, /* safeHtml */
    TRUST_URL,  /* safeUrl */
};

struct tmpl_type;
struct zone;

struct value {
    enum value_kind kind;
    enum value_trust trust; /* TEXT */
    bool is_true;           /* BOOL */
    bool is_nil;            /* LABELS, LIST: null where JSON is written */
    int64_t number;         /* INT, TIME, DURATION */
    double real;            /* FLOAT */
    const char *text;
    const struct labels *labels;
    const struct value *items; /* LIST, MAP, RECORD */
    const char *const *names;  /* MAP, RECORD */
    size_t n;
    const struct tmpl_type *type; /* methods and looks of its own; NULL: none */
    const struct zone *zone;      /* TIME; NULL: UTC */
};

#define VALUE_TIME_ZERO INT64_MIN

struct tmpl_run;
typedef int tmpl_call(struct tmpl_run *run,
                      const struct value *args,
                      size_t n,
                      struct value *ret_value);

/* What a value has besides its kind. Members may be NULL. */
struct tmpl_type {
    const char *name;
    /* -ENOENT: it has no such method. */
    int (*method)(struct tmpl_run *run,
                  const struct value *receiver,
                  const char *name,
                  const struct value *args,
                  size_t n,
                  struct value *ret_value);
    void (*print)(const struct value *value, struct str *out);
    const char *const *json_names; /* of a RECORD's fields; NULL there: left out */
};

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

/* A text and what to call it in words; NULL: the one that is expanded. */
struct tmpl_source {
    const char *name;
    const char *text;
};

struct definition {
    const char *name;
    struct node *list;
    struct tmpl_source source;
    bool is_users; /* not built in */
    struct definition *next;
};

struct tmpl {
    const struct tmpl_language *language;
    struct tmpl_source source;
    struct node *list;
    struct definition *definitions;
    const struct tmpl_library *library; /* whose definitions it may call too; NULL: none */
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

/* --- Evaluation (eval.c, run.c) ------------------------------------------------------ */

struct variable {
    const char *name;
    struct value value;
};

enum {
    VARIABLES_MAX = 64,
    TMPL_RUN_BYTES_MAX = 4 * 1024 * 1024,
};

/* routeLabels and what else expands a text within a text: whose turn it is. */
struct tmpl_expanding {
    const char *name;
    const struct tmpl_expanding *outer;
};

struct tmpl_html;

struct tmpl_run {
    const struct tmpl *template;
    const struct tmpl_source *source; /* of what is being evaluated */
    struct tmpl_html *html;           /* NULL: plain text */
    const struct value *root;         /* the dot it began with */
    const struct tmpl_expanding *expanding;
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
    bool is_html; /* values are escaped for where in an HTML text they stand */
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

/* Nothing but space. */
bool tmpl_is_blank(const struct node *list);

/* NULL, or why this call can't work: too few arguments, or arguments to what takes none.
 * Go finds this only when it runs; rule files in use have it, so it loads and lint tells. */
const char *tmpl_wrong_call(const struct command *command, bool is_piped);

/* {{ template "name" dot }} into out; for `tmpl`. */
int tmpl_run_named(struct tmpl_run *run, const char *name, const struct value *dot);

/* A text parsed and expanded as a part of this run, with the run's first dot. */
int tmpl_run_text(struct tmpl_run *run, const char *text);

bool value_is_true(const struct value *value);

/* Between eval.c and run.c. */
int tmpl_step(struct tmpl_run *run);
int tmpl_set_variable(struct tmpl_run *run,
                      const char *name,
                      bool assigns,
                      const struct value *value);
/* The value alone; who declares variables for it depends on the block. */
int tmpl_eval_commands(struct tmpl_run *run,
                       const struct pipe *pipe,
                       const struct value *dot,
                       struct value *ret_value);
int tmpl_eval_pipe(struct tmpl_run *run,
                   const struct pipe *pipe,
                   const struct value *dot,
                   struct value *ret_value);
/* A method of a time or a duration: (toTime 5).Format "2006". -ENOENT: there is none. */
int tmpl_time_method(struct tmpl_run *run,
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
    size_t text_max; /* 0: TMPL_TEXT_MAX */
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

/* Words that begin large: what is behind the first letter stays, or goes on small. Letters of all
 * alphabets that have large and small ones. */
enum tmpl_rest {
    TMPL_REST_STAYS,
    TMPL_REST_SMALL,
};
int tmpl_give_title(struct tmpl_run *run,
                    const struct value *arg,
                    enum tmpl_rest rest,
                    struct value *ret_value);

/* urlquery, by any name. */
tmpl_call tmpl_fn_urlquery;
/* As a part of a URL's query: a blank is a plus. */
void tmpl_add_query(struct str *out, const char *text);
/* Four significant digits. */
void tmpl_add_digits(struct str *out, double value);
/* The same of what fits below 1000, and a unit: 1.5k, 20m. */
void tmpl_add_scaled(struct str *out, double value);

/* "2006-01-02 15:04:05.999 +0000 UTC". */
void tmpl_print_time(const struct value *time, struct str *out);
/* By Go's layout. */
void tmpl_format_time(const struct value *time, const char *layout, struct str *out);
/* The other way round, in UTC where the layout says no offset. False: it is no such time. */
bool tmpl_parse_time(const char *layout, const char *text, struct value *ret_time);
/* As encoding/json has it: <, > and & escaped, maps by name. */
void value_json(const struct value *value, struct str *out);
/* As Go's time.Duration prints: "1h0m0.5s". */
void tmpl_print_duration(int64_t duration_ns, struct str *out);

/* --- HTML (html.c: where we are; html_escape.c: what that asks for) ---------------------- */

enum html_state {
    HTML_TEXT,
    HTML_TAG_NAME,
    HTML_TAG, /* between attributes */
    HTML_NAME,
    HTML_AFTER_NAME,
    HTML_BEFORE_VALUE,
    HTML_VALUE,
    HTML_RAW, /* script, style, textarea, title */
    HTML_COMMENT,
};

enum html_attribute {
    HTML_PLAIN,
    HTML_URL,
    HTML_CSS,
    HTML_JS,
};

enum html_url_part {
    HTML_URL_START,
    HTML_URL_PATH,
    HTML_URL_QUERY,
};

/* Where in an HTML text the output has come to. */
struct tmpl_html {
    enum html_state state;
    enum html_attribute attribute;
    enum html_url_part url_part;
    char quote; /* of a value; 0: none */
    bool is_closing;
    char name[24]; /* of the tag or attribute being read, in small letters */
    size_t name_len;
    char raw[12]; /* the element whose raw text this is */
};

/* Text of the template itself: it moves the state. Comments are left out. */
void tmpl_html_text(struct tmpl_html *html, const char *text, size_t len, struct str *out);
/* What an action gives, made harmless for where it stands. */
void tmpl_html_value(struct tmpl_html *html, const struct value *value, struct str *out);

enum html_attribute tmpl_html_attribute(const char *name);
