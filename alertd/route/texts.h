#pragma once

/*
 * The templates of a config file: what its fields say, parsed as they are read, and the files of
 * `templates:` that they may call.
 *
 *   field --text_note()--> parsed, kept by the address of its text
 *   `templates:` --route_config_read_templates()--> library; then every name is looked for
 */

#include "alertd/route/field.h"

/* Parses a template and keeps it. 0 or ROUTE_E_CONFIG with the field's place, and the
 * template's own in the words. */
int text_note(const struct field_reader *reader,
              const struct yaml_node *node,
              const char *text,
              struct err *reterr);

/* For route_config_read_templates(). */
int texts_read_files(struct route_config *config,
                     struct arena *arena,
                     route_files *files,
                     struct err *reterr);
