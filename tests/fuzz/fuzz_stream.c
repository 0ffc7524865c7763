/*
 * The keys of a model that the example stream runs. A model that is loaded gives finite
 * outputs, or the step fails with a message.
 *
 * Input: a byte of flags, then up to 8 pairs of a key and a value, each ended by a
 * byte 0. The network has 1 input and 2 hidden units.
 */
#include <math.h>

#include "examples/stream/model.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/model_text.h"

enum { HEAD = 1, STATES = 2, EMBEDDING = 4, HIDDEN = 2, GATES = 4, PAIRS = 8 };

static void add_metadata(lstm_text *header, fuzz_input *input)
{
    lstm_text_add(header, "{\"__metadata__\":{\"format\":\"pt\"");
    for (size_t i = 0; i < PAIRS && input->size > 0; i++) {
        char *key = fuzz_text(input, 0), *value = fuzz_text(input, 0);
        lstm_text_add(header, ",");
        lstm_text_string(header, key);
        lstm_text_add(header, ":");
        lstm_text_string(header, value);
        free(key);
        free(value);
    }
    lstm_text_add(header, "}");
}

static void write_model(lstm_text *file, fuzz_input input)
{
    lstm_text header = {0};
    size_t bytes = 0;
    unsigned flags = fuzz_byte(&input);
    add_metadata(&header, &input);
    fuzz_add_tensor(&header, "", "lstm.weight_ih_l0", GATES * HIDDEN, 1, &bytes);
    fuzz_add_tensor(&header, "", "lstm.weight_hh_l0", GATES * HIDDEN, HIDDEN, &bytes);
    if (flags & HEAD)
        fuzz_add_tensor(&header, "", "fc.weight", 1, HIDDEN, &bytes);
    if (flags & STATES) {
        fuzz_add_tensor(&header, "", "lstm.h0", 1, HIDDEN, &bytes);
        fuzz_add_tensor(&header, "", "lstm.c0", 1, HIDDEN, &bytes);
    }
    if (flags & EMBEDDING)
        fuzz_add_tensor(&header, "", "embedding.weight", 3, 1, &bytes);
    lstm_text_add(&header, "}");
    fuzz_write_file(file, &header, bytes, 0.25f);
    lstm_text_destroy(&header);
}

static void run(model *m)
{
    static const double values[] = {0, 1, 2, -1e30, 1e-40, 1e308};
    FUZZ_CHECK(m->inputs >= 1 && m->outputs >= 1);
    for (size_t step = 0; step < sizeof(values) / sizeof(*values); step++) {
        if (!model_set_input(m, 0, values[step]) || !model_step(m))
            continue;
        for (size_t i = 0; i < m->outputs; i++)
            FUZZ_CHECK(isfinite(m->values[i]));
        int digits = keys_digits(&m->keys);
        FUZZ_CHECK(digits >= 1 && digits <= 17);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lstm_text file = {0};
    model m = {0};
    write_model(&file, (fuzz_input){data, size});
    fuzz_files_start();
    fuzz_files[0] = (fuzz_file){.data = (const uint8_t *)file.data, .size = file.size};
    if (model_load(&m, "0", NULL, NULL))
        run(&m);
    model_destroy(&m);
    fuzz_files_end();
    lstm_text_destroy(&file);
    return 0;
}
