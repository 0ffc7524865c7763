/**
 * @file
 * Parts of an HTML page: text, numbers and pictures inside the page.
 */
#ifndef EXAMPLES_REPORT_HTML_H
#define EXAMPLES_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

/** Writes text, also from outside, so that it is text and nothing else, in an attribute
 *  too. */
void html_text(FILE *out, const char *text);

/** Writes the first size bytes of text in the same way. */
void html_part(FILE *out, const char *text, size_t size);

/** Writes a count with commas: 60,000. */
void html_count(FILE *out, size_t count);

/** Writes a share of 1 as a percentage with digits behind the point. A share below 1
 *  is never written as 100, and one above 0 never as 0. */
void html_percent(FILE *out, double share, int digits);

/** Writes seconds as a person would: 4.2 s, 2 min 5 s, 3 h 10 min. */
void html_duration(FILE *out, double seconds);

/** Writes the address of a grey picture that is in the page itself: a PNG file without
 *  compression. A row has less than 65,535 pixels. */
void html_picture(FILE *out, const uint8_t *pixels, size_t rows, size_t cols);

#endif
