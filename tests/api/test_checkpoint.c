/* Files with options: renamed tensors, metadata, checkpoints. */
#include <lstm/lstm.h>

#include "tests/support/folder.h"

enum { STEPS = 4, ROWS = 3, INPUTS = 5, HIDDEN = 6, CLASSES = 2, ROOM = 1 << 16 };

static const char *model_path(void)
{
    return test_path("model");
}

/* A network in training: a layer with dropout, a linear layer, loss and optimiser. */
typedef struct network {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *out, *dout, *last, *dlast, *logits;
} network;

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

static network create_network(uint64_t seed, bool amsgrad)
{
    network n;
    lstm_layer_config config = {.inputs = INPUTS,
                                .hidden = HIDDEN,
                                .layers = 2,
                                .dropout = 0.25,
                                .bidirectional = true};
    lstm_adam_config adam = {.amsgrad = amsgrad};
    assert_int_equal(lstm_rng_create(&n.rng, seed), LSTM_OK);
    assert_int_equal(lstm_layer_create(&n.layer, &config, n.rng), LSTM_OK);
    assert_int_equal(lstm_linear_create(&n.linear,
                                        &(lstm_linear_config){.inputs = 2 * HIDDEN,
                                                              .outputs = CLASSES},
                                        n.rng),
                     LSTM_OK);
    assert_int_equal(lstm_cross_entropy_create(&n.loss, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&n.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(n.params, "lstm", n.layer), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(n.params, "fc", n.linear), LSTM_OK);
    assert_int_equal(lstm_adam_create(&n.adam, n.params, &adam), LSTM_OK);
    n.x = tensor_of(3, (size_t[]){STEPS, ROWS, INPUTS});
    n.out = tensor_of(3, (size_t[]){STEPS, ROWS, 2 * HIDDEN});
    n.dout = tensor_of(3, (size_t[]){STEPS, ROWS, 2 * HIDDEN});
    n.logits = tensor_of(2, (size_t[]){ROWS, CLASSES});
    assert_int_equal(lstm_tensor_select(&n.last, n.out, 0, STEPS - 1), LSTM_OK);
    assert_int_equal(lstm_tensor_select(&n.dlast, n.dout, 0, STEPS - 1), LSTM_OK);
    return n;
}

static void destroy_network(network *n)
{
    lstm_tensor *tensors[] = {n->last, n->dlast, n->x, n->out, n->dout, n->logits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(&tensors[i]);
    lstm_adam_destroy(&n->adam);
    lstm_params_destroy(&n->params);
    lstm_cross_entropy_destroy(&n->loss);
    lstm_linear_destroy(&n->linear);
    lstm_layer_destroy(&n->layer);
    lstm_rng_destroy(&n->rng);
}

/* One step with inputs from the network's own generator; returns the loss. */
static float train(network *n)
{
    static const int64_t targets[ROWS] = {1, 0, 1};
    float value;
    assert_int_equal(lstm_rng_uniform(n->rng, n->x, -1, 1), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(n->layer, NULL, n->x, NULL, NULL, NULL, n->out, NULL, NULL),
        LSTM_OK);
    assert_int_equal(lstm_linear_forward(n->linear, n->last, n->logits), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_forward(n->loss, n->logits, targets, &value),
                     LSTM_OK);
    assert_int_equal(lstm_params_zero_grad(n->params), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_backward(n->loss, NULL, n->logits), LSTM_OK);
    assert_int_equal(lstm_linear_backward(n->linear, n->logits, n->dlast), LSTM_OK);
    assert_int_equal(
        lstm_layer_backward(n->layer, NULL, n->dout, NULL, NULL, NULL, NULL, NULL),
        LSTM_OK);
    assert_int_equal(lstm_adam_step(n->adam), LSTM_OK);
    return value;
}

static void assert_same_values(const network *a, const network *b)
{
    for (size_t i = 0; i < lstm_params_size(a->params); i++) {
        const lstm_tensor *value = lstm_params_value(a->params, i);
        assert_memory_equal(lstm_tensor_data(value),
                            lstm_tensor_data(lstm_params_value(b->params, i)),
                            lstm_tensor_count(value) * sizeof(float));
    }
}

static const lstm_file_options none = {0};

/* Saves a checkpoint: the options, with the optimiser and the generator. */
static lstm_status save_training(const network *n, lstm_file_options options)
{
    options.adam = n->adam;
    options.rng = n->rng;
    return lstm_params_save(n->params, model_path(), &options);
}

static lstm_status load_training(const network *n, lstm_file_options options)
{
    options.adam = n->adam;
    options.rng = n->rng;
    return lstm_params_load(n->params, model_path(), &options);
}

static void a_training_continues_from_its_checkpoint_bit_for_bit(void **state)
{
    (void)state;
    for (int amsgrad = 0; amsgrad < 2; amsgrad++) {
        network first = create_network(1, amsgrad), second = create_network(2, amsgrad);
        for (int i = 0; i < 5; i++)
            train(&first);
        assert_int_equal(lstm_adam_set_lr(first.adam, 0.01 / 3), LSTM_OK);
        assert_int_equal(save_training(&first, none), LSTM_OK);
        train(&second);
        assert_int_equal(load_training(&second, none), LSTM_OK);
        assert_int_equal(lstm_adam_steps(second.adam), 5);
        assert_true(lstm_adam_lr(second.adam) == 0.01 / 3);
        for (int i = 0; i < 5; i++)
            assert_true(train(&first) == train(&second));
        assert_same_values(&first, &second);
        destroy_network(&first);
        destroy_network(&second);
    }
}

/* The second network continues from the first one; its own rates have no effect. */
static void rates_of_parameters_are_restored_bit_for_bit(void **state)
{
    (void)state;
    network first = create_network(1, false), second = create_network(2, false);
    network twin = create_network(1, false);
    static const char *const pairs[] = {"lstm.", "model.rnn."};
    lstm_file_options options = {.rename = pairs, .rename_count = 1};
    const network *both[] = {&first, &twin};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lstm_adam_set_parameter(both[i]->adam, 0, 0.1 / 3, 0.2),
                         LSTM_OK);
        assert_int_equal(lstm_adam_set_parameter(both[i]->adam, 2, 0, 0), LSTM_OK);
        assert_int_equal(lstm_adam_set_parameter(both[i]->adam, 3, 2, 0), LSTM_OK);
    }
    /* The initial rates of every parameter: given, they are in the file, too. */
    assert_int_equal(lstm_adam_set_parameter(first.adam, 2, 1, 0), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(twin.adam, 2, 1, 0), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(second.adam, 2, 5, 0), LSTM_OK);
    for (int i = 0; i < 3; i++)
        assert_true(train(&first) == train(&twin));
    assert_int_equal(save_training(&first, options), LSTM_OK);
    assert_int_equal(load_training(&second, options), LSTM_OK);
    for (int i = 0; i < 3; i++)
        assert_true(train(&second) == train(&twin));
    assert_same_values(&second, &twin);
    destroy_network(&first);
    destroy_network(&second);
    destroy_network(&twin);
}

