/**
 * @file
 * The source that all models share.
 */
#ifndef EXAMPLES_EMBED_CODE_H
#define EXAMPLES_EMBED_CODE_H

#include <stddef.h>

/** Parts of the source, in their order; a name takes the place of each @. */
extern const char code_checks[], code_modes[], code_multiply_add[], code_activations[],
    code_layer[], code_copy[], code_project[], code_linear[], code_reset[];

/** Those of code_layer, code_copy and code_project for int8 weights: code_bytes.c. */
extern const char code_byte_layer[], code_byte_copy[], code_byte_project[];

/** Prints a part to standard output; nothing after an error of it, so that a file that
 * is cut short has no gaps. */
void code_print(const char *part, const char *name);

/** As printf(), with the same promise. */
__attribute__((format(printf, 1, 2))) void code_write(const char *format, ...);

/** Prints element number i of an array. */
void code_number(size_t i, float value);

#endif
