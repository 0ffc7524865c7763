/* Files with parts of an LSTM that are not parts of the whole. */
#include <lstm/lstm.h>

#include "tests/support/model.h"

enum { INPUTS = 3, HIDDEN = 5, GATES = 4 * HIDDEN };

/* Opens the file; checks that both calls agree; returns their status. */
static lstm_status open_layer(test_model *m, const char *prefix)
{
    lstm_file *file;
    lstm_layer *layer;
    lstm_layer_config config;
    size_t size = test_model_finish(m);
    assert_int_equal(lstm_file_open_bytes(&file, m->bytes, size), LSTM_OK);
    lstm_status status = lstm_file_layer_config(file, prefix, &config);
    assert_int_equal(lstm_layer_read(&layer, file, prefix, NULL), status);
    assert_int_equal(layer != NULL, status == LSTM_OK);
    lstm_layer_destroy(&layer);
    lstm_file_destroy(&file);
    return status;
}

static void check_refusal(test_model *m, const char *name, const char *network)
{
    char text[128];
    snprintf(text, sizeof(text), "unexpected tensor %s: ", name);
    assert_int_equal(open_layer(m, "rnn"), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), text);
    assert_contains(lstm_last_error(), network);
}

static void a_missing_layer_in_the_middle_is_refused(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "rnn.", "_l2", HIDDEN, HIDDEN);
    check_refusal(m, "rnn.bias_hh_l2",
                  "the LSTM 'rnn' has 1 layer, one direction, biases and no "
                  "projection");
    m = test_model_new();
    test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "rnn.", "_l1", HIDDEN, HIDDEN);
    test_model_lstm(m, "rnn.", "_l12", HIDDEN, HIDDEN);
    check_refusal(m, "rnn.bias_hh_l12", "has 2 layers, one");
}

/* A tensor beside a complete LSTM of one layer. */
static void parts_of_an_lstm_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "rnn.weight_ih_l2",
        "rnn.bias_ih_l2",
        "rnn.weight_ih_l1_reverse",
        "rnn.weight_hr_l1",
        "rnn.weight_hr_l0_reverse",
        "rnn.weight_ih",
        "rnn.weight_ih_l01",
        "rnn.weight_ih_l99999999999999999999",
        "rnn.weight_hh_l0_scale",
        "rnn.weight_hh_l0.qweight",
        "rnn.weight_hh_l2_g",
        "rnn.parametrizations.weight_ih_l2.original0",
        "rnn.parametrizations.weight_ih_l0.original0",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        test_model *m = test_model_new();
        test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
        test_model_matrix(m, names[i], GATES, HIDDEN, 0);
        check_refusal(m, names[i], "has 1 layer");
    }
}

static void biases_of_some_layers_are_refused(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_matrix(m, "rnn.weight_ih_l0", GATES, INPUTS, 0);
    test_model_matrix(m, "rnn.weight_hh_l0", GATES, HIDDEN, 0);
    test_model_lstm(m, "rnn.", "_l1", HIDDEN, HIDDEN);
    check_refusal(m, "rnn.bias_hh_l1", "2 layers, one direction, no bias");
    m = test_model_new();
    test_model_matrix(m, "rnn.weight_ih", GATES, INPUTS, 0);
    test_model_matrix(m, "rnn.weight_hh", GATES, HIDDEN, 0);
    test_model_matrix(m, "rnn.weight_ih_l1", GATES, HIDDEN, 0);
    check_refusal(m, "rnn.weight_ih_l1", "1 layer, one direction, no bias");
}

/* The metadata have fewer layers and directions than the tensors. */
static void tensors_that_the_metadata_lack_are_refused(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"_l1", "_l0_reverse"};
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        test_model *m = test_model_new();
        test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
        test_model_lstm(m, "rnn.", suffixes[i], i ? INPUTS : HIDDEN, HIDDEN);
        test_model_metadata(m,
                            "\"lstm.layer.rnn\":\"{\\\"inputs\\\":3,\\\"hidden\\\":5,"
                            "\\\"layers\\\":1,\\\"proj_size\\\":0,\\\"dropout\\\":0,"
                            "\\\"bias\\\":true,\\\"batch_first\\\":false,"
                            "\\\"bidirectional\\\":false}\"");
        snprintf(name, sizeof(name), "rnn.bias_hh%s", suffixes[i]);
        check_refusal(m, name, "has 1 layer, one direction");
    }
}

static void other_tensors_are_left_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"rnn.h0",
                                        "rnn.c0",
                                        "rnn.fc.weight",
                                        "rnn.fc.weight_ih_l2",
                                        "rnn.weight_ihs_l2",
                                        "rnn.weight",
                                        "rnn.bias_l2",
                                        "rnn2.weight_ih_l2",
                                        "rn.weight_ih_l2",
                                        "weight_ih_l2",
                                        "__adam__.exp_avg.rnn.weight_ih_l2",
                                        "rnn.parametrizations.alpha"};
    test_model *m = test_model_new();
    test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        test_model_matrix(m, names[i], 1, 0, 0);
    assert_int_equal(open_layer(m, "rnn"), LSTM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_layer_in_the_middle_is_refused),
        TEST(parts_of_an_lstm_are_refused),
        TEST(biases_of_some_layers_are_refused),
        TEST(tensors_that_the_metadata_lack_are_refused),
        TEST(other_tensors_are_left_alone),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