static void a_file_without_rates_keeps_those_of_the_optimiser(void **state)
{
    (void)state;
    network first = create_network(1, false), second = create_network(2, false);
    assert_int_equal(save_training(&first, none), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(second.adam, 0, 0.5, 0.2), LSTM_OK);
    assert_int_equal(load_training(&second, none), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(first.adam, 0, 0.5, 0.2), LSTM_OK);
    for (int i = 0; i < 2; i++)
        assert_true(train(&first) == train(&second));
    assert_same_values(&first, &second);
    destroy_network(&first);
    destroy_network(&second);
}

static void frozen_parameters_keep_their_steps_and_tensors_their_values(void **state)
{
    (void)state;
    network first = create_network(1, true), second = create_network(2, true);
    lstm_tensor *mean[2] = {tensor_of(2, (size_t[]){1, 3}),
                            tensor_of(2, (size_t[]){1, 3})};
    network *both[] = {&first, &second};
    for (size_t i = 0; i < 2; i++) {
        lstm_adam_destroy(&both[i]->adam);
        assert_int_equal(lstm_params_add_tensor(both[i]->params, "mean", mean[i], NULL),
                         LSTM_OK);
        assert_int_equal(lstm_adam_create(&both[i]->adam, both[i]->params,
                                          &(lstm_adam_config){.amsgrad = true}),
                         LSTM_OK);
    }
    assert_int_equal(lstm_tensor_fill(mean[0], 0.25f), LSTM_OK);
    assert_int_equal(lstm_params_set_trainable(first.params, 0, false), LSTM_OK);
    assert_int_equal(lstm_params_set_trainable(first.params, 3, false), LSTM_OK);
    for (int i = 0; i < 3; i++)
        train(&first);
    assert_int_equal(lstm_params_set_trainable(first.params, 3, true), LSTM_OK);
    train(&first);
    assert_int_equal(save_training(&first, none), LSTM_OK);
    train(&second);
    assert_int_equal(load_training(&second, none), LSTM_OK);
    assert_memory_equal(lstm_tensor_data(mean[1]), lstm_tensor_data(mean[0]), 12);
    assert_int_equal(lstm_adam_steps(second.adam), 4);
    /* All parameters are trained from here on; the frozen ones have 0 steps and 1 step.
     */
    assert_int_equal(lstm_params_set_trainable(first.params, 0, true), LSTM_OK);
    for (int i = 0; i < 3; i++)
        assert_true(train(&first) == train(&second));
    assert_same_values(&first, &second);
    destroy_network(&first);
    destroy_network(&second);
    lstm_tensor_destroy(&mean[0]);
    lstm_tensor_destroy(&mean[1]);
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
static void replace_in_file(const char *from, const char *to)
{
    static char data[ROOM];
    size_t size = test_read_file("model", data, ROOM - 1);
    data[size] = '\0';
    replace(data, from, to);
    replace(data, "lstm.checksum", "some.checksum");
    test_write_file("model", data, size);
}

/* Text of a saved training, and one of the same length that is refused. */
typedef struct damage {
    const char *from, *to, *key;
} damage;

static void damaged_progress_is_named_and_changes_nothing(void **state)
{
    (void)state;
    static const char slot[] = "lstm.adam.lstm.weight_hh_l0", adam[] = "lstm.adam";
    static const damage bad[] = {
        {"\"lr_factor\\\":0.25", "\"lr_factor\\\":-0.5", slot},
        {"\"lr_factor\\\":0.25", "\"lr_factor\\\":null", slot},
        {"\"lr_factor\\\":0.25", "\"lr_fuctor\\\":0.25", slot},
        {"\"weight_decay\\\":0.5", "\"weight_decay\\\":-.5", slot},
        {"\"weight_decay\\\":0.5", "\"weight_decay\\\":-05", slot},
        {"\"weight_decay\\\":0.5", "\"weight_decay\\\":-50", slot},
        {"\"steps\\\":10,", "\"steps\\\":-1,", adam},
        {"\"steps\\\":10,", "\"steps\\\":.1,", adam},
        {"\"lr\\\":0.001", "\"lr\\\":-1.01", adam},
        {"\"lr\\\":0.001", "\"lr\\\":1e999", adam},
    };
    network first = create_network(1, false), second = create_network(2, false);
    network twin = create_network(2, false);
    assert_int_equal(lstm_adam_set_parameter(first.adam, 1, 0.25, 0.5), LSTM_OK);
    for (int i = 0; i < 10; i++)
        train(&first);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[64];
        assert_int_equal(save_training(&first, none), LSTM_OK);
        replace_in_file(bad[i].from, bad[i].to);
        assert_int_equal(load_training(&second, none), LSTM_BAD_FILE);
        snprintf(message, sizeof(message), "metadata %s is missing or damaged",
                 bad[i].key);
        assert_contains(lstm_last_error(), message);
    }
    for (int i = 0; i < 2; i++)
        assert_true(train(&second) == train(&twin));
    assert_same_values(&second, &twin);
    destroy_network(&first);
    destroy_network(&second);
    destroy_network(&twin);
}

