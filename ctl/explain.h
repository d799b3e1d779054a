#pragma once

/*
 * The answer of /api/alertd/v1/explain as a tree for the terminal.
 */

#include "ctl/cmd.h"
#include "lib/json/read.h"

enum ctl_exit print_explain(const struct ctl *ctl, const struct json *root);
