/* Layers and linear layers loaded from files of this library, and from files without
 * options. */
#include <lstm/lstm.h>

#include "tests/support/model.h"

enum { STEPS = 3, ROWS = 2, INPUTS = 5, HIDDEN = 6, CLASSES = 4, ROOM = 1 << 16 };

/* A layer and a linear layer in a file of this library. */
typedef struct fixture {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
} fixture;

static const char *model_path(void)
{
    return test_path("model");
}

static fixture save_network(const lstm_layer_config *config)
{
    fixture f;
    lstm_params *params;
    size_t width = (config->proj_size ? config->proj_size : config->hidden) *
                   (config->bidirectional ? 2 : 1);
    assert_int_equal(lstm_rng_create(&f.rng, 1), LSTM_OK);
    assert_int_equal(lstm_layer_create(&f.layer, config, f.rng), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(
            &f.head, &(lstm_linear_config){.inputs = width, .outputs = CLASSES}, f.rng),
        LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "lstm", f.layer), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(params, "fc", f.head), LSTM_OK);
    assert_int_equal(lstm_params_save(params, model_path(), NULL), LSTM_OK);
    lstm_params_destroy(&params);
    return f;
}

static void destroy_network(fixture *f)
{
    lstm_linear_destroy(&f->head);
    lstm_layer_destroy(&f->layer);
    lstm_rng_destroy(&f->rng);
}

static void replace(char *data, const char *from, const char *to)
{
    char *found = strstr(data + 8, from);
    assert_non_null(found);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(found, to, strlen(to));
}

/* Replaces a text in the header by one of the same length, and the key of the checksum,
 * so that the header is not checked. */
static void change_header(const char *from, const char *to)
{
    static char data[ROOM];
    size_t size = test_read_file("model", data, ROOM - 1);
    data[size] = '\0';
    replace(data, from, to);
    replace(data, "lstm.checksum", "some.checksum");
    test_write_file("model", data, size);
}

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

/* Runs both layers on the same input and compares the last states. */
static void assert_same_outputs(fixture *f, lstm_layer *layer)
{
    const lstm_layer_config *config = lstm_layer_get_config(f->layer);
    size_t width = config->proj_size ? config->proj_size : config->hidden;
    size_t states = config->layers * (config->bidirectional ? 2 : 1);
    lstm_tensor *x = tensor_of(3, (size_t[]){STEPS, ROWS, INPUTS});
    lstm_tensor *expected = tensor_of(3, (size_t[]){states, ROWS, width});
    lstm_tensor *actual = tensor_of(3, (size_t[]){states, ROWS, width});
    assert_int_equal(lstm_rng_uniform(f->rng, x, -1, 1), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(f->layer, false), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(f->layer, NULL, x, NULL, NULL, NULL, NULL, expected, NULL),
        LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, actual, NULL),
        LSTM_OK);
    assert_memory_equal(lstm_tensor_data(actual), lstm_tensor_data(expected),
                        lstm_tensor_count(actual) * sizeof(float));
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&expected);
    lstm_tensor_destroy(&actual);
}

static const lstm_layer_config configs[] = {
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 1},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 3, .bidirectional = true},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .proj_size = 4},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .proj_size = 1},
    {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .no_bias = true},
    {.inputs = INPUTS,
     .hidden = HIDDEN,
     .layers = 2,
     .proj_size = 2,
     .no_bias = true,
     .bidirectional = true},
};

static void names_and_shapes_give_options_without_metadata(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
        fixture f = save_network(&configs[i]);
        lstm_layer *layer;
        change_header("lstm.layer.lstm", "some.other.text");
        assert_int_equal(lstm_layer_load(&layer, model_path(), "lstm", f.rng), LSTM_OK);
        const lstm_layer_config *config = lstm_layer_get_config(layer);
        assert_int_equal(config->inputs, INPUTS);
        assert_int_equal(config->hidden, HIDDEN);
        assert_int_equal(config->layers, configs[i].layers);
        assert_int_equal(config->proj_size, configs[i].proj_size);
        assert_int_equal(config->no_bias, configs[i].no_bias);
        assert_int_equal(config->bidirectional, configs[i].bidirectional);
        assert_false(config->batch_first);
        assert_true(config->dropout == 0);
        assert_same_outputs(&f, layer);
        lstm_layer_destroy(&layer);
        destroy_network(&f);
    }
}

