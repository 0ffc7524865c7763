/*
 * Layers with int8 weights, compared with the reference in double precision for the
 * quantised weights, and with the same layers in float32. tests/kernel/test_bytes.c
 * checks every bit of the kernels; stream runs in int8, too.
 */
#include "tests/support/draw.h"
#include "tests/support/folder.h"
#include "tests/support/layer_case.h"
#include "tests/support/model.h"
#include "tests/support/test.h"

static layer_case *case_of(size_t i, lstm_precision precision)
{
    layer_options options = layer_case_options(i, 21);
    options.config.precision = precision;
    options.config.dropout = 0;
    layer_case *c = layer_case_create(&options);
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_OK);
    return c;
}

static void run(layer_case *c)
{
    if (layer_case_forward(c) != LSTM_OK)
        fail_msg("%s", lstm_last_error());
}

/* Rounds the rows of all matrices to q and a scale, written from the definition in
 * docs/numerics.md. */
static void quantise(const lstm_params *params)
{
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        lstm_tensor *value = lstm_params_value(params, i);
        size_t rows = lstm_tensor_extent(value, 0);
        size_t columns = lstm_tensor_count(value) / rows;
        for (size_t row = 0; lstm_tensor_rank(value) == 2 && row < rows; row++) {
            float *w = lstm_tensor_data(value) + row * columns, most = 0;
            for (size_t k = 0; k < columns; k++)
                most = fmaxf(most, fabsf(w[k]));
            int exponent;
            double significand = frexp((double)(most / 127), &exponent);
            double scale = ldexp(floor(ldexp(significand, 17)), exponent - 17);
            for (size_t k = 0; k < columns; k++)
                w[k] = (float)(nearbyint((double)(w[k] / (float)scale)) * scale);
        }
    }
}

/* The largest difference from the reference. */
static double largest_error(const lstm_tensor *found, const double *exact)
{
    double *values = layer_case_doubles(found, false), most = 0;
    for (size_t i = 0; i < lstm_tensor_count(found); i++)
        most = fmax(most, fabs(values[i] - exact[i]));
    free(values);
    return most;
}

/* x and h are rounded to 2^-15 of a power of two, which is at most twice their largest
 * size: to 2^-14 at most, on average a third of it, with both signs. A sum of H
 * products has an error of sqrt(H) 2^-15 weights, about 2^-15; the gates reduce it, the
 * cell state adds it up over steps. */
static void outputs_are_those_of_the_quantised_weights(void **state)
{
    (void)state;
    double most = 0;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *c = case_of(i, LSTM_INT8);
        run(c);
        quantise(c->params);
        size_t count = lstm_params_count(c->params),
               swap = c->options.config.batch_first;
        float *values = calloc(count, sizeof(*values));
        double *parameters = calloc(count, sizeof(*parameters));
        assert_int_equal(lstm_params_get_values(c->params, values), LSTM_OK);
        for (size_t k = 0; k < count; k++)
            parameters[k] = (double)values[k];
        reference_lstm net = layer_case_net(c);
        net.parameters = parameters;
        double *x = layer_case_doubles(c->x, swap);
        double *h0 = layer_case_doubles(c->h0, false);
        double *c0 = layer_case_doubles(c->c0, false);
        double *out = calloc(lstm_tensor_count(c->out), sizeof(*out));
        double *hn = calloc(lstm_tensor_count(c->hn), sizeof(*hn));
        double *cn = calloc(lstm_tensor_count(c->cn), sizeof(*cn));
        const layer_options *o = &c->options;
        reference_forward(&net,
                          &(reference_input){.steps = o->steps,
                                             .batch = o->batch,
                                             .lengths = o->lengths,
                                             .x = x,
                                             .h0 = o->h0 ? h0 : NULL,
                                             .c0 = o->c0 ? c0 : NULL},
                          out, hn, cn);
        most = fmax(most, largest_error(c->hn, hn));
        most = fmax(most, largest_error(c->cn, cn));
        double *all[] = {parameters, x, h0, c0, out, hn, cn};
        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
            free(all[k]);
        free(values);
        layer_case_destroy(c);
    }
    print_message("# largest error %.3g\n", most);
    assert_close(most, 0, 0x1p-13);
}

