/* Weights as arrays in the layouts of other frameworks. */
#include <lstm/lstm.h>

#include "tests/support/test.h"

enum { I = 3, H = 5, P = 2, GATES = 4 * H, MOST = 2 * GATES * 2 * H };

static const lstm_layer_config plain = {.inputs = I, .hidden = H};

/* A layer with random weights in training mode, where each forward reads them. */
static lstm_layer *layer_of(lstm_layer_config config, uint64_t seed)
{
    lstm_rng *rng;
    lstm_layer *layer;
    assert_int_equal(lstm_rng_create(&rng, seed), LSTM_OK);
    assert_int_equal(lstm_layer_create(&layer, &config, rng), LSTM_OK);
    lstm_rng_destroy(&rng);
    return layer;
}

static const float *parameter(lstm_layer *layer, size_t index)
{
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", layer), LSTM_OK);
    const float *data = lstm_tensor_data(lstm_params_value(params, index));
    lstm_params_destroy(&params);
    return data;
}

static void run(lstm_layer *layer, float *out, size_t width)
{
    enum { STEPS = 6 };
    lstm_tensor *x, *y;
    assert_int_equal(lstm_tensor_create(&x, 3, (size_t[]){STEPS, 1, I}), LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&y, out, 3, (size_t[]){STEPS, 1, width}, NULL),
                     LSTM_OK);
    for (size_t i = 0; i < lstm_tensor_count(x); i++)
        lstm_tensor_data(x)[i] = (float)i / 9 - 1;
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, y, NULL, NULL), LSTM_OK);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

static void layouts_are_as_documented(void **state)
{
    (void)state;
    lstm_layer *layer = layer_of(plain, 1);
    const float *ih = parameter(layer, 0), *hh = parameter(layer, 1);
    const float *b_ih = parameter(layer, 2), *b_hh = parameter(layer, 3);
    /* The order of ONNX is i, o, f, c; that of PyTorch i, f, g, o. */
    const size_t onnx[4] = {0, 3, 1, 2};
    float w[MOST], r[MOST], b[MOST];
    assert_int_equal(
        lstm_layer_get_weights(layer, 0, 0, LSTM_LAYOUT_PYTORCH, w, r, b, NULL),
        LSTM_OK);
    assert_memory_equal(w, ih, GATES * I * sizeof(float));
    assert_memory_equal(r, hh, GATES * H * sizeof(float));
    assert_memory_equal(b, b_ih, GATES * sizeof(float));
    assert_memory_equal(b + GATES, b_hh, GATES * sizeof(float));
    assert_int_equal(
        lstm_layer_get_weights(layer, 0, 0, LSTM_LAYOUT_ONNX, w, r, b, NULL), LSTM_OK);
    for (size_t gate = 0; gate < 4; gate++) {
        const size_t to = gate * H, from = onnx[gate] * H;
        assert_memory_equal(w + to * I, ih + from * I, H * I * sizeof(float));
        assert_memory_equal(r + to * H, hh + from * H, H * H * sizeof(float));
        assert_memory_equal(b + to, b_ih + from, H * sizeof(float));
        assert_memory_equal(b + GATES + to, b_hh + from, H * sizeof(float));
    }
    for (int layout = 0; layout < 2; layout++) {
        assert_int_equal(
            lstm_layer_get_weights(layer, 0, 0,
                                   layout ? LSTM_LAYOUT_KERAS : LSTM_LAYOUT_ONEDNN, w,
                                   r, b, NULL),
            LSTM_OK);
        for (size_t g = 0; g < GATES; g++) {
            for (size_t k = 0; k < I; k++)
                assert_memory_equal(&w[k * GATES + g], &ih[g * I + k], sizeof(float));
            for (size_t k = 0; k < H; k++)
                assert_memory_equal(&r[k * GATES + g], &hh[g * H + k], sizeof(float));
            const float sum = b_ih[g] + b_hh[g];
            assert_memory_equal(&b[g], &sum, sizeof(float));
        }
    }
    lstm_layer_destroy(&layer);
}

