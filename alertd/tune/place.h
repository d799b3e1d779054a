#pragma once

/*
 * Where it was bad, as matchers of the alerts that are about it.
 *
 *     incident {job="shop"}   alert {job="shop", pod="a"}   is about it
 *                             alert {pod="b"}               is: it says nothing else
 *                             alert {job="bank"}            is not
 */

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/model/matcher.h"

/* The label has this value, or is not there at all. It lives as long as the arena. 0, or a failure
 * in words. */
int place_matcher(struct arena *arena,
                  const char *name,
                  const char *value,
                  struct matcher *ret,
                  struct err *reterr);