/* The options alone are refused, too, and not written. */
static void assert_config_refused(const char *message)
{
    lstm_layer_config config = {.inputs = 123};
    lstm_file *file;
    assert_int_equal(lstm_file_open(&file, model_path()), LSTM_OK);
    assert_int_equal(lstm_file_layer_config(file, "lstm", &config), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), message);
    assert_int_equal(config.inputs, 123);
    lstm_file_destroy(&file);
}

static void wrong_metadata_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } wrong[] = {
        /* More than the file has. */
        {"hidden\\\":6", "hidden\\\":9", "tensors of 'lstm' do not match the metadata"},
        {"hidden\\\":6", "hidden\\\":x", "metadata lstm.layer.lstm is damaged"},
        {"hidden\\\":6", "hiddex\\\":6", "metadata lstm.layer.lstm is damaged"},
        {"layers\\\":2", "layers\\\":9", "tensors of 'lstm' do not match the metadata"},
        {"layers\\\":2", "layers\\\":0", "tensors of 'lstm' do not match the metadata"},
        {"inputs\\\":5", "inputs\\\":7", "tensors of 'lstm' do not match the metadata"},
        /* Four gates of 7.5 units. */
        {"[24,5]", "[30,4]", "tensors of 'lstm' do not match the metadata"},
        {"dropout\\\":0.25", "dropout\\\":1.25", "invalid layer options of 'lstm'"},
        {"dropout\\\":0.25", "dropout\\\":-0.5", "invalid layer options of 'lstm'"},
        {"inputs\\\":5", "inputs\\\":0", "invalid layer options of 'lstm'"},
        {"hidden\\\":6", "hidden\\\":0", "invalid layer options of 'lstm'"},
        {"proj_size\\\":0", "proj_size\\\":6", "invalid layer options of 'lstm'"},
    };
    const lstm_layer_config config = {
        .inputs = INPUTS, .hidden = HIDDEN, .layers = 2, .dropout = 0.25};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        fixture f = save_network(&config);
        lstm_layer *layer = f.layer;
        change_header(wrong[i].from, wrong[i].to);
        assert_int_equal(lstm_layer_load(&layer, model_path(), "lstm", f.rng),
                         LSTM_BAD_FILE);
        assert_null(layer);
        assert_contains(lstm_last_error(), wrong[i].message);
        assert_contains(lstm_last_error(), model_path());
        assert_config_refused(wrong[i].message);
        destroy_network(&f);
    }
}

static void more_layers_than_tensors_are_refused(void **state)
{
    (void)state;
    const lstm_layer_config config = {
        .inputs = INPUTS, .hidden = HIDDEN, .dropout = 0.25};
    fixture f = save_network(&config);
    lstm_layer *layer = f.layer;
    change_header("layers\\\":1", "layers\\\":9");
    assert_int_equal(lstm_layer_load(&layer, model_path(), "lstm", f.rng),
                     LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "tensors of 'lstm' do not match the metadata");
    destroy_network(&f);
}

/* A file without options whose tensors are those of count layers of one unit. */
static lstm_status read_many(size_t count, lstm_layer **layer)
{
    size_t room = count * 200 + 100, used = 8, data = 0;
    char *bytes = calloc(1, room);
    lstm_file *file;
    assert_non_null(bytes);
    for (size_t i = 0; i < 2 * count; i++, data += 16)
        used += (size_t)snprintf(
            bytes + used, room - used,
            "%c\"weight_%s_l%zu\":{\"dtype\":\"F32\",\"shape\":[4,1],"
            "\"data_offsets\":[%zu,%zu]}",
            i ? ',' : '{', i % 2 ? "hh" : "ih", i / 2, data, data + 16);
    bytes[used++] = '}';
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (char)((used - 8) >> 8 * i);
    memset(bytes + used, 0, data);
    assert_int_equal(lstm_file_open_bytes(&file, bytes, used + data), LSTM_OK);
    lstm_status status = lstm_layer_read(layer, file, NULL, NULL);
    lstm_file_destroy(&file);
    free(bytes);
    return status;
}

