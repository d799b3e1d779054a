#pragma once

/*
 * Templates of notifications: the language with Alertmanager's data and functions.
 *
 *   files of `templates:` --notice_add()--> library --notice_parse()--> a field's template
 *   page --struct notice_data--> notice_expand() --> text
 *
 *     {{ define "team.title" }}{{ .CommonLabels.alertname }}: {{ len .Alerts.Firing }}{{ end }}
 *
 * Data: .Receiver .Status .Alerts (.Firing, .Resolved) .NotificationReason .GroupLabels
 * .CommonLabels .CommonAnnotations .RouteLabels .ExternalURL; of an alert .Status .Labels
 * .Annotations .StartsAt .EndsAt .GeneratorURL .Fingerprint. Labels have .SortedPairs, .Remove,
 * .Names and .Values. notice_words.c has the definitions that are built in: their names are
 * Alertmanager's, their words ours.
 *
 * A library and its templates live in one arena and never change once they are used: any number
 * of threads may expand them.
 */

#include <stdint.h>

#include "alertd/template/template.h"
#include "lib/base/str.h"
#include "lib/model/labels.h"

enum {
    NOTICE_FILE_BYTES_MAX = 256 * 1024, /* of one file of templates */
};

struct notice_alert {
    bool is_firing;
    const struct labels *labels, *annotations; /* NULL: there were none to say */
    int64_t starts_at_ms;
    int64_t ends_at_ms; /* INT64_MIN: not yet; that is year 1 to templates */
    const char *generator_url, *fingerprint;
};

struct notice_data {
    const char *receiver, *status, *reason, *external_url; /* NULL: "" */
    const struct notice_alert *alerts;
    size_t n_alerts;
    bool has_alerts; /* false: .Alerts is nil */
    const struct labels *group_labels, *common_labels, *common_annotations, *route_labels;
    int64_t now_ms;
};

/* With what is built in. The library's memory is the arena's. */
int notice_library_make(struct arena *arena, struct tmpl_library *ret_library, struct err *reterr);
/* A file: its definitions, and the rest of it under the last part of its path. `text` must
 * outlive the library. TMPL_E_SYNTAX with line and column within it. */
int notice_add(struct tmpl_library *library,
               struct arena *arena,
               const char *path,
               const char *text,
               struct err *reterr);

/* A field's template; names it calls are not looked for yet: tmpl_check_names(). */
int notice_parse(const struct tmpl_library *library,
                 struct arena *arena,
                 const char *text,
                 struct tmpl **ret_template,
                 struct err *reterr);

/* Appends the text; is_html: values are escaped for where they stand. */
int notice_expand(const struct tmpl *template,
                  const struct notice_data *data,
                  bool is_html,
                  struct str *out,
                  struct err *reterr);
/* The built-in definitions as they stand in a file. */
const char *notice_builtin_text(void);
