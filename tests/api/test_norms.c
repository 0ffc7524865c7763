/* Norms of gradients of all sizes, which are summed in blocks of 4,096 values. */
#include <lstm/linear.h>
#include <lstm/params.h>
#include <lstm/threads.h>

#include "tests/support/test.h"

/* Sizes on both sides of one block and of two, and one for several threads. */
static void a_norm_has_each_value_once(void **state)
{
    (void)state;
    assert_int_equal(lstm_set_threads(3), LSTM_OK);
    static const size_t sizes[][2] = {{63, 65},  {64, 64},  {17, 241}, {8191, 1},
                                      {64, 128}, {2731, 3}, {1, 1},    {1021, 257}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t inputs = sizes[i][0], outputs = sizes[i][1];
        lstm_linear *first, *second;
        lstm_params *params;
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_linear_create(&first,
                                            &(lstm_linear_config){.inputs = inputs,
                                                                  .outputs = outputs},
                                            NULL),
                         LSTM_OK);
        assert_int_equal(
            lstm_linear_create(
                &second, &(lstm_linear_config){.inputs = 4096, .outputs = 2}, NULL),
            LSTM_OK);
        assert_int_equal(lstm_params_add_linear(params, "a", first), LSTM_OK);
        assert_int_equal(lstm_params_add_linear(params, "b", second), LSTM_OK);
        double squares = 0;
        for (size_t k = 0; k < lstm_params_size(params); k++) {
            lstm_tensor *grad = lstm_params_grad(params, k);
            float value = (float)(k + 1);
            lstm_tensor_fill(grad, value);
            squares += (double)lstm_tensor_count(grad) * value * value;
        }
        double norm;
        assert_int_equal(lstm_params_clip_norm(params, INFINITY, &norm), LSTM_OK);
        assert_close(norm * norm, squares, 1e-9 * squares);
        lstm_params_destroy(&params);
        lstm_linear_destroy(&first);
        lstm_linear_destroy(&second);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_norm_has_each_value_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
