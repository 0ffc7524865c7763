/**
 * @file
 * Names that a printed file can define.
 */
#ifndef EXAMPLES_EMBED_NAME_H
#define EXAMPLES_EMBED_NAME_H

#include <stdbool.h>

/** Whether a program in C or C++ can define the name: a letter, then letters, digits
 * and _, and neither a keyword nor a name that the language or its common headers have
 * already. */
bool name_is_free(const char *name);

#endif
