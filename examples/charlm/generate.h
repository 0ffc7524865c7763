/**
 * @file
 * Generates text.
 */
#ifndef EXAMPLES_CHARLM_GENERATE_H
#define EXAMPLES_CHARLM_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "examples/charlm/model.h"

/** What is generated. */
typedef struct generate_options {
    /** NULL: "The ", or a line feed if the text does not have its letters. */
    const char *prompt;
    /** Number of characters; of bytes, if bytes is set. */
    size_t length;
    /** 0 chooses the most probable byte. */
    double temperature;
    uint64_t seed;
    /** Any bytes instead of valid UTF-8. */
    bool bytes;
} generate_options;

/** Whether a prompt can begin valid UTF-8; it may end within a character. position: of
 *  the first byte that is not valid. */
bool generate_accepts(const char *prompt, size_t *position);

/**
 * Prints the prompt, text that continues it, and a line feed. Only bytes that occur in
 * the text of the training are generated. Without options->bytes the output is valid
 * UTF-8, if the prompt passes generate_accepts(): each byte is drawn among those that
 * can follow, and the last character is completed.
 *
 * @return false after an error message
 */
bool generate_text(char_model *m, const char_run *run, const generate_options *options);

#endif
