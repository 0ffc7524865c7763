/* Sets of many tensors, and sizes that no memory has. */
#include <lstm/lstm.h>

#include "tests/support/test.h"

/* 10,000 tensors, in an order of addresses that goes up and down: each is found again,
 * and after a refusal the set is as before. */
static void a_set_may_have_many_tensors(void **state)
{
    (void)state;
    enum { MANY = 10000 };
    lstm_params *params;
    lstm_tensor **tensors = test_calloc(MANY, sizeof(lstm_tensor *));
    float *memory = test_calloc(2 * MANY, sizeof(float));
    char name[32];
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    for (size_t i = 0; i < MANY; i++) {
        const size_t place = i % 2 ? MANY - i : MANY + i, shape[] = {1};
        snprintf(name, sizeof(name), "tensor.%zu", i);
        assert_int_equal(lstm_tensor_wrap(&tensors[i], memory + place, 1, shape, NULL),
                         LSTM_OK);
        assert_int_equal(lstm_params_add_tensor(params, name, tensors[i], NULL),
                         LSTM_OK);
    }
    assert_int_equal(lstm_params_size(params), MANY);
    for (size_t i = 0; i < MANY; i += 777) {
        snprintf(name, sizeof(name), "tensor.%zu", i);
        assert_int_equal(lstm_params_add_tensor(params, name, tensors[0], NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), "name tensor.");
        assert_int_equal(lstm_params_add_tensor(params, "new", tensors[i], NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), name);
    }
    assert_int_equal(lstm_params_size(params), MANY);
    lstm_params_destroy(&params);
    for (size_t i = 0; i < MANY; i++)
        lstm_tensor_destroy(&tensors[i]);
    test_free(tensors);
    test_free(memory);
}

static void a_size_that_cannot_be_counted_is_not_printed(void **state)
{
    (void)state;
    const size_t shape[] = {(size_t)1 << 30, (size_t)1 << 29, 1};
    const ptrdiff_t strides[] = {0, 0, 0};
    const lstm_layer_config config = {.inputs = 1, .hidden = 1};
    float value = 0;
    lstm_layer *layer;
    lstm_tensor *x;
    assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&x, &value, 3, shape, strides), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_OUT_OF_MEMORY);
    assert_contains(lstm_last_error(), "steps takes more bytes than addresses exist");
    lstm_tensor_destroy(&x);
    lstm_layer_destroy(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_set_may_have_many_tensors),
        TEST(a_size_that_cannot_be_counted_is_not_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