static double relative_difference(const lstm_tensor *found, const lstm_tensor *exact)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < lstm_tensor_count(exact); i++) {
        double value = (double)lstm_tensor_data(exact)[i];
        double error = (double)lstm_tensor_data(found)[i] - value;
        difference += error * error;
        size += value * value;
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

/* A weight differs by at most 1/254 of the largest of its row, on average by a quarter
 * of that of a uniform row; docs/numerics.md states the limit. */
static void outputs_are_near_those_of_float32(void **state)
{
    (void)state;
    double most = 0;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_FLOAT32), *b = case_of(i, LSTM_INT8);
        run(a);
        run(b);
        most = fmax(most, relative_difference(b->out, a->out));
        most = fmax(most, relative_difference(b->hn, a->hn));
        most = fmax(most, relative_difference(b->cn, a->cn));
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
    print_message("# largest difference %.3g\n", most);
    assert_close(most, 0, 0x1p-7);
}

static uint64_t hash_of(const layer_case *c, uint64_t hash)
{
    const lstm_tensor *results[] = {c->out, c->hn, c->cn};
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        hash = hash_bytes(hash, lstm_tensor_data(results[i]),
                          lstm_tensor_count(results[i]) * sizeof(float));
    return hash;
}

static void every_set_of_kernels_and_threads_gives_the_same_bits(void **state)
{
    (void)state;
    const size_t threads[] = {1, 2, 3, 5};
    for (size_t t = 0; t < sizeof(threads) / sizeof(threads[0]); t++) {
        assert_int_equal(lstm_set_threads(threads[t]), LSTM_OK);
        uint64_t hash = HASH_START;
        for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
            layer_case *c = case_of(i, LSTM_INT8);
            run(c);
            hash = hash_of(c, hash);
            layer_case_destroy(c);
        }
        if (hash != 0x7fecebe0a05b3bf5u)
            fail_msg("hash is 0x%016llx", (unsigned long long)hash);
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

/* q and the scale of a quantised row are those of the row. */
static void quantised_parameters_give_the_same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_INT8), *b = case_of(i, LSTM_INT8);
        quantise(b->params);
        assert_int_equal(lstm_layer_set_training(b->layer, false), LSTM_OK);
        run(a);
        run(b);
        assert_same_bits(a->out, b->out);
        assert_same_bits(a->cn, b->cn);
        layer_case_destroy(a);
        layer_case_destroy(b);
    }
}

/* One sequence alone has other kernels, windows of steps and an own path. */
static void a_sequence_alone_gives_the_bits_of_the_batch(void **state)
{
    (void)state;
    enum { STEPS = 37, BATCH = 5, INPUTS = 3, HIDDEN = 21 };
    layer_options options = {.config = {.inputs = INPUTS,
                                        .hidden = HIDDEN,
                                        .layers = 2,
                                        .batch_first = true,
                                        .precision = LSTM_INT8},
                             .steps = STEPS,
                             .batch = BATCH,
                             .seed = 5};
    layer_case *c = layer_case_create(&options);
    run(c);
    for (size_t n = 0; n < BATCH; n++) {
        lstm_tensor *x, *expected, *out = layer_case_tensor(1, STEPS, HIDDEN);
        assert_int_equal(lstm_tensor_narrow(&x, c->x, 0, n, 1), LSTM_OK);
        assert_int_equal(lstm_tensor_narrow(&expected, c->out, 0, n, 1), LSTM_OK);
        assert_int_equal(
            lstm_layer_forward(c->layer, NULL, x, NULL, NULL, NULL, out, NULL, NULL),
            LSTM_OK);
        assert_same_bits(out, expected);
        lstm_tensor_destroy(&x);
        lstm_tensor_destroy(&expected);
        lstm_tensor_destroy(&out);
    }
    layer_case_destroy(c);
}

/* An infinity in x makes its sequence NaN, and no other one. */
static void special_inputs_ruin_their_own_sequence(void **state)
{
    (void)state;
    const float special[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < 3; i++) {
        layer_options options = {
            .config = {.inputs = 5, .hidden = 7, .precision = LSTM_INT8},
            .steps = 2,
            .batch = 3,
            .seed = 8};
        layer_case *c = layer_case_create(&options);
        lstm_tensor_data(c->x)[5 + 2] = special[i];
        run(c);
        for (size_t k = 0; k < lstm_tensor_count(c->out); k++) {
            float y = lstm_tensor_data(c->out)[k];
            assert_true(k / 7 % 3 == 1 ? isnan(y) : isfinite(y));
        }
        layer_case_destroy(c);
    }
}