static void a_file_may_have_a_thousand_layers(void **state)
{
    (void)state;
    lstm_layer *layer;
    assert_int_equal(read_many(1000, &layer), LSTM_OK);
    assert_int_equal(lstm_layer_get_config(layer)->layers, 1000);
    lstm_layer_destroy(&layer);
    assert_int_equal(read_many(1001, &layer), LSTM_BAD_FILE);
    assert_null(layer);
    assert_contains(lstm_last_error(), "invalid layer options of ''");
}

/* A second layer of which a file has only one weight, or one in another form. */
static void a_part_of_a_layer_is_refused(void **state)
{
    (void)state;
    static const char *const parts[][2] = {
        {"weight_hh_l1", "tensor weight_ih_l1 is missing"},
        {"bias_hh_l1", "tensor weight_hh_l1 is missing"},
        {"weight_ih_l1_g", "tensor weight_hh_l1 is missing"}};
    for (size_t i = 0; i < 3; i++) {
        lstm_layer *layer;
        test_model *m = test_model_new();
        test_model_lstm(m, "", "_l0", 2, 3);
        test_model_matrix(m, parts[i][0], 12, 3, 0.5f);
        assert_int_equal(
            lstm_layer_load(&layer, test_model_write(m, "model"), NULL, NULL),
            LSTM_BAD_FILE);
        assert_contains(lstm_last_error(), parts[i][1]);
    }
}

/* The state of a generator that is two digits shorter. */
static void a_state_of_another_length_is_refused(void **state)
{
    (void)state;
    static char data[ROOM];
    const lstm_layer_config config = {.inputs = INPUTS, .hidden = HIDDEN};
    fixture f = save_network(&config);
    lstm_params *params;
    lstm_file_options options = {.rng = f.rng};
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(params, "lstm", f.layer), LSTM_OK);
    assert_int_equal(lstm_params_save(params, model_path(), &options), LSTM_OK);
    size_t size = test_read_file("model", data, ROOM - 1);
    char *text = strstr(data + 8, "\"lstm.rng\":\"");
    assert_non_null(text);
    memcpy(text + 11, "  \"", 3);
    test_write_file("model", data, size);
    change_header("lstm.rng", "lstm.rng");
    assert_int_equal(lstm_params_load(params, model_path(), &options), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "metadata lstm.rng is missing or damaged");
    lstm_params_destroy(&params);
    destroy_network(&f);
}

static void options_at_their_limits_are_loaded(void **state)
{
    (void)state;
    const lstm_layer_config config = {
        .inputs = 1, .hidden = 2, .layers = 2, .dropout = 1, .proj_size = 1};
    fixture f = save_network(&config);
    lstm_layer *layer;
    assert_int_equal(lstm_layer_load(&layer, model_path(), "lstm", f.rng), LSTM_OK);
    assert_true(lstm_layer_get_config(layer)->dropout == 1);
    assert_int_equal(lstm_layer_get_config(layer)->proj_size, 1);
    lstm_layer_destroy(&layer);
    destroy_network(&f);
}

