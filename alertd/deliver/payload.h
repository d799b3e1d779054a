#pragma once

/*
 * A page as JSON: Alertmanager's webhook payload, version 4. Private to deliver/.
 */

#include "alertd/incident/page.h"
#include "lib/base/str.h"

/* max_alerts 0: all that the page carries. */
void payload_write(const struct page *page, size_t max_alerts, struct str *out);
