/* Initial weights and sample order equal PyTorch's bit for bit (make_parity.py). */
#include <lstm/lstm.h>
#include <mnist/mnist.h>

#include "tests/support/draw.h"
#include "tests/support/test.h"

/* Checks the weights of the experiment: the bits of the first ones and a hash of all.
 */
static void assert_weights(uint64_t seed, const uint32_t *first, uint64_t expected)
{
    lstm_rng *rng;
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_params *params;
    const lstm_layer_config config = {.inputs = 28, .hidden = 128, .layers = 2};
    assert_int_equal(lstm_rng_create(&rng, seed), LSTM_OK);
    assert_int_equal(lstm_layer_create(&lstm, &config, rng), LSTM_OK);
    assert_int_equal(lstm_linear_create(
                         &fc, &(lstm_linear_config){.inputs = 128, .outputs = 10}, rng),
                     LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "lstm", lstm), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(params, "fc", fc), LSTM_OK);
    assert_int_equal(lstm_params_count(params), 214282);
    assert_memory_equal(lstm_tensor_data(lstm_params_value(params, 0)), first,
                        4 * sizeof(float));
    uint64_t hash = HASH_START;
    for (size_t k = 0; k < lstm_params_size(params); k++) {
        const lstm_tensor *value = lstm_params_value(params, k);
        hash = hash_bytes(hash, lstm_tensor_data(value),
                          lstm_tensor_count(value) * sizeof(float));
    }
    assert_true(hash == expected);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&fc);
    lstm_layer_destroy(&lstm);
    lstm_rng_destroy(&rng);
}

static void initial_weights_equal_pytorch(void **state)
{
    (void)state;
    static const uint32_t zero[] = {0xba2d7922, 0x3d42369c, 0xbd94fcb1, 0xbd85381d};
    static const uint32_t answer[] = {0x3d8a6571, 0x3d963f5b, 0xbca9a1a3, 0x3da64952};
    assert_weights(0, zero, UINT64_C(0xd314958463697a51));
    assert_weights(42, answer, UINT64_C(0x51cf7643549aaf70));
}

static void parameters_have_the_names_of_a_state_dict(void **state)
{
    (void)state;
    static const char *const names[] = {
        "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",
        "bias_hh_l0",           "weight_hr_l0",         "weight_ih_l0_reverse",
        "weight_hh_l0_reverse", "bias_ih_l0_reverse",   "bias_hh_l0_reverse",
        "weight_hr_l0_reverse", "weight_ih_l1",         "weight_hh_l1",
        "bias_ih_l1",           "bias_hh_l1",           "weight_hr_l1",
        "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse",
        "bias_hh_l1_reverse",   "weight_hr_l1_reverse",
    };
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    const lstm_layer_config config = {
        .inputs = 3, .hidden = 4, .layers = 2, .proj_size = 2, .bidirectional = true};
    lstm_layer *layer;
    lstm_params *params;
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", layer), LSTM_OK);
    assert_int_equal(lstm_params_size(params), COUNT);
    for (size_t k = 0; k < COUNT; k++)
        assert_string_equal(lstm_params_name(params, k), names[k]);
    lstm_params_destroy(&params);
    lstm_layer_destroy(&layer);
}

/* DataLoader draws two numbers per epoch; the second one is the seed of the order. */
static void the_order_of_samples_equals_a_pytorch_loader(void **state)
{
    (void)state;
    static const uint32_t orders[3][20] = {
        {12, 16, 5, 2, 11, 9, 3, 13, 10, 14, 15, 6, 4, 0, 7, 1, 17, 19, 8, 18},
        {13, 18, 0, 15, 11, 16, 2, 12, 14, 5, 19, 8, 6, 9, 10, 1, 17, 4, 7, 3},
        {15, 8, 11, 4, 12, 6, 18, 2, 5, 14, 1, 10, 17, 16, 0, 19, 7, 13, 9, 3},
    };
    lstm_rng *rng;
    mnist_dataset *digits;
    mnist_loader *loader;
    const mnist_loader_config config = {.batch_size = 3, .shuffle = true};
    assert_int_equal(lstm_rng_create(&rng, 1234), LSTM_OK);
    assert_int_equal(mnist_dataset_synthetic(&digits, 20, 1), MNIST_OK);
    assert_int_equal(mnist_loader_create(&loader, digits, &config), MNIST_OK);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        lstm_rng_next(rng);
        assert_int_equal(mnist_loader_start(loader, lstm_rng_next(rng)), MNIST_OK);
        assert_memory_equal(mnist_loader_order(loader), orders[epoch],
                            sizeof(orders[epoch]));
    }
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&digits);
    lstm_rng_destroy(&rng);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initial_weights_equal_pytorch),
        TEST(parameters_have_the_names_of_a_state_dict),
        TEST(the_order_of_samples_equals_a_pytorch_loader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
