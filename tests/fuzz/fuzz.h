/**
 * @file
 * What the fuzz harnesses share. A harness is one file, fuzz_NAME.c, with
 * LLVMFuzzerTestOneInput(): it gives the input to a parser and checks properties of the
 * result. With libFuzzer the build makes a fuzzer of it, otherwise replay.c is its
 * main().
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Runs the parser on one input. Returns 0. Does not keep memory or other state. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Ends the process if a property does not hold, which is a finding. */
#define FUZZ_CHECK(property)                                                           \
    ((property) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #property))

_Noreturn static inline void fuzz_fail(const char *file, int line, const char *property)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    abort();
}

/** Checks that a message is one line without control characters. */
static inline void fuzz_check_message(const char *message)
{
    FUZZ_CHECK(*message);
    for (const char *c = message; *c; c++)
        FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
}

/** Input that a harness has not read yet. */
typedef struct fuzz_input {
    const uint8_t *data;
    size_t size;
} fuzz_input;

/** Takes the next byte; 0 at the end. */
static inline unsigned fuzz_byte(fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

/** Takes the bytes up to a mark, which is removed, or up to the end. Returns a copy
 *  that ends with a byte 0; freed by the caller. */
static inline char *fuzz_text(fuzz_input *input, int mark)
{
    const uint8_t *end = input->size ? memchr(input->data, mark, input->size) : NULL;
    size_t length = end ? (size_t)(end - input->data) : input->size;
    char *text = malloc(length + 1);
    FUZZ_CHECK(text);
    if (length > 0)
        memcpy(text, input->data, length);
    text[length] = '\0';
    length += end != NULL;
    input->data += length;
    input->size -= length;
    return text;
}

#endif
