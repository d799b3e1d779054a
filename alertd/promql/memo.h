#pragma once

/*
 * What aggregations gave at one instant, kept for the next query at that instant: the rules of a
 * group say the same again and again (a rate by instance beside a limit, and below an error
 * ratio), and one of them has read its thousand series for ten values.
 *
 *     "sum by (job) (rate(x[5m]))" -> {job="a"} 3, {job="b"} 7      by its text
 *
 * For queries over one source, with the same limits. Whoever writes samples that a later query
 * is to see forgets. Not thread-safe.
 */

#include <stddef.h>

struct promql_memo;

/* limit_bytes: what it may keep; more is evaluated each time. */
struct promql_memo *promql_memo_new(size_t limit_bytes);
void promql_memo_free(struct promql_memo *memo); /* NULL is fine */
void promql_memo_forget(struct promql_memo *memo);