static void an_optimiser_in_the_file_is_ignored_without_the_option(void **state)
{
    (void)state;
    network first = create_network(1, true), second = create_network(2, true);
    train(&first);
    assert_int_equal(save_training(&first, none), LSTM_OK);
    assert_int_equal(lstm_params_load(second.params, model_path(), NULL), LSTM_OK);
    assert_same_values(&first, &second);
    assert_int_equal(lstm_adam_steps(second.adam), 0);
    destroy_network(&first);
    destroy_network(&second);
}

static void missing_state_is_named_and_changes_nothing(void **state)
{
    (void)state;
    network first = create_network(1, false), second = create_network(2, true);
    network twin = create_network(2, true);
    assert_int_equal(lstm_params_save(first.params, model_path(), NULL), LSTM_OK);
    lstm_file_options options = {.adam = second.adam};
    assert_int_equal(lstm_params_load(second.params, model_path(), &options),
                     LSTM_BAD_FILE);
    assert_contains(lstm_last_error(),
                    "tensor __adam__.exp_avg.lstm.weight_ih_l0 is missing");
    options = (lstm_file_options){.rng = second.rng};
    assert_int_equal(lstm_params_load(second.params, model_path(), &options),
                     LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "metadata lstm.rng is missing");
    options = (lstm_file_options){.adam = first.adam};
    assert_int_equal(lstm_params_load(second.params, model_path(), &options),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "adam belongs to another set");
    assert_int_equal(lstm_params_save(second.params, model_path(), &options),
                     LSTM_INVALID_ARGUMENT);
    assert_same_values(&second, &twin);
    assert_true(lstm_rng_next(second.rng) == lstm_rng_next(twin.rng));
    destroy_network(&first);
    destroy_network(&second);
    destroy_network(&twin);
}