static void training_is_refused(void **state)
{
    (void)state;
    layer_case *c = case_of(0, LSTM_INT8);
    run(c);
    assert_int_equal(lstm_layer_set_training(c->layer, true), LSTM_UNSUPPORTED);
    assert_contains(lstm_last_error(), "precision is int8, which has no training");
    assert_int_equal(layer_case_backward(c), LSTM_UNSUPPORTED);
    assert_contains(lstm_last_error(), "precision is int8, which has no training");
    for (size_t i = 0; i < lstm_params_size(c->params); i++) {
        assert_null(lstm_params_grad(c->params, i));
        assert_false(lstm_params_trainable(c->params, i));
    }
    run(c);
    layer_case_destroy(c);
}

static void weights_that_are_not_finite_are_refused(void **state)
{
    (void)state;
    layer_case *c = case_of(0, LSTM_INT8);
    run(c);
    uint64_t before = hash_of(c, HASH_START);
    lstm_tensor *weight = lstm_params_value(c->params, 1);
    float good = lstm_tensor_data(weight)[3];
    lstm_tensor_data(weight)[3] = NAN;
    assert_int_equal(lstm_layer_set_training(c->layer, false), LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "layer: weight_hh_l0 is nan at element 3");
    assert_int_equal(lstm_layer_pack(c->layer), LSTM_NOT_FINITE);
    run(c);
    assert_true(hash_of(c, HASH_START) == before);
    size_t count = lstm_params_count(c->params);
    float *values = calloc(count, sizeof(*values));
    assert_int_equal(lstm_params_get_values(c->params, values), LSTM_OK);
    assert_int_equal(lstm_params_set_values(c->params, values), LSTM_OK);
    assert_int_equal(layer_case_forward(c), LSTM_NOT_FINITE);
    lstm_tensor_data(weight)[3] = good;
    assert_int_equal(layer_case_forward(c), LSTM_OK);
    assert_true(hash_of(c, HASH_START) == before);
    free(values);
    layer_case_destroy(c);
}

/* Files -------------------------------------------------------------------------------
 */

static lstm_tensor_info info_of(lstm_file *file, const char *name)
{
    lstm_tensor_info info;
    for (size_t i = 0; i < lstm_file_tensor_count(file); i++) {
        assert_int_equal(lstm_file_tensor_info(file, i, &info), LSTM_OK);
        if (strcmp(info.name, name) == 0)
            return info;
    }
    fail_msg("%s is missing", name);
    return info;
}

static size_t read_all(const char *name, char *to, size_t size)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t count = fread(to, 1, size, file);
    fclose(file);
    return count;
}

/* A saved layer computes the same bits, and is saved as the same bytes. */
static void a_saved_layer_keeps_its_bits(void **state)
{
    (void)state;
    enum { MOST = 1 << 20 };
    static char first[MOST], second[MOST];
    for (size_t i = 0; i < LAYER_CASE_SPREAD; i++) {
        layer_case *a = case_of(i, LSTM_INT8);
        run(a);
        uint64_t hash = hash_of(a, HASH_START);
        assert_int_equal(lstm_params_save(a->params, test_path("a"), NULL), LSTM_OK);
        lstm_layer *loaded;
        if (lstm_layer_load(&loaded, test_path("a"), NULL, NULL) != LSTM_OK)
            fail_msg("%s", lstm_last_error());
        assert_int_equal(lstm_layer_get_config(loaded)->precision, LSTM_INT8);
        lstm_layer_destroy(&a->layer);
        a->layer = loaded;
        run(a);
        assert_true(hash_of(a, HASH_START) == hash);
        lstm_params *params;
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_params_add_layer(params, "", loaded), LSTM_OK);
        assert_int_equal(lstm_params_save(params, test_path("b"), NULL), LSTM_OK);
        size_t size = read_all(test_path("a"), first, MOST);
        assert_true(size < MOST && size == read_all(test_path("b"), second, MOST));
        assert_memory_equal(first, second, size);
        lstm_params_destroy(&params);
        lstm_params_destroy(&a->params);
        layer_case_destroy(a);
    }
}

