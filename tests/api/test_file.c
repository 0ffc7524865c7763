/* Files as objects: their content, from a path and from memory, including files of
 * other programs.
 */
#include <time.h>

#include <lstm/lstm.h>

#include "tests/support/model.h"

enum { INPUTS = 3, HIDDEN = 5 };

static lstm_file *open_model(test_model *m)
{
    lstm_file *file;
    size_t size = test_model_finish(m);
    lstm_status status = lstm_file_open_bytes(&file, m->bytes, size);
    if (status)
        print_error("%s\n", lstm_last_error());
    assert_int_equal(status, LSTM_OK);
    return file;
}

static float *data_of(lstm_tensor *tensor)
{
    return lstm_tensor_data(tensor);
}

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

/* The first h of a layer for an input of ones. */
static float output_of(lstm_layer *layer)
{
    lstm_tensor *x = tensor_of(3, (size_t[]){1, 1, INPUTS});
    lstm_tensor *h = tensor_of(3, (size_t[]){1, 1, HIDDEN});
    for (size_t i = 0; i < INPUTS; i++)
        data_of(x)[i] = 1;
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, h, NULL), LSTM_OK);
    float first = data_of(h)[0];
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&h);
    return first;
}

static void a_layer_in_evaluation_uses_values_that_were_loaded(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    lstm_layer *layer;
    lstm_params *params;
    lstm_layer_config config = {.inputs = INPUTS, .hidden = HIDDEN};
    test_model_lstm(m, "", "_l0", INPUTS, HIDDEN);
    lstm_file *file = open_model(m);
    for (int evaluation = 0; evaluation < 2; evaluation++) {
        static float expected;
        assert_int_equal(lstm_layer_create(&layer, &config, NULL), LSTM_OK);
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_params_add_layer(params, "", layer), LSTM_OK);
        if (evaluation) {
            assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
            assert_true(output_of(layer) != expected);
        }
        assert_int_equal(lstm_params_read(params, file, NULL), LSTM_OK);
        if (!evaluation)
            expected = output_of(layer);
        assert_true(output_of(layer) == expected);
        lstm_params_destroy(&params);
        lstm_layer_destroy(&layer);
    }
    lstm_file_destroy(&file);
}

static void a_file_lists_tensors_metadata_and_layers(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    lstm_tensor_info info;
    test_model_lstm(m, "a.rnn.", "_l0", INPUTS, HIDDEN);
    test_model_bytes(m, "phase", "C64", "[2]", NULL, 16);
    test_model_bytes(m, "odd", "X7_NEW", "[3,5]", NULL, 11);
    test_model_bytes(m, "deep", "I8", "[1,1,1,1,1,1,1,1,2]", NULL, 2);
    test_model_lstm(m, "cell.", "", INPUTS, HIDDEN);
    test_model_metadata(m, "\"z\":\"last\",\"format\":\"pt\"");
    lstm_file *file = open_model(m);
    assert_int_equal(lstm_file_tensor_count(file), 11);
    assert_int_equal(lstm_file_tensor_info(file, 1, &info), LSTM_OK);
    assert_string_equal(info.name, "a.rnn.weight_hh_l0");
    assert_string_equal(info.dtype, "F32");
    assert_int_equal(info.rank, 2);
    assert_int_equal(info.shape[0], 4 * HIDDEN);
    assert_int_equal(info.shape[1], HIDDEN);
    assert_int_equal(info.bytes, 4 * 4 * HIDDEN * HIDDEN);
    assert_int_equal(lstm_file_tensor_info(file, 5, &info), LSTM_OK);
    assert_string_equal(info.dtype, "X7_NEW");
    assert_int_equal(info.bytes, 11);
    assert_int_equal(lstm_file_tensor_info(file, 6, &info), LSTM_OK);
    assert_int_equal(info.rank, 9);
    assert_int_equal(info.shape[8], 2);
    assert_string_equal(lstm_file_metadata_key(file, 0), "format");
    assert_string_equal(lstm_file_metadata_key(file, 1), "z");
    assert_null(lstm_file_metadata_key(file, 2));
    assert_string_equal(lstm_file_metadata(file, "z"), "last");
    assert_string_equal(lstm_file_layer_prefix(file, 0), "a.rnn");
    assert_string_equal(lstm_file_layer_prefix(file, 1), "cell");
    assert_null(lstm_file_layer_prefix(file, 2));
    assert_int_equal(lstm_file_tensor_info(file, 11, &info), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "index is 11, expected below 11");
    lstm_file_destroy(&file);
    assert_null(file);
    lstm_file_destroy(&file);
    lstm_file_destroy(NULL);
}

