/* A fingerprint has to be fast, because it delays the first step: eight sums, each of
 * which takes every eighth word of 64 bits, so that the processor multiplies for all of
 * them at once. Each step is one-to-one in the sum and in the word, so that a changed
 * word always changes its sum. It does not withstand forgery. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/train/contents.h"

enum { LANES = 8, WORD = 8, BLOCK = LANES * WORD };
/* The golden ratio: odd, with bits without a pattern. */
static const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);

/* The same on all processors: little-endian. Compilers make one load of it. */
static uint64_t word_of(const uint8_t *b)
{
    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 |
           (uint64_t)b[3] << 24 | (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 |
           (uint64_t)b[6] << 48 | (uint64_t)b[7] << 56;
}

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum ^= word;
    return (sum << 29 | sum >> 35) * factor;
}

static void add_block(uint64_t *sums, const uint8_t *bytes)
{
    for (int i = 0; i < LANES; i++)
        sums[i] = mix(sums[i], word_of(bytes + WORD * i));
}

/* Adds bytes, with zeros up to the end of a block. */
static void add_bytes(uint64_t *sums, const uint8_t *bytes, size_t size)
{
    uint64_t local[LANES];
    uint8_t rest[BLOCK] = {0};
    memcpy(local, sums, sizeof(local));
    for (; size >= BLOCK; size -= BLOCK, bytes += BLOCK)
        add_block(local, bytes);
    memcpy(rest, bytes, size);
    add_block(local, rest);
    memcpy(sums, local, sizeof(local));
}

static void add_labels(uint64_t *sums, const mnist_dataset *set)
{
    size_t count = mnist_dataset_count(set);
    for (size_t first = 0; first < count;) {
        uint8_t labels[1024];
        size_t size = 0;
        for (; size < sizeof(labels) && first < count; size++, first++)
            labels[size] = (uint8_t)mnist_dataset_label(set, first);
        add_bytes(sums, labels, size);
    }
}

static void write_print(char *text, const mnist_dataset *set)
{
    if (!set)
        return;
    size_t count = mnist_dataset_count(set);
    size_t rows = mnist_dataset_rows(set), cols = mnist_dataset_cols(set);
    uint64_t sums[LANES] = {count, rows, cols}, sum = 0;
    add_bytes(sums, mnist_dataset_image(set, 0), count * rows * cols);
    add_labels(sums, set);
    for (int i = 0; i < LANES; i++)
        sum = mix(sum, sums[i]);
    snprintf(text, CONTENTS_SIZE, "%016" PRIx64, sum ^ sum >> 32);
}

void contents_find(train_contents *contents, const train_data *data)
{
    *contents = (train_contents){0};
    write_print(contents->train, data->whole ? data->whole : data->train);
    write_print(contents->test, data->test);
}

static bool read_print(char *text, const lstm_file *file, const char *key,
                       const char *path)
{
    const char *found = lstm_file_metadata(file, key);
    if (!found)
        return true;
    if (strlen(found) != CONTENTS_SIZE - 1 ||
        strspn(found, "0123456789abcdef") != CONTENTS_SIZE - 1)
        return message_error("%s: metadata %s is damaged", path, key);
    memcpy(text, found, CONTENTS_SIZE);
    return true;
}

bool contents_read(train_contents *contents, const lstm_file *file, const char *path)
{
    *contents = (train_contents){0};
    return read_print(contents->train, file, CONTENTS_TRAIN_KEY, path) &&
           read_print(contents->test, file, CONTENTS_TEST_KEY, path);
}

static bool check(char *print, const char *before, const mnist_dataset *set,
                  const char *verb, const char *path)
{
    if (!*print)
        memcpy(print, before, CONTENTS_SIZE);
    return !*before || strcmp(print, before) == 0 ||
           message_error("%s: the run %s other images or labels than those of %s, "
                         "expected the same data",
                         path, verb, mnist_dataset_origin(set));
}

bool contents_check(train_contents *contents, const train_contents *before,
                    const train_data *data, const char *path)
{
    return check(contents->train, before->train,
                 data->whole ? data->whole : data->train, "trained on", path) &&
           check(contents->test, before->test, data->test, "was tested on", path);
}