static void a_file_has_bytes_and_scales(void **state)
{
    (void)state;
    layer_case *a = case_of(0, LSTM_INT8), *b = case_of(0, LSTM_FLOAT32);
    size_t converted, hidden = a->options.config.hidden;
    assert_int_equal(lstm_params_save(a->params, test_path("a"), NULL), LSTM_OK);
    lstm_file *file;
    assert_int_equal(lstm_file_open(&file, test_path("a")), LSTM_OK);
    lstm_tensor_info info = info_of(file, "weight_hh_l0");
    assert_string_equal(info.dtype, "I8");
    assert_int_equal(info.bytes, info.shape[0] * info.shape[1]);
    info = info_of(file, "weight_hh_l0_scale");
    assert_string_equal(info.dtype, "F32");
    assert_int_equal(info.rank, 1);
    assert_int_equal(info.shape[0], 4 * hidden);
    assert_string_equal(info_of(file, "bias_hh_l0").dtype, "F32");
    /* A layer of float32 gets the values that the layer of int8 computes with. */
    assert_int_equal(lstm_params_read(b->params, file,
                                      &(lstm_file_options){.converted = &converted}),
                     LSTM_OK);
    quantise(a->params);
    for (size_t i = 0; i < lstm_params_size(a->params); i++)
        assert_same_bits(lstm_params_value(a->params, i),
                         lstm_params_value(b->params, i));
    assert_true(converted >= 2 && converted < lstm_params_size(a->params));
    lstm_tensor *one;
    assert_int_equal(lstm_tensor_create(&one, 2, (size_t[]){4 * hidden, hidden}),
                     LSTM_OK);
    assert_int_equal(lstm_file_read_tensor(file, "weight_hh_l0", one), LSTM_OK);
    assert_same_bits(one, lstm_params_value(a->params, 1));
    lstm_tensor_destroy(&one);
    lstm_file_destroy(&file);
    lstm_tensor_data(lstm_params_value(a->params, 1))[4] = INFINITY;
    assert_int_equal(lstm_params_save(a->params, test_path("b"), NULL),
                     LSTM_NOT_FINITE);
    assert_contains(lstm_last_error(), "params: weight_hh_l0 is inf at element 4");
    layer_case_destroy(a);
    layer_case_destroy(b);
}

/* The message of a file with int8 values of weight_ih, and scales of this form, the
 * last of which is value; without data type it has none. */
static const char *message_of(const char *dtype, const char *shape, size_t size,
                              float value)
{
    float scales[20] = {0};
    test_model *m = test_model_new();
    memcpy((char *)scales + size - sizeof(value), &value, sizeof(value));
    test_model_bytes(m, "rnn.weight_ih_l0", "I8", "[20,3]", NULL, 60);
    if (dtype)
        test_model_bytes(m, "rnn.weight_ih_l0_scale", dtype, shape, scales, size);
    test_model_matrix(m, "rnn.weight_hh_l0", 20, 5, 0);
    test_model_finish(m);
    lstm_file *file;
    lstm_layer *layer;
    assert_int_equal(lstm_file_open_bytes(&file, m->bytes, m->count), LSTM_OK);
    assert_int_equal(lstm_layer_read(&layer, file, "rnn", NULL),
                     value == 1 && size == 80 ? LSTM_OK : LSTM_BAD_FILE);
    lstm_layer_destroy(&layer);
    lstm_file_destroy(&file);
    return lstm_last_error();
}

static void values_without_good_scales_are_refused(void **state)
{
    (void)state;
    message_of("F32", "[20]", 80, 1);
    assert_contains(message_of(NULL, NULL, 80, 2),
                    "quantised weights need their scales, tensor "
                    "rnn.weight_ih_l0_scale of F32 [20]");
    assert_contains(message_of("F32", "[19]", 76, 1),
                    "tensor rnn.weight_ih_l0_scale is F32 [19], expected F32 [20]");
    assert_contains(message_of("F16", "[20]", 40, 1),
                    "_scale is F16 [20], expected F32");
    assert_contains(message_of("F32", "[20,1]", 80, 1.5f),
                    "_scale is F32 [20, 1], expe");
    assert_contains(message_of("F32", "[20]", 80, -1),
                    "tensor rnn.weight_ih_l0_scale has the value -1, expected finite "
                    "numbers of at least 0");
    assert_contains(message_of("F32", "[20]", 80, NAN), "has the value nan");
    assert_contains(message_of("F32", "[20]", 80, INFINITY), "has the value inf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(outputs_are_those_of_the_quantised_weights),
        TEST(outputs_are_near_those_of_float32),
        TEST(every_set_of_kernels_and_threads_gives_the_same_bits),
        TEST(quantised_parameters_give_the_same_bits),
        TEST(a_sequence_alone_gives_the_bits_of_the_batch),
        TEST(special_inputs_ruin_their_own_sequence),
        TEST(training_is_refused),
        TEST(weights_that_are_not_finite_are_refused),
        TEST(a_saved_layer_keeps_its_bits),
        TEST(a_file_has_bytes_and_scales),
        TEST(values_without_good_scales_are_refused),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