static void a_layer_without_biases_gives_zeros(void **state)
{
    (void)state;
    lstm_layer_config config = plain;
    config.no_bias = true;
    lstm_layer *layer = layer_of(config, 1);
    const lstm_layout layouts[] = {LSTM_LAYOUT_PYTORCH, LSTM_LAYOUT_ONNX,
                                   LSTM_LAYOUT_ONEDNN, LSTM_LAYOUT_KERAS};
    for (size_t i = 0; i < 4; i++) {
        float w[MOST], r[MOST], b[3 * GATES];
        size_t count = i < 2 ? 2 * GATES : GATES;
        for (size_t k = 0; k < 3 * GATES; k++)
            b[k] = 7;
        assert_int_equal(lstm_layer_get_weights(layer, 0, 0, layouts[i], w, r, b, NULL),
                         LSTM_OK);
        for (size_t k = 0; k < 3 * GATES; k++)
            assert_true(b[k] == (k < count ? 0 : 7));
    }
    lstm_layer_destroy(&layer);
}

/* Layouts with one bias have the sum of both; the sign of a zero stays. */
static void two_biases_become_their_sum(void **state)
{
    (void)state;
    lstm_layer *layer = layer_of(plain, 1);
    float w[MOST], r[MOST], two[2 * GATES], one[GATES];
    assert_int_equal(
        lstm_layer_get_weights(layer, 0, 0, LSTM_LAYOUT_PYTORCH, w, r, two, NULL),
        LSTM_OK);
    for (size_t k = 0; k < GATES; k++) {
        two[k] = k % 2 ? 2 : -0.0f;
        two[GATES + k] = k % 2 ? 1 : 0;
    }
    assert_int_equal(
        lstm_layer_set_weights(layer, 0, 0, LSTM_LAYOUT_PYTORCH, w, r, two, NULL),
        LSTM_OK);
    assert_int_equal(
        lstm_layer_get_weights(layer, 0, 0, LSTM_LAYOUT_ONEDNN, w, r, one, NULL),
        LSTM_OK);
    for (size_t k = 0; k < GATES; k++) {
        assert_true(one[k] == (k % 2 ? 3 : 0));
        assert_int_equal(signbit(one[k]) != 0, k % 2 == 0);
    }
    lstm_layer_destroy(&layer);
}

/* Nothing is written behind the values of an array. */
static void assert_zeros(const float *values, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_true(values[i] == 0);
}

/* Copying weights to another layer through a layout gives the same bits. */
static void assert_moves(lstm_layer_config config, lstm_layout layout)
{
    lstm_layer *from = layer_of(config, 2), *to = layer_of(config, 3);
    size_t layers = config.layers ? config.layers : 1;
    size_t directions = config.bidirectional ? 2 : 1;
    size_t width = directions * (config.proj_size ? P : H), depth = width / directions;
    bool two = layout == LSTM_LAYOUT_PYTORCH || layout == LSTM_LAYOUT_ONNX;
    for (size_t l = 0; l < layers; l++)
        for (size_t d = 0; d < directions; d++) {
            float w[2][MOST], r[2][MOST], b[2][2 * GATES], p[2][P * H];
            float *bias = config.no_bias ? NULL : b[0];
            float *projection = config.proj_size ? p[0] : NULL;
            memset(w, 0, sizeof(w));
            memset(r, 0, sizeof(r));
            memset(b, 0, sizeof(b));
            memset(p, 0, sizeof(p));
            assert_int_equal(lstm_layer_get_weights(from, l, d, layout, w[0], r[0],
                                                    bias, projection),
                             LSTM_OK);
            assert_zeros(w[0], GATES * (l ? width : I), MOST);
            assert_zeros(r[0], GATES * depth, MOST);
            assert_zeros(b[0], two ? 2 * GATES : GATES, 2 * GATES);
            assert_int_equal(
                lstm_layer_set_weights(to, l, d, layout, w[0], r[0], bias, projection),
                LSTM_OK);
            assert_int_equal(lstm_layer_get_weights(to, l, d, layout, w[1], r[1],
                                                    bias ? b[1] : NULL,
                                                    projection ? p[1] : NULL),
                             LSTM_OK);
            assert_memory_equal(w[0], w[1], sizeof(w[0]));
            assert_memory_equal(r[0], r[1], sizeof(r[0]));
            assert_memory_equal(b[0], b[1], sizeof(b[0]));
            assert_memory_equal(p[0], p[1], sizeof(p[0]));
        }
    float a[6 * 2 * H], b[6 * 2 * H];
    run(from, a, width);
    run(to, b, width);
    assert_memory_equal(a, b, 6 * width * sizeof(float));
    lstm_layer_destroy(&from);
    lstm_layer_destroy(&to);
}

