/**
 * @file
 * Numbers in text from outside: the whole text is one number, or it is refused.
 *
 * Decimal points are "." in every locale, because no program calls setlocale().
 */
#ifndef EXAMPLES_COMMON_NUMBER_H
#define EXAMPLES_COMMON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Parses decimal digits without sign or blanks; false for other text, and for values
 *  of 2^64 and more. */
bool number_count(const char *text, uint64_t *value);

/** Parses a finite decimal number; false for other text: infinities, not-a-number,
 *  hexadecimal numbers, blanks around it, and values beyond the range of double, also
 *  those that would become 0. */
bool number_real(const char *text, double *value);

/** The ending of an English noun after this count: "" after 1, else "s". */
const char *number_plural(size_t count);

#endif
