/*
 * The command line of mnist-train. What is accepted is within the limits that --help
 * states.
 *
 * Input: arguments that end with line feeds, up to a byte 0, then the file that
 * --resume 0 reads.
 */
#include <math.h>

#include "examples/train/options.h"
#include "tests/fuzz/memory_file.h"

enum { MOST_WORDS = 32 };

static void check(const train_options *o)
{
    FUZZ_CHECK(o->batch_size >= 1 && o->batch_size <= 1000000);
    FUZZ_CHECK(o->epochs <= 1000000);
    FUZZ_CHECK(o->hidden >= 1 && o->hidden <= 65536);
    FUZZ_CHECK(o->layers >= 1 && o->layers <= 64);
    FUZZ_CHECK(o->read <= READING_PERMUTED);
    FUZZ_CHECK(o->column_layers >= 1 && o->column_layers <= 64);
    FUZZ_CHECK(o->dropout >= 0 && o->dropout <= 1);
    FUZZ_CHECK(o->lr > 0 && o->lr <= 1e6);
    FUZZ_CHECK(o->weight_decay >= 0 && o->weight_decay <= 1e6);
    FUZZ_CHECK(o->label_smoothing >= 0 && o->label_smoothing <= 1);
    FUZZ_CHECK(o->clip_norm >= 0 && o->clip_norm <= 1e30);
    FUZZ_CHECK(o->threads <= LSTM_MAX_THREADS && o->log_every >= 1);
    FUZZ_CHECK(!o->data || *o->data);
    FUZZ_CHECK(!o->save || *o->save);
}

/* Splits a text into arguments; returns their number. */
static int split(char *text, char **words)
{
    int count = 1;
    for (char *end; (end = strchr(text, '\n')) && count < MOST_WORDS; text = end + 1) {
        *end = '\0';
        words[count++] = text;
    }
    words[count] = NULL;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "mnist-train";
    char *words[MOST_WORDS + 1] = {program};
    fuzz_input input = {data, size};
    char *text = fuzz_text(&input, 0);
    train_options options;
    fuzz_files_start();
    fuzz_files[0] = (fuzz_file){.data = input.data, .size = input.size};
    int status = train_options_parse(&options, split(text, words), words);
    FUZZ_CHECK(status >= -1 && status <= 2);
    if (status < 0) {
        const char *pairs[2 * TRAIN_MAX_OPTIONS];
        check(&options);
        FUZZ_CHECK(train_options_list(pairs) <= TRAIN_MAX_OPTIONS);
    }
    fuzz_files_end();
    free(text);
    return 0;
}
