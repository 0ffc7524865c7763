#include <stdio.h>
#include <string.h>

#include "tests/support/bits.h"
#include "tests/support/draw.h"
#include "tests/verify/part.h"

static bool same(bits_of_network a, bits_of_network b)
{
    return a.training == b.training && a.inference == b.inference;
}

void part_bits(void)
{
    static const size_t threads[] = {1, 2, 3, 5, 8};
    enum { COUNT = sizeof(threads) / sizeof(threads[0]) };
    size_t different = 0, wrong = 0;
    /* Plain C has the bits of all processors in this mode; others always do. */
    lstm_set_reproducible(true);
    for (size_t i = 0; i < BITS_NETWORKS; i++) {
        bits_of_network one = bits_run(i, 1);
        wrong += !same(one, golden_bits[i]);
        for (size_t j = 1; j < COUNT; j++)
            different += !same(bits_run(i, threads[j]), one);
    }
    part_line(different == 0, "equal bits for 1, 2, 3, 5 and 8 threads",
              "%zu of %zu runs differ", different, (size_t)BITS_NETWORKS * (COUNT - 1));
    part_line(wrong == 0, "trainings against stored hashes", "%zu of %zu differ", wrong,
              (size_t)BITS_NETWORKS);
}

static const char step_key[] = "step";

static size_t saved_step(lstm_file *file)
{
    size_t step = 0;
    const char *text = lstm_file_metadata(file, step_key);
    if (text)
        sscanf(text, "%zu", &step);
    return step;
}

/* Restores a training from a checkpoint; 0 if there is none. */
static size_t restore(bits_training *t, const char *path)
{
    lstm_file *file;
    FILE *exists = fopen(path, "re");
    if (!exists)
        return 0;
    fclose(exists);
    part_must(lstm_file_open(&file, path));
    size_t step = saved_step(file);
    part_must(lstm_params_read(t->params, file,
                               &(lstm_file_options){.adam = t->adam, .rng = t->rng}));
    lstm_file_destroy(&file);
    return step;
}

static void save(const bits_training *t, const char *path, size_t step)
{
    char text[32];
    const char *pair[] = {step_key, text};
    snprintf(text, sizeof(text), "%zu", step);
    part_must(lstm_params_save(
        t->params, path,
        &(lstm_file_options){
            .adam = t->adam, .rng = t->rng, .metadata = pair, .metadata_count = 1}));
}

void part_train(const char *path)
{
    /* The network with dropout, so that the generator matters, too. */
    enum { NETWORK = 1, STEPS = 40 };
    bits_training t = bits_create(NETWORK);
    size_t step = restore(&t, path);
    while (step < STEPS) {
        uint64_t seed = ++step;
        bits_update(&t, &seed);
        save(&t, path, step);
        printf("step %zu\n", step);
        fflush(stdout);
    }
    printf("hash %016llx\n", (unsigned long long)bits_parameters(&t, HASH_START));
    bits_destroy(&t);
}
