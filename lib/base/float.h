#pragma once

/*
 * Numbers as text, exactly and quickly: the shortest digits that read back as
 * the same double, in no locale. C has neither, so this is a shim over C++'s
 * std::to_chars and std::from_chars (float.cc), the one C++ file besides regex.
 */

#include <stddef.h>

enum {
    FLOAT_TEXT_MAX = 352 /* the longest plain decimal of a double, and a NUL */
};

/* As Go's strconv.FormatFloat(v, 'f', -1, 64): plain decimal, "NaN", "+Inf", "-Inf".
 * What the Prometheus API answers. text holds FLOAT_TEXT_MAX; returns its length. */
size_t float_plain(double value, char *text);

/* As JavaScript and JSON print it: an exponent only from 1e+21 and below 1e-04. */
size_t float_short(double value, char *text);

/* As Go's %v and FormatFloat(v, 'g', -1, 64): an exponent from 1e+06 and below 1e-04.
 * What templates print. */
size_t float_go(double value, char *text);

/* As FormatFloat(v, 'e', -1, 64): always with an exponent, "1e+00". */
size_t float_exponent(double value, char *text);

/* Reads all of text[0..len) as a decimal or exponent number, NaN, [+-]Inf in any
 * case; 0, or -EINVAL. Overflow gives Inf, underflow 0, as Go's ParseFloat rounds. */
int float_parse(const char *text, size_t len, double *ret_value);
