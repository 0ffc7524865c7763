/* Which layers a file lists, and what messages say of shapes that are not those of one.
 */
#include <lstm/lstm.h>

#include "tests/support/model.h"

enum { INPUTS = 3, HIDDEN = 5 };

/* Fails to load a layer; returns the message. */
static const char *layer_error(test_model *m, const char *prefix)
{
    lstm_layer *layer = (lstm_layer *)(uintptr_t)64;
    const char *path = test_model_write(m, "model");
    assert_int_equal(lstm_layer_load(&layer, path, prefix, NULL), LSTM_BAD_FILE);
    assert_null(layer);
    assert_contains(lstm_last_error(), path);
    return lstm_last_error();
}

static void assert_listed(test_model *m, size_t count)
{
    lstm_file *file;
    assert_int_equal(lstm_file_open(&file, test_model_write(m, "model")), LSTM_OK);
    for (size_t i = 0; i < count; i++)
        assert_non_null(lstm_file_layer_prefix(file, i));
    assert_null(lstm_file_layer_prefix(file, count));
    lstm_file_destroy(&file);
}

/* Zero rows or columns in the shape make an empty matrix, without columns a vector. */
static void matrix(test_model *m, const char *name, const char *shape, size_t count)
{
    test_model_bytes(m, name, "F32", shape, NULL, count * sizeof(float));
}

static void shapes_that_are_not_of_an_lstm_are_not_listed(void **state)
{
    (void)state;
    static const struct {
        const char *input, *recurrent, *projection;
        size_t inputs, recurrents, projections;
    } shapes[] = {
        {"[20]", "[20,5]", NULL, 20, 100, 0},
        {"[24,3]", "[20,5]", NULL, 72, 100, 0},
        {"[0,3]", "[0,5]", NULL, 0, 0, 0},
        {"[20,3]", "[20,0]", NULL, 60, 0, 0},
        {"[20,3]", "[20,0]", "[0,5]", 60, 0, 0},
        {"[20,3]", "[20,2]", NULL, 60, 40, 0},
        {"[20,3]", "[20,2]", "[3,5]", 60, 40, 15},
        {"[20,3]", "[20,2]", "[2,4]", 60, 40, 8},
        {"[9,3]", "[9,2]", NULL, 27, 18, 0},
    };
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        test_model *m = test_model_new();
        matrix(m, "weight_ih_l0", shapes[i].input, shapes[i].inputs);
        matrix(m, "weight_hh_l0", shapes[i].recurrent, shapes[i].recurrents);
        if (shapes[i].projection)
            matrix(m, "weight_hr_l0", shapes[i].projection, shapes[i].projections);
        assert_listed(m, 0);
    }
}

static void layers_of_other_kinds_have_their_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *input, *recurrent, *message;
        size_t inputs, recurrents;
    } kinds[] = {
        {"[9,3]", "[9,3]", "'' is a GRU", 27, 27},
        {"[9,3]", "[9,9]", "'' is an RNN", 27, 81},
        {"[9,3]", "[9,4]", "do not have the shapes of an LSTM", 27, 36},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        test_model *m = test_model_new();
        matrix(m, "weight_ih_l0", kinds[i].input, kinds[i].inputs);
        matrix(m, "weight_hh_l0", kinds[i].recurrent, kinds[i].recurrents);
        assert_contains(layer_error(m, ""), kinds[i].message);
    }
}

static void a_layer_with_the_names_of_a_cell_too_is_listed_once(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_lstm(m, "rnn.", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "rnn.", "", INPUTS, HIDDEN);
    assert_listed(m, 1);
}

static test_model *nine_layers(void)
{
    char prefix[64];
    test_model *m = test_model_new();
    for (int i = 0; i < 9; i++) {
        snprintf(prefix, sizeof(prefix), "a_layer_with_a_name_that_is_long_%d.", i);
        test_model_lstm(m, prefix, "_l0", 1, 1);
    }
    return m;
}

static void many_layers_are_listed_and_the_first_are_named(void **state)
{
    (void)state;
    const char *message = layer_error(nine_layers(), NULL);
    assert_contains(message,
                    "9 LSTMs in the file, expected the prefix of one: 'a_layer");
    assert_contains(message,
                    "_long_5', 'a_layer_with_a_name_that_is_long_6' and 2 more");
    assert_contains(layer_error(nine_layers(), "b"),
                    "no LSTM under 'b'; the file has some: 'a_");
    assert_listed(nine_layers(), 9);
}

