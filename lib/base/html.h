#pragma once

/*
 * Text that is put between tags or into a quoted attribute: & < > " ' are escaped, and
 * nothing else changes. Not for addresses of links: whoever makes one decides first which
 * schemes it allows.
 */

#include "lib/base/str.h"

void html_escape(struct str *out, const char *text);
