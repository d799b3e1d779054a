#pragma once

/*
 * A map of the config file is a table: one row per key says its type, where its value
 * goes, and what it is for. Reading checks every row and refuses every key without one.
 * Private to route/.
 */

#include <stdbool.h>
#include <stddef.h>

#include "alertd/route/config.h"
#include "lib/base/arena.h"
#include "lib/yaml/yaml.h"

enum field_type {
    FIELD_TEXT,         /* const char * */
    FIELD_URL,          /* const char *: http:// or https:// with a host */
    FIELD_HOST_PORT,    /* const char * */
    FIELD_ADDRESSES,    /* const char *: mail addresses, commas between, or a template */
    FIELD_DURATION,     /* int64_t, milliseconds */
    FIELD_COUNT,        /* int64_t, not negative */
    FIELD_BOOL,         /* bool */
    FIELD_SECRET,       /* struct route_secret: by value, ${ENV} is replaced */
    FIELD_PASSWORD,     /* the same, of several lines too: it is sent in base64 */
    FIELD_SECRET_URL,   /* the same, and it must be a URL */
    FIELD_SECRET_FILE,  /* struct route_secret: the path of its file */
    FIELD_ARGV,         /* const char **, NULL-terminated */
    FIELD_LABEL_NAMES,  /* struct route_names, sorted; "..." alone is allowed */
    FIELD_TEMPLATE,     /* const char *: any text, of many lines too */
    FIELD_PATH,         /* const char *: under the base folder */
    FIELD_INT,          /* int64_t */
    FIELD_NOT_BOOL,     /* bool, the other way round */
    FIELD_PAIRS,        /* struct route_pairs */
    FIELD_TEXTS,        /* struct route_names, in the file's order */
    FIELD_SLACK_FIELDS, /* a struct route_slack_field * and the size_t behind it */
    FIELD_UNUSED,       /* taken, whatever it is; help says why it has no effect */
    FIELD_READ,         /* by code of its own */
    FIELD_REFUSED,      /* an error that says what to do instead */
    FIELD_MAP,          /* a nested struct, described by `nested` */
};

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    const char *help;
    const struct field *nested; /* ends with a row without a name */
};

struct field_reader {
    struct arena *arena;
    const char *base_folder;
    route_environment *environment;
    void *environment_arg;
    struct route_names *unused; /* of the config */
    struct route_texts *texts;  /* of the config */
    struct route_names *warnings;
};

/* Fills the fields of `into` that the map names; the others keep what they had. */
int field_read_map(const struct field_reader *reader,
                   const struct yaml_node *map,
                   const struct field *fields,
                   void *into,
                   struct err *reterr);

/* The same of a map that others read other keys of. */
int field_read_known(const struct field_reader *reader,
                     const struct yaml_node *map,
                     const struct field *fields,
                     void *into,
                     struct err *reterr);

/* A list of text, in its order. */
int field_texts(const struct field_reader *reader,
                const struct yaml_node *node,
                struct route_names *texts,
                struct err *reterr);

/* Label names, sorted, UTF-8 ones too; "..." alone is allowed. */
int field_label_names(const struct field_reader *reader,
                      const struct yaml_node *node,
                      struct route_names *names,
                      struct err *reterr);

/* A copy in the config's arena; NULL past its limit. */
const char *field_copy(const struct field_reader *reader, const char *text);
/* The words for that. */
int field_too_large(const struct yaml_node *node, struct err *reterr);

/* Notes a key that has no effect, as long as there is room for notes. */
void field_note_unused(const struct field_reader *reader,
                       const struct yaml_node *node,
                       const char *why);

/* Warns of what loads and is not what was meant, at a node's place, as long as there is room. */
void field_warn(const struct field_reader *reader, const struct yaml_node *node, const char *words);

/* A Markdown table of the rows, headed by `title`; nested maps follow as `key.key`. */
void field_manual(const char *title, const struct field *fields, struct str *out);
