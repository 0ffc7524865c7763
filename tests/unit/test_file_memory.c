/*
 * Files when memory is exhausted: every allocation of every load fails once alone, and
 * once with all after it. malloc() itself fails, so no allocation is missed. A load
 * then returns LSTM_OUT_OF_MEMORY and changes nothing, or it succeeds with the same
 * result; nothing leaks.
 */
#include <errno.h>

#include <lstm/lstm.h>

#include "tests/support/faults.h"
#include "tests/support/folder.h"
#include "tests/support/heap.h"

enum { ROOM = 1 << 18 };

static const lstm_layer_config configs[] = {
    {.inputs = 1, .hidden = 1, .layers = 1},
    {.inputs = 3, .hidden = 4, .layers = 2, .bidirectional = true},
    {.inputs = 12, .hidden = 10, .layers = 3, .dropout = 1.0 / 3},
    {.inputs = 5, .hidden = 7, .layers = 2, .proj_size = 3, .no_bias = true},
    {.inputs = 2,
     .hidden = 3,
     .layers = 2,
     .dropout = 0.12345678901234567,
     .batch_first = true,
     .precision = LSTM_BFLOAT16},
};
enum { CONFIGS = sizeof(configs) / sizeof(configs[0]) };

/* Short names, and names that are too long for a small buffer. */
static const char *const prefixes[] = {
    "lstm", "",
    "a.module.with.a.name.that.is.longer.than.any.buffer.of.sixty.four.bytes.or.so.rnn",
    "caf\xc3\xa9 \"quoted\"\\"};