static void reading_back_returns_what_was_set(void **state)
{
    (void)state;
    for (int layout = LSTM_LAYOUT_PYTORCH; layout <= LSTM_LAYOUT_ONEDNN; layout++) {
        lstm_layer_config config = plain;
        assert_moves(config, (lstm_layout)layout);
        config.layers = 2;
        config.bidirectional = true;
        assert_moves(config, (lstm_layout)layout);
        config.no_bias = true;
        assert_moves(config, (lstm_layout)layout);
        config.proj_size = P;
        if (layout == LSTM_LAYOUT_PYTORCH || layout == LSTM_LAYOUT_ONEDNN)
            assert_moves(config, (lstm_layout)layout);
    }
}

static void evaluation_uses_weights_that_were_set(void **state)
{
    (void)state;
    lstm_layer *from = layer_of(plain, 2), *to = layer_of(plain, 3);
    float w[MOST], r[MOST], b[MOST], one[6 * H], other[6 * H];
    assert_int_equal(lstm_layer_set_training(to, false), LSTM_OK);
    run(to, other, H);
    assert_int_equal(
        lstm_layer_get_weights(from, 0, 0, LSTM_LAYOUT_KERAS, w, r, b, NULL), LSTM_OK);
    assert_int_equal(lstm_layer_set_weights(to, 0, 0, LSTM_LAYOUT_KERAS, w, r, b, NULL),
                     LSTM_OK);
    run(from, one, H);
    run(to, other, H);
    assert_memory_equal(one, other, sizeof(one));
    lstm_layer_destroy(&from);
    lstm_layer_destroy(&to);
}

static void assert_refused(lstm_status status, lstm_status expected, const char *text)
{
    assert_int_equal(status, expected);
    assert_contains(lstm_last_error(), text);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    float w[MOST] = {0};
    lstm_layer *layer = layer_of(plain, 1);
    lstm_layer_config config = plain;
    config.proj_size = P;
    config.no_bias = true;
    lstm_layer *projecting = layer_of(config, 1);
    const lstm_layout torch = LSTM_LAYOUT_PYTORCH, keras = LSTM_LAYOUT_KERAS;
    const lstm_status invalid = LSTM_INVALID_ARGUMENT;
    assert_refused(lstm_layer_set_weights(NULL, 0, 0, torch, w, w, w, NULL), invalid,
                   "weights: layer is NULL");
    assert_refused(lstm_layer_set_weights(layer, 0, 0, torch, NULL, w, w, NULL),
                   invalid, "input is NULL");
    assert_refused(lstm_layer_set_weights(layer, 0, 0, torch, w, NULL, w, NULL),
                   invalid, "recurrent is NULL");
    assert_refused(lstm_layer_set_weights(layer, 1, 0, torch, w, w, w, NULL), invalid,
                   "index is 1, expected 0 to 0");
    assert_refused(lstm_layer_get_weights(layer, 0, 1, torch, w, w, w, NULL), invalid,
                   "direction is 1, expected 0 to 0");
    assert_refused(lstm_layer_get_weights(layer, 0, 0, (lstm_layout)4, w, w, w, NULL),
                   invalid, "unknown layout 4");
    assert_refused(lstm_layer_get_weights(layer, 0, 0, torch, w, w, w, w), invalid,
                   "projection is not NULL");
    assert_refused(lstm_layer_set_weights(projecting, 0, 0, torch, w, w, NULL, NULL),
                   invalid, "projection is NULL");
    assert_refused(lstm_layer_set_weights(projecting, 0, 0, torch, w, w, w, w), invalid,
                   "bias is not NULL");
    assert_refused(lstm_layer_get_weights(projecting, 0, 0, keras, w, w, w, NULL),
                   LSTM_UNSUPPORTED, "projection of 2");
    lstm_layer_destroy(&layer);
    lstm_layer_destroy(&projecting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(layouts_are_as_documented),
        TEST(a_layer_without_biases_gives_zeros),
        TEST(two_biases_become_their_sum),
        TEST(reading_back_returns_what_was_set),
        TEST(evaluation_uses_weights_that_were_set),
        TEST(wrong_arguments_are_refused_with_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
