/* Refused arguments and their messages, NULL arguments, and state after failures. */
#include "tests/support/draw.h"
#include "tests/support/layer_case.h"
#include "tests/support/test.h"

enum { STEPS = 4, BATCH = 3, INPUTS = 5, HIDDEN = 6, LAYERS = 2 };

/* A time-major layer with all inputs. */
static layer_case *usual_case(void)
{
    layer_options options = {
        .config = {.inputs = INPUTS, .hidden = HIDDEN, .layers = LAYERS},
        .steps = STEPS,
        .batch = BATCH,
        .seed = 1,
        .h0 = true,
        .c0 = true,
        .dout = true,
        .dhn = true,
        .dcn = true,
    };
    return layer_case_create(&options);
}

static void expect_refusal(const lstm_layer_config *config, lstm_status expected,
                           const char *part)
{
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, 0), LSTM_OK);
    lstm_layer *layer = (lstm_layer *)&rng;
    assert_int_equal(lstm_layer_create(&layer, config, rng), expected);
    assert_null(layer);
    assert_contains(lstm_last_error(), "layer: ");
    assert_contains(lstm_last_error(), part);
    lstm_rng_destroy(&rng);
}

static void an_option_out_of_range_is_refused_with_its_name(void **state)
{
    (void)state;
    const lstm_status bad = LSTM_INVALID_ARGUMENT;
    expect_refusal(&(lstm_layer_config){.hidden = 3}, bad, "inputs");
    expect_refusal(&(lstm_layer_config){.inputs = 3}, bad, "hidden");
    lstm_layer_config config = {.inputs = 3, .hidden = 4};
    config.proj_size = 4;
    expect_refusal(&config, bad, "proj_size");
    config.proj_size = 0;
    config.layers = 2;
    const double wrong[] = {-0.1, 1.5, NAN, INFINITY};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        config.dropout = wrong[i];
        expect_refusal(&config, bad, "dropout");
    }
    expect_refusal(&(lstm_layer_config){.inputs = SIZE_MAX / 8, .hidden = 3}, bad,
                   "layer");
    expect_refusal(&(lstm_layer_config){.inputs = 3, .hidden = SIZE_MAX / 8}, bad,
                   "layer");
}

