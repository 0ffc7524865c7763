/**
 * @file
 * Text in SVG, and files that are SVG.
 */
#ifndef EXAMPLES_COMMON_MARKUP_H
#define EXAMPLES_COMMON_MARKUP_H

#include <stdbool.h>
#include <stdio.h>

/** Writes text with what XML needs in place of its own characters, and '?' or a space
 *  for those that it cannot have. Text that is not UTF-8 needs message_clean() first.
 */
void markup_text(FILE *file, const char *text);

/** Whether a file begins with <svg and has a title that begins so; false for one that
 *  cannot be read. */
bool markup_is_titled(const char *path, const char *title);

#endif