static void null_is_refused(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_matrix(m, "w", 2, 0, 0);
    lstm_file *file = open_model(m), *none;
    lstm_tensor *to = tensor_of(1, (size_t[]){2});
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_layer_config config;
    lstm_tensor_info info;
    const lstm_status calls[] = {
        lstm_file_open(NULL, "x"),
        lstm_file_open(&none, NULL),
        lstm_file_open_bytes(NULL, "", 1),
        lstm_file_open_bytes(&none, NULL, 1),
        lstm_file_tensor_info(NULL, 0, &info),
        lstm_file_tensor_info(file, 0, NULL),
        lstm_file_layer_config(NULL, "", &config),
        lstm_file_layer_config(file, "", NULL),
        lstm_file_read_tensor(NULL, "w", to),
        lstm_file_read_tensor(file, NULL, to),
        lstm_file_read_tensor(file, "w", NULL),
        lstm_layer_read(NULL, file, "", NULL),
        lstm_layer_read(&layer, NULL, "", NULL),
        lstm_linear_read(NULL, file, ""),
        lstm_linear_read(&linear, NULL, ""),
        lstm_linear_read(&linear, file, NULL),
        lstm_params_read(NULL, file, NULL),
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        assert_int_equal(calls[i], LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_file_tensor_count(NULL), 0);
    assert_null(lstm_file_metadata_key(NULL, 0));
    assert_null(lstm_file_layer_prefix(NULL, 0));
    lstm_tensor_destroy(&to);
    lstm_file_destroy(&file);
}

static void one_tensor_is_read_and_converted(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    static const uint16_t halves[] = {0x3c00, 0xc100, 0x7bff, 0, 0x8000, 0x3c00};
    lstm_tensor *to = tensor_of(2, (size_t[]){2, 3}), *wide, *view;
    test_model_matrix(m, "first", 7, 0, 1);
    test_model_bytes(m, "half", "F16", "[2,3]", halves, sizeof(halves));
    test_model_bytes(m, "steps", "I64", "[1]", NULL, 8);
    test_model_bytes(m, "scale", "F64", "[]", &(double){1.5}, 8);
    lstm_file *file = open_model(m);
    assert_int_equal(lstm_file_read_tensor(file, "half", to), LSTM_OK);
    assert_true(data_of(to)[1] == -2.5f && data_of(to)[2] == 65504);
    /* To a view with gaps. */
    wide = tensor_of(2, (size_t[]){2, 8});
    assert_int_equal(lstm_tensor_narrow(&view, wide, 1, 2, 3), LSTM_OK);
    assert_int_equal(lstm_file_read_tensor(file, "half", view), LSTM_OK);
    assert_true(data_of(wide)[1] == 0 && data_of(wide)[3] == -2.5f);
    assert_true(data_of(wide)[8 + 4] == 1 && data_of(wide)[8 + 5] == 0);
    assert_int_equal(lstm_file_read_tensor(file, "first", to), LSTM_SHAPE_MISMATCH);
    assert_contains(lstm_last_error(), "tensor first is [7], expected [2, 3]");
    assert_int_equal(lstm_file_read_tensor(file, "none", to), LSTM_BAD_FILE);
    assert_contains(
        lstm_last_error(),
        "tensor none is missing; the file has 4 tensors: first, half, steps, "
        "scale");
    /* A scalar is read to one element. */
    assert_int_equal(lstm_file_read_tensor(file, "scale", to), LSTM_SHAPE_MISMATCH);
    lstm_tensor *pair = tensor_of(1, (size_t[]){2});
    assert_int_equal(lstm_file_read_tensor(file, "scale", pair), LSTM_SHAPE_MISMATCH);
    lstm_tensor_destroy(&pair);
    lstm_tensor *scalar = tensor_of(1, (size_t[]){1});
    assert_int_equal(lstm_file_read_tensor(file, "steps", scalar), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "tensor steps is I64, expected F32");
    /* A scalar is read to a tensor of one element. */
    assert_int_equal(lstm_file_read_tensor(file, "scale", scalar), LSTM_OK);
    assert_true(data_of(scalar)[0] == 1.5f);
    lstm_tensor *const tensors[] = {to, view, wide, scalar};
    for (size_t i = 0; i < 4; i++)
        lstm_tensor_destroy(&(lstm_tensor *){tensors[i]});
    lstm_file_destroy(&file);
}

static void an_empty_name_is_quoted(void **state)
{
    (void)state;
    lstm_file *file;
    assert_int_equal(lstm_file_open(&file, ""), LSTM_IO_ERROR);
    assert_null(file);
    assert_contains(lstm_last_error(), "safetensors: '': ");
}

/* Runs T steps of ones through a layer and returns the last h. */
static void run(lstm_layer *layer, float h[HIDDEN])
{
    lstm_tensor *x = tensor_of(3, (size_t[]){4, 1, INPUTS});
    lstm_tensor *hn = tensor_of(3, (size_t[]){1, 1, HIDDEN});
    assert_int_equal(lstm_tensor_fill(x, 1), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, hn, NULL), LSTM_OK);
    memcpy(h, data_of(hn), HIDDEN * sizeof(float));
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&hn);
}