static void null_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    layer_case *c = usual_case();
    const lstm_layer_config config = {.inputs = 1, .hidden = 1};
    lstm_layer *layer = c->layer;
    assert_int_equal(lstm_layer_create(NULL, &config, NULL), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "NULL");
    assert_int_equal(lstm_layer_create(&layer, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_null(layer);
    assert_int_equal(
        lstm_layer_forward(NULL, NULL, c->x, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "layer is NULL");
    assert_int_equal(
        lstm_layer_forward(c->layer, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "x is NULL");
    assert_int_equal(
        lstm_layer_backward(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_set_training(NULL, true), LSTM_INVALID_ARGUMENT);
    assert_null(lstm_layer_get_config(NULL));
    lstm_layer_destroy(NULL);
    layer = NULL;
    lstm_layer_destroy(&layer);
    layer_case_destroy(c);
}

/* Tensors in the order of the calls, and their names in messages. */
enum { X, H0, C0, OUT, HN, CN, TENSORS };

static lstm_status forward_with(layer_case *c, lstm_tensor *const *t)
{
    return lstm_layer_forward(c->layer, NULL, t[X], NULL, t[H0], t[C0], t[OUT], t[HN],
                              t[CN]);
}

/* Replaces each tensor in turn by one with an axis that is too long. */
static void a_wrong_shape_is_refused_with_both_shapes(void **state)
{
    (void)state;
    static const char *const names[TENSORS] = {"x", "h0", "c0", "out", "hn", "cn"};
    layer_case *c = usual_case();
    lstm_tensor *const right[TENSORS] = {c->x, c->h0, c->c0, c->out, c->hn, c->cn};
    for (size_t i = 0; i < 3 * TENSORS; i++) {
        size_t which = i / 3, axis = i % 3, shape[3];
        if (which == X && axis < 2)
            continue;
        for (size_t k = 0; k < 3; k++)
            shape[k] = lstm_tensor_extent(right[which], k) + (k == axis);
        lstm_tensor *tensors[TENSORS];
        memcpy(tensors, right, sizeof(right));
        tensors[which] = layer_case_tensor(shape[0], shape[1], shape[2]);
        layer_case_fill(c->out, &(uint64_t){7});
        uint64_t before = layer_case_hash(c);
        assert_int_equal(forward_with(c, tensors), LSTM_SHAPE_MISMATCH);
        assert_true(layer_case_hash(c) == before);
        char start[64], end[64];
        snprintf(start, sizeof(start), "layer: %s is [%zu, %zu, %zu], expected [",
                 names[which], shape[0], shape[1], shape[2]);
        snprintf(end, sizeof(end), "%zu]", lstm_tensor_extent(right[which], 2));
        assert_contains(lstm_last_error(), start);
        assert_contains(lstm_last_error(), end);
        lstm_tensor_destroy(&tensors[which]);
    }
    layer_case_destroy(c);
}

static void a_wrong_rank_is_refused(void **state)
{
    (void)state;
    layer_case *c = usual_case();
    lstm_tensor *flat;
    const size_t shape[] = {BATCH, INPUTS};
    assert_int_equal(lstm_tensor_create(&flat, 2, shape), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(c->layer, NULL, flat, NULL, NULL, NULL, c->out, NULL, NULL),
        LSTM_SHAPE_MISMATCH);
    assert_contains(lstm_last_error(), "layer: x is [3, 5], expected [");
    lstm_tensor_destroy(&flat);
    layer_case_destroy(c);
}

static void a_wrong_gradient_shape_is_refused_and_the_forward_is_kept(void **state)
{
    (void)state;
    static const char *const names[TENSORS] = {"dx",   "dh0", "dc0",
                                               "dout", "dhn", "dcn"};
    layer_case *c = usual_case();
    lstm_tensor *const right[TENSORS] = {c->dx,   c->dh0, c->dc0,
                                         c->dout, c->dhn, c->dcn};
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    uint64_t before = layer_case_hash(c);
    for (size_t i = 0; i < 3 * TENSORS; i++) {
        size_t which = i / 3, shape[3];
        for (size_t k = 0; k < 3; k++)
            shape[k] = lstm_tensor_extent(right[which], k) + (k == i % 3);
        lstm_tensor *t[TENSORS];
        memcpy(t, right, sizeof(right));
        t[which] = layer_case_tensor(shape[0], shape[1], shape[2]);
        assert_int_equal(lstm_layer_backward(c->layer, NULL, t[OUT], t[HN], t[CN], t[X],
                                             t[H0], t[C0]),
                         LSTM_SHAPE_MISMATCH);
        assert_true(layer_case_hash(c) == before);
        char found[64], expected[64];
        snprintf(found, sizeof(found), "layer: %s is [%zu, %zu, %zu]", names[which],
                 shape[0], shape[1], shape[2]);
        snprintf(expected, sizeof(expected), "expected [%zu, %zu, %zu]",
                 lstm_tensor_extent(right[which], 0),
                 lstm_tensor_extent(right[which], 1),
                 lstm_tensor_extent(right[which], 2));
        assert_contains(lstm_last_error(), found);
        assert_contains(lstm_last_error(), expected);
        lstm_tensor_destroy(&t[which]);
    }
    assert_int_equal(layer_case_backward(c), LSTM_OK);
    layer_case_destroy(c);
}

static void a_length_out_of_range_is_refused_with_its_sequence(void **state)
{
    (void)state;
    layer_case *c = usual_case();
    const size_t wrong[] = {0, STEPS + 1};
    for (size_t i = 0; i < 2; i++) {
        size_t lengths[BATCH] = {STEPS, 1, wrong[i]};
        c->options.lengths = lengths;
        uint64_t before = layer_case_hash(c);
        assert_int_equal(layer_case_forward(c), LSTM_INVALID_ARGUMENT);
        assert_true(layer_case_hash(c) == before);
        char text[64];
        snprintf(text, sizeof(text), "length of row 2 is %zu, expected 1 to 4",
                 wrong[i]);
        assert_contains(lstm_last_error(), text);
    }
    layer_case_destroy(c);
}

static void any_output_may_be_null(void **state)
{
    (void)state;
    layer_case *whole = usual_case(), *part = usual_case();
    assert_int_equal(layer_case_forward(whole), LSTM_OK);
    for (unsigned wanted = 0; wanted < 8; wanted++) {
        lstm_tensor *out = wanted & 1 ? part->out : NULL;
        lstm_tensor *hn = wanted & 2 ? part->hn : NULL;
        lstm_tensor *cn = wanted & 4 ? part->cn : NULL;
        lstm_tensor *const results[] = {part->out, part->hn, part->cn};
        lstm_tensor *const expected[] = {whole->out, whole->hn, whole->cn};
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(lstm_tensor_fill(results[k], 7), LSTM_OK);
        assert_int_equal(lstm_layer_forward(part->layer, NULL, part->x, NULL, part->h0,
                                            part->c0, out, hn, cn),
                         LSTM_OK);
        for (size_t k = 0; k < 3; k++)
            if (wanted >> k & 1)
                assert_same_bits(results[k], expected[k]);
            else
                assert_true(lstm_tensor_data(results[k])[0] == 7);
    }
    layer_case_destroy(whole);
    layer_case_destroy(part);
}

/* The weights change each time, also those that only the gradient of x reads. */
static void any_gradient_out_may_be_null(void **state)
{
    (void)state;
    layer_case *whole = usual_case(), *part = usual_case();
    lstm_tensor *const results[] = {part->dx, part->dh0, part->dc0};
    lstm_tensor *const expected[] = {whole->dx, whole->dh0, whole->dc0};
    for (unsigned wanted = 0; wanted < 8; wanted++) {
        *lstm_tensor_data(lstm_params_value(whole->params, 0)) = (float)wanted;
        *lstm_tensor_data(lstm_params_value(part->params, 0)) = (float)wanted;
        assert_int_equal(lstm_params_zero_grad(whole->params), LSTM_OK);
        layer_case_run(whole);
        assert_int_equal(lstm_params_zero_grad(part->params), LSTM_OK);
        assert_int_equal(layer_case_forward(part), LSTM_OK);
        assert_int_equal(lstm_layer_backward(part->layer, NULL, part->dout, part->dhn,
                                             part->dcn, wanted & 1 ? part->dx : NULL,
                                             wanted & 2 ? part->dh0 : NULL,
                                             wanted & 4 ? part->dc0 : NULL),
                         LSTM_OK);
        for (size_t k = 0; k < 3; k++)
            if (wanted >> k & 1)
                assert_same_bits(results[k], expected[k]);
        for (size_t k = 0; k < lstm_params_size(part->params); k++)
            assert_same_bits(lstm_params_grad(part->params, k),
                             lstm_params_grad(whole->params, k));
    }
    layer_case_destroy(whole);
    layer_case_destroy(part);
}

/* NULL gradients are zeros. */
static void any_gradient_in_may_be_null(void **state)
{
    (void)state;
    layer_case *zeros = usual_case(), *nulls = usual_case();
    for (unsigned given = 0; given < 8; given++) {
        bool flags[] = {given & 1, given & 2, given & 4};
        lstm_tensor *const in[] = {zeros->dout, zeros->dhn, zeros->dcn};
        lstm_tensor *const same[] = {nulls->dout, nulls->dhn, nulls->dcn};
        for (size_t k = 0; k < 3; k++)
            if (flags[k])
                assert_int_equal(lstm_tensor_copy(in[k], same[k]), LSTM_OK);
            else
                assert_int_equal(lstm_tensor_fill(in[k], 0), LSTM_OK);
        nulls->options.dout = flags[0];
        nulls->options.dhn = flags[1];
        nulls->options.dcn = flags[2];
        layer_case_run(zeros);
        layer_case_run(nulls);
        assert_same_bits(zeros->dx, nulls->dx);
        for (size_t k = 0; k < lstm_params_size(zeros->params); k++)
            assert_same_bits(lstm_params_grad(zeros->params, k),
                             lstm_params_grad(nulls->params, k));
    }
    layer_case_destroy(zeros);
    layer_case_destroy(nulls);
}

static void null_states_are_zeros(void **state)
{
    (void)state;
    layer_case *zeros = usual_case(), *nulls = usual_case();
    assert_int_equal(lstm_tensor_fill(zeros->h0, 0), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(zeros->c0, 0), LSTM_OK);
    nulls->options.h0 = nulls->options.c0 = false;
    layer_case_run(zeros);
    layer_case_run(nulls);
    assert_same_bits(zeros->out, nulls->out);
    assert_same_bits(zeros->cn, nulls->cn);
    assert_same_bits(zeros->dh0, nulls->dh0);
    assert_same_bits(zeros->dc0, nulls->dc0);
    layer_case_destroy(zeros);
    layer_case_destroy(nulls);
}

static void each_forward_allows_one_backward(void **state)
{
    (void)state;
    layer_case *c = usual_case();
    assert_int_equal(layer_case_backward(c), LSTM_INVALID_STATE);
    assert_contains(lstm_last_error(), "layer: ");
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_int_equal(layer_case_backward(c), LSTM_OK);
    assert_int_equal(layer_case_backward(c), LSTM_INVALID_STATE);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    assert_int_equal(layer_case_backward(c), LSTM_INVALID_STATE);
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_int_equal(layer_case_backward(c), LSTM_INVALID_STATE);
    assert_int_equal(lstm_layer_set_training(c->layer, true), LSTM_OK);
    assert_int_equal(layer_case_backward(c), LSTM_INVALID_STATE);
    layer_case_destroy(c);
}

static void a_failed_forward_keeps_the_pending_one(void **state)
{
    (void)state;
    layer_case *a = usual_case(), *b = usual_case();
    lstm_tensor *wrong = layer_case_tensor(STEPS, BATCH, INPUTS + 1);
    layer_case_run(a);
    assert_int_equal(layer_case_forward(b), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(b->layer, NULL, wrong, NULL, NULL, NULL, NULL, NULL, NULL),
        LSTM_SHAPE_MISMATCH);
    lstm_tensor *shorter = layer_case_tensor(STEPS - 1, BATCH, INPUTS);
    assert_int_equal(lstm_layer_forward(b->layer, NULL, shorter, NULL, NULL, NULL,
                                        b->out, NULL, NULL),
                     LSTM_SHAPE_MISMATCH);
    const size_t lengths[BATCH] = {0};
    assert_int_equal(lstm_layer_forward(b->layer, NULL, shorter, lengths, NULL, NULL,
                                        NULL, NULL, NULL),
                     LSTM_INVALID_ARGUMENT);
    lstm_tensor_destroy(&shorter);
    assert_int_equal(layer_case_backward(b), LSTM_OK);
    assert_true(layer_case_hash(a) == layer_case_hash(b));
    lstm_tensor_destroy(&wrong);
    layer_case_destroy(a);
    layer_case_destroy(b);
}

static void the_input_may_change_before_the_backward(void **state)
{
    (void)state;
    layer_case *a = usual_case(), *b = usual_case();
    layer_case_run(a);
    assert_int_equal(layer_case_forward(b), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(b->x, 9), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(b->h0, 9), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(b->c0, 9), LSTM_OK);
    assert_int_equal(layer_case_backward(b), LSTM_OK);
    assert_true(layer_case_hash(a) == layer_case_hash(b));
    layer_case_destroy(a);
    layer_case_destroy(b);
}

/* A view with unusual strides: axes in reverse order in memory, with gaps. */
static lstm_tensor *strided_view(const lstm_tensor *of, float **memory)
{
    size_t shape[3];
    for (size_t k = 0; k < 3; k++)
        shape[k] = lstm_tensor_extent(of, k);
    const ptrdiff_t strides[] = {2, (ptrdiff_t)(2 * shape[0] + 1),
                                 (ptrdiff_t)((2 * shape[0] + 1) * shape[1] + 3)};
    *memory = calloc((size_t)strides[2] * shape[2], sizeof(float));
    lstm_tensor *view;
    assert_int_equal(lstm_tensor_wrap(&view, *memory, 3, shape, strides), LSTM_OK);
    assert_int_equal(lstm_tensor_copy(view, of), LSTM_OK);
    return view;
}

static void strides_do_not_change_results(void **state)
{
    (void)state;
    layer_case *plain = usual_case(), *c = usual_case();
    layer_case_run(plain);
    lstm_tensor **tensors[] = {&c->x,    &c->h0,  &c->c0,  &c->out, &c->hn,  &c->cn,
                               &c->dout, &c->dhn, &c->dcn, &c->dx,  &c->dh0, &c->dc0};
    lstm_tensor *const dense[] = {plain->out, plain->hn,  plain->cn,
                                  plain->dx,  plain->dh0, plain->dc0};
    float *memory[12];
    for (size_t i = 0; i < 12; i++) {
        lstm_tensor *view = strided_view(*tensors[i], &memory[i]);
        lstm_tensor_destroy(tensors[i]);
        *tensors[i] = view;
    }
    layer_case_run(c);
    static const size_t results[] = {3, 4, 5, 9, 10, 11};
    for (size_t k = 0; k < 6; k++) {
        const lstm_tensor *expected = dense[k];
        lstm_tensor *copy = layer_case_tensor(lstm_tensor_extent(expected, 0),
                                              lstm_tensor_extent(expected, 1),
                                              lstm_tensor_extent(expected, 2));
        assert_int_equal(lstm_tensor_copy(copy, *tensors[results[k]]), LSTM_OK);
        assert_same_bits(copy, expected);
        lstm_tensor_destroy(&copy);
    }
    layer_case_destroy(plain);
    layer_case_destroy(c);
    for (size_t i = 0; i < 12; i++)
        free(memory[i]);
}

static void shapes_may_change_from_call_to_call(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{2, 1}, {9, 40}, {1, 1}, {5, 17}, {9, 40}};
    layer_case *c = usual_case();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        layer_options options = c->options;
        options.steps = sizes[i][0];
        options.batch = sizes[i][1];
        layer_case *fresh = layer_case_create(&options);
        layer_case *reused = layer_case_create(&options);
        lstm_layer *own = reused->layer;
        lstm_params *own_params = reused->params;
        reused->layer = c->layer;
        reused->params = c->params;
        layer_case_run(fresh);
        layer_case_run(reused);
        assert_true(layer_case_hash(fresh) == layer_case_hash(reused));
        reused->layer = own;
        reused->params = own_params;
        layer_case_destroy(fresh);
        layer_case_destroy(reused);
    }
    layer_case_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_option_out_of_range_is_refused_with_its_name),
        TEST(null_arguments_are_refused_with_a_message),
        TEST(a_wrong_shape_is_refused_with_both_shapes),
        TEST(a_wrong_rank_is_refused),
        TEST(a_wrong_gradient_shape_is_refused_and_the_forward_is_kept),
        TEST(a_length_out_of_range_is_refused_with_its_sequence),
        TEST(any_output_may_be_null),
        TEST(any_gradient_out_may_be_null),
        TEST(any_gradient_in_may_be_null),
        TEST(null_states_are_zeros),
        TEST(each_forward_allows_one_backward),
        TEST(a_failed_forward_keeps_the_pending_one),
        TEST(the_input_may_change_before_the_backward),
        TEST(strides_do_not_change_results),
        TEST(shapes_may_change_from_call_to_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