static void a_missing_layer_is_refused(void **state)
{
    (void)state;
    fixture f = save_network(&configs[1]);
    lstm_layer *layer = f.layer;
    assert_int_equal(lstm_layer_load(&layer, model_path(), "rnn", NULL), LSTM_BAD_FILE);
    assert_null(layer);
    assert_contains(lstm_last_error(), "no LSTM under 'rnn'; the file has one: 'lstm'");
    assert_int_equal(lstm_layer_load(&layer, model_path(), "", NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "no LSTM under ''; the file has one: 'lstm'");
    assert_int_equal(lstm_layer_load(&layer, test_path("none"), "lstm", NULL),
                     LSTM_IO_ERROR);
    assert_int_equal(lstm_layer_load(NULL, model_path(), "lstm", NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_layer_load(&layer, NULL, "lstm", NULL),
                     LSTM_INVALID_ARGUMENT);
    destroy_network(&f);
}

/* Writes a file of one tensor. */
static void write_tensor(const char *name, const char *shape, size_t count)
{
    static char data[ROOM];
    int length = snprintf(data + 8, ROOM - 8,
                          "{\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":"
                          "[0,%zu]}}",
                          name, shape, 4 * count);
    data[0] = (char)length;
    memset(data + 8 + length, 0, 4 * count);
    test_write_file("model", data, 8 + (size_t)length + 4 * count);
}

static void shapes_that_no_layer_has_are_refused(void **state)
{
    (void)state;
    lstm_layer *layer;
    lstm_linear *linear;
    write_tensor("rnn.weight_ih_l0", "[6,4]", 24);
    assert_int_equal(lstm_layer_load(&layer, model_path(), "rnn", NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(),
                    "tensor rnn.weight_hh_l0 is missing; the file has 1 tensor");
    write_tensor("fc.weight", "[24]", 24);
    assert_int_equal(lstm_linear_load(&linear, model_path(), "fc"), LSTM_BAD_FILE);
    assert_null(linear);
    assert_contains(lstm_last_error(), "tensor fc.weight is not a matrix");
    write_tensor("fc.weight", "[0,4]", 0);
    assert_int_equal(lstm_linear_load(&linear, model_path(), "fc"), LSTM_BAD_FILE);
    write_tensor("fc.weight", "[6,4]", 24);
    assert_int_equal(lstm_linear_load(&linear, model_path(), "fc"), LSTM_OK);
    assert_true(lstm_linear_get_config(linear)->no_bias);
    lstm_linear_destroy(&linear);
}

static void a_linear_layer_is_loaded_with_its_sizes(void **state)
{
    (void)state;
    fixture f = save_network(&configs[1]);
    lstm_linear *head;
    lstm_tensor *x = tensor_of(2, (size_t[]){ROWS, 2 * HIDDEN});
    lstm_tensor *expected = tensor_of(2, (size_t[]){ROWS, CLASSES});
    lstm_tensor *actual = tensor_of(2, (size_t[]){ROWS, CLASSES});
    assert_int_equal(lstm_linear_load(&head, model_path(), "fc"), LSTM_OK);
    assert_int_equal(lstm_rng_uniform(f.rng, x, -1, 1), LSTM_OK);
    assert_int_equal(lstm_linear_forward(f.head, x, expected), LSTM_OK);
    assert_int_equal(lstm_linear_forward(head, x, actual), LSTM_OK);
    assert_memory_equal(lstm_tensor_data(actual), lstm_tensor_data(expected),
                        ROWS * CLASSES * sizeof(float));
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&expected);
    lstm_tensor_destroy(&actual);
    lstm_linear_destroy(&head);
    assert_int_equal(lstm_linear_load(&head, model_path(), "none"), LSTM_BAD_FILE);
    assert_null(head);
    assert_contains(lstm_last_error(), "tensor none.weight is missing");
    assert_int_equal(lstm_linear_load(NULL, model_path(), "fc"), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_load(&head, NULL, "fc"), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_linear_load(&head, model_path(), NULL),
                     LSTM_INVALID_ARGUMENT);
    destroy_network(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_and_shapes_give_options_without_metadata),
        TEST(wrong_metadata_is_refused),
        TEST(more_layers_than_tensors_are_refused),
        TEST(a_file_may_have_a_thousand_layers),
        TEST(a_part_of_a_layer_is_refused),
        TEST(a_state_of_another_length_is_refused),
        TEST(options_at_their_limits_are_loaded),
        TEST(a_missing_layer_is_refused),
        TEST(shapes_that_no_layer_has_are_refused),
        TEST(a_linear_layer_is_loaded_with_its_sizes),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