static void a_name_longer_than_the_message_is_counted(void **state)
{
    (void)state;
    char prefix[320];
    memset(prefix, 'p', sizeof(prefix));
    prefix[sizeof(prefix) - 1] = '\0';
    prefix[sizeof(prefix) - 2] = '.';
    char name[400];
    test_model *m = test_model_new();
    static const struct {
        const char *name, *shape;
        size_t count;
    } tensors[] = {{"weight_ih_l0", "[4,1]", 4}, {"weight_hh_l0", "[4,1]", 4}};
    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s%s", prefix, tensors[i].name);
        matrix(m, name, tensors[i].shape, tensors[i].count);
    }
    assert_contains(layer_error(m, "b"), "no LSTM under 'b'; the file has one: 1 more");
}

static void other_forms_are_named_without_a_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message;
    } forms[] = {
        {"weight_ih_l0_g", "but an LSTM stored with weight normalisation under ''"},
        {"rnn.weight_hh_l0_g", "stored with weight normalisation under 'rnn'"},
        {"rnn._all_weight_values.0.param", "but a quantised LSTM under 'rnn'"},
        {"xweight_ih_l0_g", "no LSTM in the file; it has 1 tensor"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        test_model *m = test_model_new();
        matrix(m, forms[i].name, "[4,1]", 4);
        assert_contains(layer_error(m, NULL), forms[i].message);
    }
}

static void a_wrong_layer_beside_a_right_one_is_explained(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_lstm(m, "right.", "_l0", INPUTS, HIDDEN);
    matrix(m, "wrong.weight_ih_l0", "[9,3]", 27);
    assert_contains(layer_error(m, "wrong"), "wrong.weight_hh_l0");
    m = test_model_new();
    test_model_lstm(m, "right.", "_l0", INPUTS, HIDDEN);
    matrix(m, "wrong.weight_ih_l0_g", "[20,1]", 20);
    matrix(m, "wrong.weight_ih_l0_v", "[20,3]", 60);
    assert_contains(layer_error(m, "wrong"),
                    "wrong.weight_ih_l0 is stored with weight normalisation");
}

/* The types of the safetensors format, and their bits. */
static void tensors_have_the_size_of_their_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t bits;
    } types[] = {{"F64", 64},    {"F32", 32},    {"F16", 16}, {"BF16", 16},
                 {"BOOL", 8},    {"U8", 8},      {"I8", 8},   {"F8_E4M3", 8},
                 {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6},
                 {"F6_E3M2", 6}, {"U16", 16},    {"I16", 16}, {"U32", 32},
                 {"I32", 32},    {"U64", 64},    {"I64", 64}, {"C64", 64}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        for (size_t size = types[i].bits - 1; size <= types[i].bits + 1; size++) {
            bool right = size == types[i].bits;
            lstm_file *file;
            test_model *m = test_model_new();
            test_model_bytes(m, "other", types[i].name, "[8]", NULL, size);
            assert_int_equal(lstm_file_open(&file, test_model_write(m, "types")),
                             right ? LSTM_OK : LSTM_BAD_FILE);
            lstm_file_destroy(&file);
        }
}

/* The first bytes of compressed files and of other models. */
static void signatures_are_complete(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *name;
    } files[] = {{"\xfd"
                  "7zXZ\0........",
                  "an xz file"},
                 {"\x28\xb5\x2f\xfd..........", "a Zstandard file"},
                 {"....TFL3......", "a TensorFlow Lite file"},
                 {"\x89HDF\r\n\x1a\n......", "an HDF5 file"},
                 {"\x93NUMPY........", "a NumPy array"},
                 {"GGUF..........", "a GGUF file"}};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        for (size_t wrong = 0; wrong <= 8; wrong++) {
            char bytes[14];
            lstm_file *file;
            memcpy(bytes, files[i].bytes, sizeof(bytes));
            bool changes = wrong < 8 && bytes[wrong] != '.';
            bytes[wrong] = changes ? '\1' : bytes[wrong];
            assert_int_equal(lstm_file_open_bytes(&file, bytes, sizeof(bytes)),
                             LSTM_BAD_FILE);
            assert_int_equal(strstr(lstm_last_error(), files[i].name) != NULL,
                             !changes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shapes_that_are_not_of_an_lstm_are_not_listed),
        TEST(layers_of_other_kinds_have_their_shapes),
        TEST(a_layer_with_the_names_of_a_cell_too_is_listed_once),
        TEST(many_layers_are_listed_and_the_first_are_named),
        TEST(a_name_longer_than_the_message_is_counted),
        TEST(other_forms_are_named_without_a_prefix),
        TEST(a_wrong_layer_beside_a_right_one_is_explained),
        TEST(tensors_have_the_size_of_their_type),
        TEST(signatures_are_complete),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