/* The same in double precision, from the values of a file that begins with an LSTM. */
static void compute(const test_model *m, double h[HIDDEN])
{
    const float *values = (const float *)(const void *)m->data;
    const float *hh = values + 4 * HIDDEN * INPUTS, *bias = hh + 4 * HIDDEN * HIDDEN;
    double c[HIDDEN] = {0};
    memset(h, 0, HIDDEN * sizeof(*h));
    for (int t = 0; t < 4; t++) {
        double gates[4 * HIDDEN];
        for (size_t r = 0; r < 4 * HIDDEN; r++) {
            gates[r] = (double)bias[r] + (double)bias[4 * HIDDEN + r];
            for (size_t i = 0; i < INPUTS; i++)
                gates[r] += (double)values[r * INPUTS + i];
            for (size_t i = 0; i < HIDDEN; i++)
                gates[r] += (double)hh[r * HIDDEN + i] * h[i];
        }
        for (size_t i = 0; i < HIDDEN; i++) {
            double in = 1 / (1 + exp(-gates[i])), out = 1 / (1 + exp(-gates[15 + i]));
            c[i] = c[i] / (1 + exp(-gates[5 + i])) + in * tanh(gates[10 + i]);
            h[i] = out * tanh(c[i]);
        }
    }
}

static void layers_of_other_programs_load_without_a_prefix(void **state)
{
    (void)state;
    static const char *const forms[][2] = {
        {"", "_l0"}, {"module.encoder.rnn.", "_l0"}, {"", ""}, {"cell.", ""}};
    for (size_t i = 0; i < 4; i++) {
        test_model *m = test_model_new();
        float found[HIDDEN];
        double expected[HIDDEN];
        lstm_layer *layer;
        test_model_lstm(m, forms[i][0], forms[i][1], INPUTS, HIDDEN);
        test_model_matrix(m, "module.head.weight", 4, HIDDEN, 1);
        test_model_bytes(m, "steps", "I64", "[]", NULL, 8);
        test_model_bytes(m, "rank9", "F32", "[1,1,1,1,1,1,1,1,1]", NULL, 4);
        test_model_bytes(m, "phase", "C64", "[2]", NULL, 16);
        const char *path = test_model_write(m, "model");
        assert_int_equal(lstm_layer_load(&layer, path, NULL, NULL), LSTM_OK);
        const lstm_layer_config *config = lstm_layer_get_config(layer);
        assert_int_equal(config->inputs, INPUTS);
        assert_int_equal(config->hidden, HIDDEN);
        assert_int_equal(config->layers, 1);
        assert_false(config->no_bias);
        run(layer, found);
        compute(m, expected);
        for (size_t j = 0; j < HIDDEN; j++)
            assert_close(found[j], expected[j], 1e-6);
        lstm_layer_destroy(&layer);
    }
}

