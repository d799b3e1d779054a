#pragma once

/*
 * A notification's data as values of the engine: for dots that are made by hand.
 */

#include "alertd/template/engine.h"
#include "alertd/template/notice.h"

/* notice_expand() with any value as the dot. */
int notice_expand_dot(const struct tmpl *template,
                      const struct value *dot,
                      int64_t now_ms,
                      bool is_html,
                      struct str *out,
                      struct err *reterr);

/* The parts a dot is made of, for one that is made by hand. Memory is the arena's; a kind of
 * VALUE_NONE: it is spent. */
struct value notice_labels_value(const struct labels *labels); /* NULL: nil */
struct value notice_alerts_value(struct arena *arena, const struct notice_data *data);
struct value notice_value(struct arena *arena, const struct notice_data *data);
