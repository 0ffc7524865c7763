/*
 * Hashes of training and inference: the same bits for any number of threads, and in the
 * reproducible mode on every processor. They must equal bits.h.
 * With --print the program writes a new bits.h, and with --hash one hash of all
 * networks for each precision: of forward, backward, lengths and streams. The hashes
 * are those of one thread; the program fails if another number of threads has others.
 */
#include "tests/support/bits.h"
#include "tests/support/test.h"

static void assert_same(bits_of_network found, bits_of_network expected)
{
    assert_true(found.training == expected.training);
    assert_true(found.inference == expected.inference);
}

/* Whether plain C runs without the reproducible mode: its bits then depend on OpenBLAS.
 */
static bool is_plain(void)
{
    const char *text = getenv("LSTM_REPRODUCIBLE");
    bool reproducible = text && strcmp(text, "1") == 0;
    return strcmp(lstm_kernels_name(), "generic") == 0 && !reproducible;
}

static void threads_do_not_change_results(void **state)
{
    (void)state;
    /* all_sets.py has more numbers. */
    static const size_t threads[] = {2, 3, 16};
    /* Only one of them uses OpenBLAS. */
    size_t only = getenv("OPENBLAS_CORETYPE") ? BITS_WITH_OPENBLAS : BITS_NETWORKS;
    for (size_t i = 0; i < BITS_NETWORKS; i++) {
        if (only < BITS_NETWORKS && i != only)
            continue;
        bits_of_network one = bits_run(i, 1);
        for (size_t j = 0; j < sizeof(threads) / sizeof(threads[0]); j++)
            assert_same(bits_run(i, threads[j]), one);
    }
}

static void every_other_set_has_the_bits_of_every_processor(void **state)
{
    (void)state;
    for (size_t i = 0; !is_plain() && i < BITS_NETWORKS; i++)
        assert_same(bits_run(i, 2), golden_bits[i]);
}

static void the_reproducible_mode_has_the_bits_of_every_processor(void **state)
{
    (void)state;
    lstm_set_reproducible(true);
    for (size_t i = 0; i < BITS_NETWORKS; i++)
        for (size_t threads = 1; threads <= 4; threads += 3)
            assert_same(bits_run(i, threads), golden_bits[i]);
    lstm_set_reproducible(false);
}

static void the_mode_may_change_between_calls(void **state)
{
    (void)state;
    bits_training t = bits_create(0);
    /* Packs the weights and allocates the workspace. */
    bits_infer(&t);
    lstm_set_reproducible(true);
    assert_true(bits_train(&t) == golden_bits[0].training);
    uint64_t inference = bits_infer(&t);
    assert_true(inference == golden_bits[0].inference);
    lstm_set_reproducible(false);
    bool vector = strcmp(lstm_kernels_name(), "generic") != 0;
    assert_int_equal(bits_infer(&t) == inference, vector);
    bits_destroy(&t);
}

/* OpenBLAS uses the kernels that OPENBLAS_CORETYPE names even if the processor does not
 * support them. */
static void skip_without_the_core(void)
{
    static const char *const needs[][2] = {
        {"Prescott", " pni"},
        {"Nehalem", " sse4_2"},
        {"Sandybridge", " avx"},
        {"Haswell", " avx2"},
        {"Zen", " avx2"},
        {"SkylakeX", " avx512vl"},
        {"Cooperlake", " avx512_bf16"},
    };
    const char *core = getenv("OPENBLAS_CORETYPE");
    char line[8192] = "";
    FILE *file = core ? fopen("/proc/cpuinfo", "r") : NULL;
    while (file && strncmp(line, "flags", 5) != 0 && fgets(line, sizeof(line), file))
        continue;
    if (file)
        fclose(file);
    for (size_t i = 0; core && i < sizeof(needs) / sizeof(needs[0]); i++)
        if (strcmp(core, needs[i][0]) == 0 && !strstr(line, needs[i][1]))
            test_skip_all("this machine cannot run the kernels of OPENBLAS_CORETYPE");
}

static int print_golden(void)
{
    lstm_set_reproducible(true);
    printf("/* Written by make_bits.sh. */\n"
           "#ifndef TESTS_GOLDEN_BITS_H\n#define TESTS_GOLDEN_BITS_H\n\n"
           "#include <stdint.h>\n\n"
           "/* Hashes of the networks of tests/support/bits.c. */\n"
           "typedef struct bits_of_network {\n"
           "    uint64_t training, inference;\n} bits_of_network;\n\n"
           "static const bits_of_network golden_bits[] = {\n");
    for (size_t i = 0; i < BITS_NETWORKS; i++) {
        bits_of_network bits = bits_run(i, 1);
        printf("    {UINT64_C(0x%016llx), UINT64_C(0x%016llx)},\n",
               (unsigned long long)bits.training, (unsigned long long)bits.inference);
    }
    printf("};\n\n#endif\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--hash") == 0)
        return bits_print_hashes(6);
    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return print_golden();
    const struct CMUnitTest of_openblas[] = {TEST(threads_do_not_change_results)};
    skip_without_the_core();
    if (getenv("OPENBLAS_CORETYPE"))
        return cmocka_run_group_tests(of_openblas, NULL, NULL);
    const struct CMUnitTest tests[] = {
        TEST(threads_do_not_change_results),
        TEST(every_other_set_has_the_bits_of_every_processor),
        TEST(the_reproducible_mode_has_the_bits_of_every_processor),
        TEST(the_mode_may_change_between_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