static void a_head_without_bias_loads(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    lstm_linear *head;
    lstm_tensor *x = tensor_of(2, (size_t[]){1, 2}),
                *y = tensor_of(2, (size_t[]){1, 3});
    test_model_matrix(m, "head.weight", 3, 2, 1);
    lstm_file *file = open_model(m);
    assert_int_equal(lstm_linear_read(&head, file, "head"), LSTM_OK);
    assert_true(lstm_linear_get_config(head)->no_bias);
    assert_int_equal(lstm_linear_get_config(head)->outputs, 3);
    assert_int_equal(lstm_tensor_fill(x, 1), LSTM_OK);
    assert_int_equal(lstm_linear_forward(head, x, y), LSTM_OK);
    const float *values = (const float *)(const void *)m->data;
    assert_close(data_of(y)[2], values[4] + values[5], 1e-6);
    lstm_linear_destroy(&head);
    lstm_file_destroy(&file);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

/* A file of many empty tensors and an LSTM; freed with free(). */
static char *many_tensors(size_t count, size_t *size)
{
    char *bytes = malloc(count * 100 + 4096), *next = bytes + 8;
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++)
        next +=
            sprintf(next,
                    "%s\"some.long.prefix.%zu.weight\":{\"dtype\":\"F32\",\"shape\":"
                    "[0],\"data_offsets\":[0,0]}",
                    i ? "," : "{", count - i);
    next += sprintf(next,
                    ",\"rnn.weight_ih_l0\":{\"dtype\":\"F32\",\"shape\":[4,1],"
                    "\"data_offsets\":[0,16]},\"rnn.weight_hh_l0\":{\"dtype\":\"F32\","
                    "\"shape\":[4,1],\"data_offsets\":[16,32]}}");
    size_t length = (size_t)(next - bytes) - 8;
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (char)(unsigned char)((uint64_t)length >> 8 * i);
    memset(next, 0, 32);
    *size = length + 40;
    return bytes;
}

static void names_of_a_hundred_thousand_tensors_are_found_quickly(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    size_t size;
    char *bytes = many_tensors(COUNT, &size), name[64];
    lstm_file *file;
    lstm_layer *layer;
    lstm_tensor *empty;
    clock_t start = clock();
    assert_int_equal(lstm_file_open_bytes(&file, bytes, size), LSTM_OK);
    assert_int_equal(lstm_file_tensor_count(file), COUNT + 2);
    assert_int_equal(lstm_layer_read(&layer, file, NULL, NULL), LSTM_OK);
    /* The test looks up every name; linear searches would take minutes. */
    assert_int_equal(lstm_tensor_create(&empty, 1, (size_t[]){1}), LSTM_OK);
    for (size_t i = 1; i <= COUNT; i++) {
        snprintf(name, sizeof(name), "some.long.prefix.%zu.weight", i);
        assert_int_equal(lstm_file_read_tensor(file, name, empty), LSTM_SHAPE_MISMATCH);
    }
    print_message("# %.2f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
    lstm_tensor_destroy(&empty);
    lstm_layer_destroy(&layer);
    lstm_file_destroy(&file);
    free(bytes);
}

/* A message has a fixed size: no part of a character stays at its end. */
static void long_names_are_cut_between_characters(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac",
                                             "\xf0\x9f\x98\x80"};
    test_model *m = test_model_new();
    lstm_file *file;
    lstm_tensor *to;
    size_t bytes = test_model_finish(m);
    assert_int_equal(lstm_file_open_bytes(&file, m->bytes, bytes), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&to, 1, (size_t[]){1}), LSTM_OK);
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t shift = 0; shift < 4; shift++) {
            size_t size = strlen(characters[kind]);
            char name[1001] = "aaa";
            for (size_t i = shift; i + size < sizeof(name); i += size)
                memcpy(name + i, characters[kind], size + 1);
            assert_int_equal(lstm_file_read_tensor(file, name, to), LSTM_BAD_FILE);
            size_t length = strlen(lstm_last_error());
            assert_true(length > 500);
            assert_string_equal(lstm_last_error() + length - size, characters[kind]);
        }
    lstm_tensor_destroy(&to);
    lstm_file_destroy(&file);
}

