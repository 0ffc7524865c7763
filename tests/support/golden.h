/**
 * @file
 * Reads a golden file. It has lines "key value..."; after each line "tensor NAME
 * EXTENT..." follow the float32 values of that tensor, little-endian, row-major.
 */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <stddef.h>

enum {
    GOLDEN_MAX_CASES = 64,
    GOLDEN_MAX_TENSORS = 160,
    GOLDEN_MAX_NUMBERS = 24,
    GOLDEN_MAX_LENGTHS = 128
};

/** Runs test once for each name in FOLDER/list.txt, with the name as initial state. */
int golden_run(const char *folder, void (*test)(void **state));

/** A tensor of a golden file. */
typedef struct golden_tensor {
    char name[24];
    size_t rank, shape[4], count;
    float *data;
} golden_tensor;

/** A golden file in memory. */
typedef struct golden {
    size_t tensors;
    golden_tensor tensor[GOLDEN_MAX_TENSORS];
    char keys[GOLDEN_MAX_NUMBERS][24];
    double numbers[GOLDEN_MAX_NUMBERS];
    size_t number_count;
    /** [N] values of the line "lengths"; length_count is 0 without it. */
    size_t lengths[GOLDEN_MAX_LENGTHS];
    size_t length_count;
} golden;

/** Reads FOLDER/NAME.golden from tests/golden; fails the test on an error. */
golden *golden_read(const char *folder, const char *name);

void golden_free(golden *file);

/** Value of a line "key number"; fails the test if the key is missing. */
double golden_number(const golden *file, const char *key);

/** A tensor by name; NULL if it is missing. */
const golden_tensor *golden_find(const golden *file, const char *name);

/** The tensor "NAME.index"; fails the test if it is missing. */
const golden_tensor *golden_at(const golden *file, const char *name, size_t index);

#endif
