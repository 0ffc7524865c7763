/* Damaged files: each bit of a model and of a checkpoint is flipped, and they are cut
 * at each byte. Loading then fails, or gives the same values and options. */
#include <lstm/lstm.h>

#include "tests/support/folder.h"

enum { ROOM = 1 << 17 };

/* A small network in training. */
typedef struct network {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_params *params;
    lstm_adam *adam;
} network;

static const char *const notes[] = {"note", "caf\xc3\xa9 \"\n"};

static network create_network(uint64_t seed)
{
    network n;
    const lstm_layer_config config = {
        .inputs = 1, .hidden = 2, .layers = 2, .dropout = 0.25, .batch_first = true};
    const lstm_linear_config head = {.inputs = 2, .outputs = 2};
    assert_int_equal(lstm_rng_create(&n.rng, seed), LSTM_OK);
    assert_int_equal(lstm_layer_create(&n.layer, &config, n.rng), LSTM_OK);
    assert_int_equal(lstm_linear_create(&n.linear, &head, n.rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&n.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(n.params, "lstm", n.layer), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(n.params, "fc", n.linear), LSTM_OK);
    assert_int_equal(lstm_adam_create(&n.adam, n.params, NULL), LSTM_OK);
    for (size_t i = 0; i < lstm_params_size(n.params); i++)
        assert_int_equal(
            lstm_tensor_fill(lstm_params_grad(n.params, i), 0.1f * (float)i), LSTM_OK);
    for (uint64_t i = 0; i < seed; i++)
        assert_int_equal(lstm_adam_step(n.adam), LSTM_OK);
    assert_int_equal(lstm_adam_set_lr(n.adam, 0.01 / (double)(seed + 2)), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(n.adam, 1, 0.5 + 0.1 * (double)seed, 0.1),
                     LSTM_OK);
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

static lstm_file_options options_of(const network *n, bool training)
{
    lstm_file_options options = {.metadata = notes, .metadata_count = 1};
    if (training) {
        options.adam = n->adam;
        options.rng = n->rng;
    }
    return options;
}

/* Saves a network; returns the size of the file in bytes [ROOM]. */
static size_t save(const network *n, bool training, unsigned char *bytes)
{
    lstm_file_options options = options_of(n, training);
    assert_int_equal(lstm_params_save(n->params, test_path("model"), &options),
                     LSTM_OK);
    return test_read_file("model", bytes, ROOM);
}

static lstm_status load(network *n, bool training, const unsigned char *bytes,
                        size_t size)
{
    lstm_file *file;
    lstm_file_options options = options_of(n, training);
    lstm_status status = lstm_file_open_bytes(&file, bytes, size);
    if (status)
        return status;
    status = lstm_params_read(n->params, file, &options);
    lstm_file_destroy(&file);
    return status;
}

static bool is_refusal(lstm_status status)
{
    return status == LSTM_BAD_FILE || status == LSTM_SHAPE_MISMATCH;
}

/* The options of the layer are the same, or missing. */
static void compare_options(const unsigned char *bytes, size_t size,
                            const lstm_layer_config *expected)
{
    lstm_file *file;
    lstm_layer_config config;
    assert_int_equal(lstm_file_open_bytes(&file, bytes, size), LSTM_OK);
    lstm_status status = lstm_file_layer_config(file, NULL, &config);
    assert_true(status == LSTM_OK || is_refusal(status));
    if (!status)
        assert_memory_equal(&config, expected, sizeof(config));
    const char *note = lstm_file_metadata(file, notes[0]);
    if (note)
        assert_string_equal(note, notes[1]);
    lstm_file_destroy(&file);
}

static size_t flip_all(bool training, size_t *loaded)
{
    static unsigned char good[ROOM], other[ROOM], found[ROOM];
    network n = create_network(1), victim = create_network(2);
    size_t size = save(&n, training, good);
    size_t other_size = save(&victim, training, other);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        good[bit / 8] ^= (unsigned char)(1u << bit % 8);
        lstm_status status = load(&victim, training, good, size);
        if (!status)
            compare_options(good, size, lstm_layer_get_config(n.layer));
        good[bit / 8] ^= (unsigned char)(1u << bit % 8);
        if (status) {
            assert_true(is_refusal(status));
            continue;
        }
        /* After loading, saving gives the original file. */
        (*loaded)++;
        assert_int_equal(save(&victim, training, found), size);
        assert_memory_equal(found, good, size);
        assert_int_equal(load(&victim, training, other, other_size), LSTM_OK);
    }
    /* Failed loads changed nothing. */
    assert_int_equal(save(&victim, training, found), other_size);
    assert_memory_equal(found, other, other_size);
    destroy_network(&n);
    destroy_network(&victim);
    return 8 * size;
}

static void flipped_bits_of_a_model_are_refused_or_harmless(void **state)
{
    (void)state;
    size_t loaded = 0, bits = flip_all(false, &loaded);
    print_message("# %zu bits: %zu refused, %zu load as before\n", bits, bits - loaded,
                  loaded);
}

static void flipped_bits_of_a_checkpoint_are_refused_or_harmless(void **state)
{
    (void)state;
    size_t loaded = 0, bits = flip_all(true, &loaded);
    print_message("# %zu bits: %zu refused, %zu load as before\n", bits, bits - loaded,
                  loaded);
}

static void cut_files_are_refused_and_change_nothing(void **state)
{
    (void)state;
    static unsigned char good[ROOM], other[ROOM], found[ROOM];
    for (int training = 0; training < 2; training++) {
        network n = create_network(1), victim = create_network(2);
        size_t size = save(&n, training, good);
        size_t other_size = save(&victim, training, other);
        for (size_t cut = 0; cut < size; cut++)
            assert_true(is_refusal(load(&victim, training, good, cut)));
        assert_int_equal(save(&victim, training, found), other_size);
        assert_memory_equal(found, other, other_size);
        print_message("# %zu cuts refused\n", size);
        destroy_network(&n);
        destroy_network(&victim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(flipped_bits_of_a_model_are_refused_or_harmless),
        TEST(flipped_bits_of_a_checkpoint_are_refused_or_harmless),
        TEST(cut_files_are_refused_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
