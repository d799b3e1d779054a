#pragma once

/*
 * A drill out of a text, for unit tests: whatever file it asks for is its rules.
 */

#include "alertd/drill/case.h"

/* Fails the test, with the place, where the text is no drill. drill_case_free(). */
struct drill_case *drill_of_text(const char *text, const char *rules);