enum { PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

/* A network in training. */
typedef struct network {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_params *params;
    lstm_adam *adam;
} network;

/* A file in memory and on disk, and the network in it. */
typedef struct fixture {
    unsigned char bytes[ROOM];
    size_t size;
    const char *prefix;
    bool training;
    network n;
    /* Results of the calls. */
    lstm_file *file;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_layer_config config;
} fixture;

static fixture f;
static size_t points, calls;

static network create_network(const lstm_layer_config *config, const char *prefix)
{
    network n;
    size_t width = (config->proj_size ? config->proj_size : config->hidden) *
                   (config->bidirectional ? 2 : 1);
    const lstm_linear_config head = {.inputs = width, .outputs = 2};
    assert_int_equal(lstm_rng_create(&n.rng, 1), LSTM_OK);
    assert_int_equal(lstm_layer_create(&n.layer, config, n.rng), LSTM_OK);
    assert_int_equal(lstm_linear_create(&n.linear, &head, n.rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&n.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(n.params, prefix, n.layer), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(n.params, "fc", n.linear), LSTM_OK);
    assert_int_equal(
        lstm_adam_create(&n.adam, n.params, &(lstm_adam_config){.amsgrad = true}),
        LSTM_OK);
    assert_int_equal(lstm_adam_step(n.adam), LSTM_OK);
    assert_int_equal(lstm_adam_set_lr(n.adam, 0.01 / 3), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(n.adam, 1, 0.1 / 3, 1e-300 / 7), LSTM_OK);
    return n;
}

static void destroy_network(network *n)
{
    lstm_adam_destroy(&n->adam);
    lstm_params_destroy(&n->params);
    lstm_linear_destroy(&n->linear);
    lstm_layer_destroy(&n->layer);
    lstm_rng_destroy(&n->rng);
}

static lstm_file_options options(void)
{
    static const char *const metadata[] = {
        "note", "a text \xf0\x9f\x98\x80 of some length", "format", "pt"};
    lstm_file_options o = {.metadata = metadata, .metadata_count = 2};
    if (f.training) {
        o.adam = f.n.adam;
        o.rng = f.n.rng;
    }
    return o;
}

static lstm_status save(void)
{
    lstm_file_options o = options();
    return lstm_params_save(f.n.params, test_path("model"), &o);
}

static lstm_status open_path(void)
{
    return lstm_file_open(&f.file, test_path("model"));
}

static lstm_status open_bytes(void)
{
    return lstm_file_open_bytes(&f.file, f.bytes, f.size);
}

static lstm_status load_layer(void)
{
    return lstm_layer_load(&f.layer, test_path("model"), f.prefix, f.n.rng);
}

static lstm_status find_layer(void)
{
    lstm_status status = open_bytes();
    if (!status)
        status = lstm_layer_read(&f.layer, f.file, NULL, f.n.rng);
    lstm_file_destroy(&f.file);
    return status;
}

static lstm_status read_config(void)
{
    lstm_status status = open_bytes();
    if (!status)
        status = lstm_file_layer_config(f.file, NULL, &f.config);
    lstm_file_destroy(&f.file);
    return status;
}

static lstm_status load_linear(void)
{
    return lstm_linear_load(&f.linear, test_path("model"), "fc");
}

static lstm_status load_params(void)
{
    lstm_file_options o = options();
    return lstm_params_load(f.n.params, test_path("model"), &o);
}

static bool same_values(lstm_params *params)
{
    size_t count = lstm_params_size(params);
    for (size_t i = 0; i < count; i++) {
        const lstm_tensor *value = lstm_params_value(params, i);
        const lstm_tensor *expected = lstm_params_value(f.n.params, i);
        if (memcmp(lstm_tensor_data(value), lstm_tensor_data(expected),
                   lstm_tensor_count(value) * sizeof(float)) != 0)
            return false;
    }
    return true;
}

static void check_layer(void)
{
    lstm_params *params;
    lstm_layer_config expected = *lstm_layer_get_config(f.n.layer);
    assert_memory_equal(lstm_layer_get_config(f.layer), &expected, sizeof(expected));
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", f.layer), LSTM_OK);
    assert_true(same_values(params));
    lstm_params_destroy(&params);
    lstm_layer_destroy(&f.layer);
}

static void check_config(void)
{
    assert_memory_equal(&f.config, lstm_layer_get_config(f.n.layer), sizeof(f.config));
    f.config = (lstm_layer_config){0};
}

static void check_linear(void)
{
    assert_int_equal(lstm_linear_get_config(f.linear)->outputs, 2);
    assert_false(lstm_linear_get_config(f.linear)->no_bias);
    lstm_linear_destroy(&f.linear);
}

static void check_file(void)
{
    assert_string_equal(lstm_file_layer_prefix(f.file, 0), f.prefix);
    assert_null(lstm_file_layer_prefix(f.file, 1));
    assert_string_equal(lstm_file_metadata(f.file, "format"), "pt");
    lstm_file_destroy(&f.file);
}

/* Saving after loading gives the same file: all values, rates and states. */
static void check_saved(void)
{
    static unsigned char again[ROOM];
    assert_int_equal(save(), LSTM_OK);
    assert_int_equal(test_read_file("model", again, ROOM), f.size);
    assert_memory_equal(again, f.bytes, f.size);
}

/* No object was created. */
static void check_failure(void)
{
    assert_null(f.file);
    assert_null(f.layer);
    assert_null(f.linear);
    assert_int_equal(f.config.inputs, 0);
    assert_contains(lstm_last_error(), "out of memory");
}

/* Makes calls in which allocation number k fails, for every k. */
static void fail_each(lstm_status (*call)(void), void (*check)(void))
{
    bool all_passed = false;
    calls++;
    for (size_t k = 0; !all_passed; k++)
        for (int alone = 0; alone < 2; alone++) {
            long before = test_heap_live();
            test_heap_fail(k, alone);
            lstm_status status = call();
            bool failed = test_heap_end();
            points += failed;
            all_passed = !failed;
            if (status) {
                assert_int_equal(status, LSTM_OUT_OF_MEMORY);
                assert_int_equal(test_heap_live(), before);
                check_failure();
            } else {
                check();
                assert_int_equal(test_heap_live(), before);
            }
        }
}

static void create_fixture(const lstm_layer_config *config, const char *prefix,
                           bool training)
{
    memset(&f, 0, sizeof(f));
    f.prefix = prefix;
    f.training = training;
    f.n = create_network(config, prefix);
    assert_int_equal(save(), LSTM_OK);
    f.size = test_read_file("model", f.bytes, ROOM);
}

static void loads_and_saves_fail_or_succeed_completely(void **state)
{
    (void)state;
    if (!TEST_HEAP) {
        print_message("# skipped: a sanitizer replaces malloc()\n");
        return;
    }
    for (size_t i = 0; i < CONFIGS * PREFIXES * 2; i++) {
        create_fixture(&configs[i % CONFIGS], prefixes[i / CONFIGS % PREFIXES],
                       i / CONFIGS / PREFIXES);
        fail_each(open_path, check_file);
        fail_each(open_bytes, check_file);
        fail_each(read_config, check_config);
        fail_each(load_layer, check_layer);
        fail_each(find_layer, check_layer);
        fail_each(load_linear, check_linear);
        fail_each(load_params, check_saved);
        fail_each(save, check_saved);
        destroy_network(&f.n);
    }
    print_message("# %zu files, %zu calls, %zu failures of memory\n",
                  (size_t)CONFIGS * PREFIXES * 2, calls, points);
}

/* Makes calls in which operation number k of the operating system fails, for every k.
 */
static void fail_operations(lstm_status (*call)(void), void (*check)(void))
{
    for (size_t k = 0;; k++) {
        test_faults_start(k, EIO);
        faults.piece = k % 2 ? 7 : 0;
        lstm_status status = call();
        test_faults_end();
        assert_int_equal(faults.open, 0);
        /* A failed close() does not matter for a file that has been read or renamed. */
        bool ignored = faults.failed && (strcmp(faults.failed, "close") == 0 ||
                                         test_fault_is_optional(faults.failed));
        if (!faults.failed || (ignored && !status)) {
            assert_int_equal(status, LSTM_OK);
            check();
            if (!faults.failed)
                return;
            continue;
        }
        assert_int_equal(status, LSTM_IO_ERROR);
        assert_contains(lstm_last_error(), "model: Input/output error");
        assert_null(f.layer);
        assert_null(f.linear);
    }
}

static void errors_of_the_operating_system_are_named(void **state)
{
    (void)state;
    create_fixture(&configs[1], prefixes[0], true);
    fail_operations(load_layer, check_layer);
    fail_operations(load_linear, check_linear);
    fail_operations(load_params, check_saved);
    fail_operations(save, check_saved);
    destroy_network(&f.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(loads_and_saves_fail_or_succeed_completely),
        TEST(errors_of_the_operating_system_are_named),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
