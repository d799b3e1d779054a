#pragma once

/*
 * The agent's configuration: docs/agent.md is its manual, page by page the same keys.
 *
 * Strict: a key nobody knows, a key twice, a value of another kind is an error that
 * says file:line:column. A config is read whole or not at all, so that a reload keeps
 * the old one when the new one is wrong.
 */

#include <stddef.h>
#include <stdint.h>

#include "agent/probe/probe.h"
#include "lib/base/err.h"
#include "lib/model/labels.h"
#include "lib/net/http_client.h"

enum {
    CONFIG_BYTES_MAX = 1024 * 1024,
    CONFIG_PROBES_MAX = 500,
    CONFIG_ID_MAX = 64,
    CONFIG_HEADERS_MAX = 16,
};

struct probe_config {
    char *name;
    const struct probe_kind *kind;
    void *state;  /* of the kind */
    char *target; /* NULL: the kind has none */
    int64_t interval_ms;
    int64_t timeout_ms;
    /* job, instance and the config's labels; for the samples of the host probe, whose
     * names and labels are node_exporter's and nothing else */
    const struct labels *labels;
    /* the same with agent, probe and module: for probe_success and all other kinds */
    const struct labels *marked_labels;
};

struct push_config {
    char *url;
    char *token;      /* NULL: none, or in token_file */
    char *token_file; /* read when a request needs it; NULL */
    char *ca_file;    /* NULL: the system's */
    int64_t interval_ms;
    int64_t timeout_ms;
    struct http_header headers[CONFIG_HEADERS_MAX]; /* texts are header_texts' */
    char *header_texts[2 * CONFIG_HEADERS_MAX];
    size_t n_headers;
};

struct agent_config {
    unsigned refs; /* the program's and those of work under way */
    char *id;
    const struct labels *self_labels; /* job="alert-agent", instance, agent, the config's */
    struct push_config push;
    char *spool_path;
    uint64_t spool_bytes;
    int64_t spool_age_ms;
    struct probe_config *probes;
    size_t n_probes;
};

/* Reads the file. hostname: the id when the config has none. 0, or negative errno, or a
 * positive code, with words that begin with path:line:column. */
int config_read(const char *path,
                const char *hostname,
                struct agent_config **ret_config,
                struct err *reterr);

/* The same from text; errors have line and column in *reterr. */
int config_parse(const char *text,
                 size_t len,
                 const char *hostname,
                 struct agent_config **ret_config,
                 struct err *reterr);

/* The labels of the samples its run() makes. */
const struct labels *config_labels_of(const struct probe_config *probe);

struct agent_config *config_ref(struct agent_config *config);
void config_unref(struct agent_config *config); /* NULL is fine */
