#pragma once

/*
 * Rules as they are read from a Prometheus rule file.
 *
 *     file --rule_file_parse()--> struct rule_file
 *       groups[]  name, interval, limit, query_offset
 *         rules[]   alert or record, expression parsed, durations, labels, annotations
 *           texts[]   a label or annotation: name, template
 *
 * Invariants
 *  (1) a file is never changed after it is parsed; it is counted, so that an evaluation
 *      goes on with the file it began with while another is swapped in.
 *  (2) everything in it lives in its arena or its YAML tree; every place a person may have
 *      to look at is a YAML node, which knows line and column.
 *  (3) labels of the group are merged into its rules (the rule's own win); texts are sorted
 *      by name, in which order they are expanded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alertd/promql/promql.h"
#include "alertd/rule/template.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/yaml/yaml.h"

enum {
    RULE_E_FILE = 1, /* not a rule file: reterr has the first place and words */

    RULE_INTERVAL_DEFAULT_MS = 60 * 1000, /* Prometheus' evaluation_interval */
    RULE_FINDINGS_MAX = 10 * 1000,        /* told of one file; the rest is only counted */
};

struct rule_text {
    const char *name;
    const char *text;
    const struct tmpl *template;
    const struct yaml_node *node; /* the value; NULL when it was empty */
};

struct rule {
    bool is_alert; /* otherwise it records */
    const char *name;
    const char *expr_text; /* as written, without the white space around it */
    const struct promql_expr *expr;
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    struct rule_text *labels;
    size_t n_labels;
    struct rule_text *annotations;
    size_t n_annotations;
    const struct yaml_node *node;      /* the rule */
    const struct yaml_node *expr_node; /* its expression */
};

struct rule_group {
    const char *name;
    int64_t interval_ms; /* never 0: the default is filled in */
    bool has_interval;   /* it was written */
    int64_t query_offset_ms;
    bool has_query_offset; /* it was written: 0s too overrides a server's own */
    size_t limit;          /* 0: none */
    struct rule *rules;
    size_t n_rules;
    const struct yaml_node *node;
};

struct rule_file {
    const char *source; /* the name it is known by: "host/alerts.yml" */
    struct rule_group *groups;
    size_t n_groups;
    size_t n_rules; /* in all groups */
    struct yaml *yaml;
    struct arena arena;
    unsigned refs;
};

/* What is wrong or doubtful in a file. */
enum rule_severity {
    RULE_ERROR,   /* it does not load */
    RULE_WARNING, /* it loads, and probably does not do what was meant */
    RULE_ADVICE,  /* it works, and could serve people better */
};

/* From the first character to just behind the last, both 1-based and counted in characters. */
struct rule_span {
    unsigned line, column;
    unsigned end_line, end_column;
};

struct rule_finding {
    enum rule_severity severity;
    const char *id; /* "dead-label": a literal */
    struct rule_span span;
    char *text; /* what comes of it, one sentence */
    char *fix;  /* what to write instead; NULL: nothing to propose */
};

struct rule_findings {
    struct rule_finding *at;
    size_t n, capacity;
    size_t n_untold; /* beyond RULE_FINDINGS_MAX */
};

/* Reads one file. `findings` (may be NULL) gets every error in it, reterr the first.
 * 0 or RULE_E_FILE. rule_file_unref(). */
int rule_file_parse(const char *source,
                    const char *text,
                    size_t len,
                    struct rule_findings *findings,
                    struct rule_file **ret_file,
                    struct err *reterr);
struct rule_file *rule_file_ref(struct rule_file *file);
void rule_file_unref(struct rule_file *file); /* NULL is fine; thread-safe */

void rule_findings_add(struct rule_findings *findings,
                       enum rule_severity severity,
                       const char *id,
                       struct rule_span span,
                       const char *fmt,
                       ...) __attribute__((format(printf, 5, 6)));
/* The way out of what was added last. */
void rule_findings_fix(struct rule_findings *findings, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Those from index `from` on, by place, then by id. */
void rule_findings_sort(struct rule_findings *findings, size_t from);
void rule_findings_done(struct rule_findings *findings);
const char *rule_severity_name(enum rule_severity severity);

/* Where a node is written: a scalar whole, of a map or list its first character. */
struct rule_span rule_span_of(const struct yaml_node *node);
/* Where the bytes [from, to) of a scalar's text are written. */
struct rule_span rule_span_in(const struct yaml_node *scalar, size_t from, size_t to);

/* The place in the file of what went wrong when the rule was evaluated: err's line and column
 * are the expression's; without them it is the rule's own place. */
void rule_place(const struct rule *rule,
                const struct err *err,
                unsigned *ret_line,
                unsigned *ret_column);

/* The text of a label or annotation, NULL when the rule has none of that name. */
const char *rule_text_find(const struct rule_text *texts, size_t n, const char *name);

/* YAML that Prometheus reads, canonical: equal rules print equal. */
void rule_print(const struct rule *rule, unsigned indent, struct str *out);
void rule_group_print(const struct rule_group *group, struct str *out);

/* `groups:` and all that are chosen, a file to keep: sources as comments, no group's name
 * twice (export.c). Returns how many groups were chosen. */
struct rule_export_choice {
    const char *source; /* NULL: all files */
    const char *group;  /* NULL: all groups */
};
size_t rule_export(const struct rule_file *const *files,
                   size_t n,
                   const struct rule_export_choice *choice,
                   struct str *out);