static void precision_and_options_are_restored(void **state)
{
    (void)state;
    const lstm_layer_config config = {.inputs = INPUTS,
                                      .hidden = HIDDEN,
                                      .layers = 2,
                                      .dropout = 1.0 / 3,
                                      .batch_first = true,
                                      .precision = LSTM_BFLOAT16};
    lstm_rng *rng;
    lstm_layer *layer, *loaded;
    lstm_params *params;
    lstm_file *file;
    lstm_layer_config found;
    assert_int_equal(lstm_rng_create(&rng, 1), LSTM_OK);
    assert_int_equal(lstm_layer_create(&layer, &config, rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "", layer), LSTM_OK);
    assert_int_equal(lstm_params_save(params, test_path("model"), NULL), LSTM_OK);
    assert_int_equal(lstm_file_open(&file, test_path("model")), LSTM_OK);
    assert_int_equal(lstm_file_layer_config(file, NULL, &found), LSTM_OK);
    assert_memory_equal(&found, lstm_layer_get_config(layer), sizeof(found));
    assert_int_equal(lstm_layer_read(&loaded, file, NULL, rng), LSTM_OK);
    lstm_file_destroy(&file);
    assert_memory_equal(lstm_layer_get_config(loaded), &found, sizeof(found));
    assert_int_equal(lstm_params_load(params, test_path("model"), NULL), LSTM_OK);
    lstm_params_destroy(&params);
    lstm_layer_destroy(&layer);
    lstm_layer_destroy(&loaded);
    lstm_rng_destroy(&rng);
}

static void reserved_names_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } reserved[] = {
        {"__metadata__", "name __metadata__ is reserved for the metadata"},
        {"__adam__.exp_avg.w", "name __adam__.exp_avg.w is reserved for the moments"}};
    lstm_tensor *value = tensor_of(1, (size_t[]){2});
    for (size_t i = 0; i < 2; i++) {
        lstm_params *params;
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_params_add_tensor(params, reserved[i].name, value, NULL),
                         LSTM_OK);
        assert_int_equal(lstm_params_save(params, test_path("reserved"), NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), reserved[i].message);
        assert_int_equal(access(test_path("reserved"), F_OK), -1);
        lstm_params_destroy(&params);
    }
    lstm_tensor_destroy(&value);
}

static void a_header_beyond_the_limit_is_not_saved(void **state)
{
    (void)state;
    enum { LIMIT = 100000000 };
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    char *text = malloc(LIMIT + 1);
    assert_non_null(text);
    memset(text, 'x', LIMIT);
    text[LIMIT] = '\0';
    const char *const pairs[] = {"long", text};
    const lstm_file_options options = {.metadata = pairs, .metadata_count = 1};
    assert_int_equal(lstm_params_save(params, test_path("reserved"), &options),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(),
                    "header has 100000056 bytes, expected at most 100000000");
    free(text);
    lstm_params_destroy(&params);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_name_is_quoted),
        TEST(a_layer_in_evaluation_uses_values_that_were_loaded),
        TEST(a_file_lists_tensors_metadata_and_layers),
        TEST(null_is_refused),
        TEST(one_tensor_is_read_and_converted),
        TEST(layers_of_other_programs_load_without_a_prefix),
        TEST(a_head_without_bias_loads),
        TEST(names_of_a_hundred_thousand_tensors_are_found_quickly),
        TEST(long_names_are_cut_between_characters),
        TEST(precision_and_options_are_restored),
        TEST(reserved_names_are_refused),
        TEST(a_header_beyond_the_limit_is_not_saved),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