static void the_checksum_finds_a_changed_value(void **state)
{
    (void)state;
    network first = create_network(1, false), twin = create_network(1, false);
    static char data[ROOM];
    assert_int_equal(lstm_params_save(first.params, model_path(), NULL), LSTM_OK);
    size_t size = test_read_file("model", data, ROOM);
    data[size - 7] ^= 4;
    test_write_file("model", data, size);
    assert_int_equal(lstm_params_load(first.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "checksum of the data is");
    assert_same_values(&first, &twin);
    destroy_network(&first);
    destroy_network(&twin);
}

static void names_are_replaced_by_the_pairs(void **state)
{
    (void)state;
    static const char *const pairs[] = {"lstm.", "model.rnn.", "", "model."};
    static char data[ROOM];
    network first = create_network(1, false), second = create_network(2, false);
    lstm_file_options options = {.rename = pairs, .rename_count = 2};
    assert_int_equal(lstm_params_save(first.params, model_path(), &options), LSTM_OK);
    data[test_read_file("model", data, ROOM)] = '\0';
    assert_contains(data + 8, "\"model.rnn.weight_hh_l1_reverse\"");
    assert_contains(data + 8, "\"model.fc.bias\"");
    assert_contains(data + 8, "\"lstm.layer.model.rnn\"");
    assert_null(strstr(data + 8, "\"lstm.weight"));
    assert_int_equal(lstm_params_load(second.params, model_path(), NULL),
                     LSTM_BAD_FILE);
    assert_int_equal(lstm_params_load(second.params, model_path(), &options), LSTM_OK);
    assert_same_values(&first, &second);
    static const char *const collide[] = {"lstm.weight_ih_l0", "lstm.weight_hh_l0"};
    options = (lstm_file_options){.rename = collide, .rename_count = 1};
    assert_int_equal(lstm_params_save(first.params, model_path(), &options),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "appears twice");
    destroy_network(&first);
    destroy_network(&second);
}

static void other_tensors_are_ignored_if_allowed(void **state)
{
    (void)state;
    network n = create_network(1, false);
    lstm_params *part;
    assert_int_equal(lstm_params_create(&part), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(part, "fc", n.linear), LSTM_OK);
    assert_int_equal(lstm_params_save(n.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(lstm_params_load(part, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(),
                    "unexpected tensor lstm.weight_ih_l0: allow_surplus is not set");
    size_t converted = 77;
    lstm_file_options options = {.allow_surplus = true, .converted = &converted};
    assert_int_equal(lstm_params_load(part, model_path(), &options), LSTM_OK);
    assert_int_equal(converted, 0);
    lstm_params_destroy(&part);
    destroy_network(&n);
}

static void metadata_is_saved_and_loaded(void **state)
{
    (void)state;
    static const char *const pairs[] = {"format", "pt", "note \"\n", "\xc3\xa9"};
    network n = create_network(1, false);
    lstm_file *file;
    lstm_file_options options = {.metadata = pairs, .metadata_count = 2};
    assert_int_equal(lstm_params_save(n.params, model_path(), &options), LSTM_OK);
    assert_int_equal(lstm_file_open(&file, model_path()), LSTM_OK);
    assert_null(lstm_file_metadata(file, "none"));
    assert_string_equal(lstm_file_metadata(file, "format"), "pt");
    assert_string_equal(lstm_file_metadata(file, "note \"\n"), "\xc3\xa9");
    assert_string_equal(lstm_file_metadata_key(file, 0), "format");
    assert_null(lstm_file_metadata(NULL, "format"));
    assert_null(lstm_file_metadata(file, NULL));
    assert_null(lstm_file_metadata_key(file, 1000));
    lstm_file_destroy(&file);
    assert_null(file);
    destroy_network(&n);
}

static void invalid_metadata_is_refused(void **state)
{
    (void)state;
    static const char *const bad[][4] = {{"lstm.x", "", "", ""}, {"a", "1", "a", "2"},
                                         {"\xff", "", "", ""},   {"a", "\xff", "b", ""},
                                         {NULL, "", "", ""},     {"a", NULL, "", ""}};
    network n = create_network(1, false);
    unlink(model_path());
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        lstm_file_options options = {.metadata = bad[i], .metadata_count = 2};
        assert_int_equal(lstm_params_save(n.params, model_path(), &options),
                         LSTM_INVALID_ARGUMENT);
    }
    lstm_file_options options = {.metadata_count = 1};
    assert_int_equal(lstm_params_save(n.params, model_path(), &options),
                     LSTM_INVALID_ARGUMENT);
    options = (lstm_file_options){.rename_count = 1};
    assert_int_equal(lstm_params_save(n.params, model_path(), &options),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(access(model_path(), F_OK), -1);
    destroy_network(&n);
}

static void a_layer_is_loaded_with_the_options_in_the_file(void **state)
{
    (void)state;
    network n = create_network(1, false), twin = create_network(1, false);
    lstm_layer *layer, *plain;
    assert_int_equal(lstm_params_save(n.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(lstm_layer_load(&layer, model_path(), "lstm", n.rng), LSTM_OK);
    assert_true(lstm_rng_next(n.rng) == lstm_rng_next(twin.rng));
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    assert_int_equal(config->inputs, INPUTS);
    assert_int_equal(config->hidden, HIDDEN);
    assert_int_equal(config->layers, 2);
    assert_true(config->dropout == 0.25);
    assert_true(config->bidirectional && !config->batch_first && !config->no_bias);
    assert_int_equal(lstm_layer_load(&plain, model_path(), "lstm", NULL), LSTM_OK);
    assert_true(lstm_layer_get_config(plain)->dropout == 0);
    assert_int_equal(lstm_layer_set_training(n.layer, false), LSTM_OK);
    assert_int_equal(lstm_layer_set_training(layer, false), LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(n.layer, NULL, n.x, NULL, NULL, NULL, n.out, NULL, NULL),
        LSTM_OK);
    assert_int_equal(
        lstm_layer_forward(layer, NULL, n.x, NULL, NULL, NULL, n.dout, NULL, NULL),
        LSTM_OK);
    assert_memory_equal(lstm_tensor_data(n.out), lstm_tensor_data(n.dout),
                        lstm_tensor_count(n.out) * sizeof(float));
    lstm_layer_destroy(&layer);
    lstm_layer_destroy(&plain);
    destroy_network(&n);
    destroy_network(&twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_training_continues_from_its_checkpoint_bit_for_bit),
        TEST(rates_of_parameters_are_restored_bit_for_bit),
        TEST(a_file_without_rates_keeps_those_of_the_optimiser),
        TEST(frozen_parameters_keep_their_steps_and_tensors_their_values),
        TEST(damaged_progress_is_named_and_changes_nothing),
        TEST(an_optimiser_in_the_file_is_ignored_without_the_option),
        TEST(missing_state_is_named_and_changes_nothing),
        TEST(the_checksum_finds_a_changed_value),
        TEST(names_are_replaced_by_the_pairs),
        TEST(other_tensors_are_ignored_if_allowed),
        TEST(metadata_is_saved_and_loaded),
        TEST(invalid_metadata_is_refused),
        TEST(a_layer_is_loaded_with_the_options_in_the_file),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
