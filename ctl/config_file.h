#pragma once

/*
 * alertd's config file, as a command reads it: from a path, with this process' environment,
 * paths inside it from its own folder.
 */

#include "alertd/route/config.h"

/* 0; or a failure whose words begin with path:line:column where there is such a place. */
int config_file_read(const char *path, const struct route_config **ret_config, struct err *reterr);
/* The same of a text that stands in another file. */
int config_text_read(const char *text,
                     size_t len,
                     const char *path,
                     const struct route_config **ret_config,
                     struct err *reterr);
