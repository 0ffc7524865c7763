/* Messages about files that cannot be loaded. */
#include <lstm/lstm.h>

#include "tests/support/model.h"

enum { INPUTS = 3, HIDDEN = 5 };

/* Opens bytes that are not a model; returns the message. */
static const char *error_of(const void *bytes, size_t size)
{
    lstm_file *file = (lstm_file *)(uintptr_t)64, *other;
    assert_int_equal(lstm_file_open_bytes(&file, bytes, size), LSTM_BAD_FILE);
    assert_null(file);
    const char *path = test_write_file("foreign", bytes, size);
    static char message[1024];
    snprintf(message, sizeof(message), "%s", lstm_last_error());
    assert_int_equal(lstm_file_open(&other, path), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), path);
    return message;
}

/* Loads a layer that is not in the file; returns the message. */
static const char *layer_error(test_model *m, const char *prefix)
{
    lstm_layer *layer = (lstm_layer *)(uintptr_t)64;
    const char *path = test_model_write(m, "model");
    lstm_status status = lstm_layer_load(&layer, path, prefix, NULL);
    assert_true(status == LSTM_BAD_FILE || status == LSTM_SHAPE_MISMATCH);
    assert_null(layer);
    assert_contains(lstm_last_error(), path);
    return lstm_last_error();
}

static void several_layers_or_none_are_listed(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    test_model_lstm(m, "encoder.", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "decoder.cell.", "", INPUTS, HIDDEN);
    assert_contains(layer_error(m, NULL),
                    "3 LSTMs in the file, expected the prefix of one: "
                    "'encoder', '', 'decoder.cell'");
    m = test_model_new();
    test_model_matrix(m, "conv.weight", 4, 4, 1);
    test_model_matrix(m, "conv.bias", 4, 0, 1);
    assert_contains(layer_error(m, NULL),
                    "no LSTM in the file; it has 2 tensors: conv.weight, conv.bias");
    m = test_model_new();
    assert_contains(layer_error(m, NULL), "no LSTM in the file; it has 0 tensors");
    m = test_model_new();
    test_model_lstm(m, "encoder.", "_l0", INPUTS, HIDDEN);
    assert_contains(layer_error(m, "enc"),
                    "no LSTM under 'enc'; the file has one: 'encoder'");
}

static void other_layers_are_named(void **state)
{
    (void)state;
    static const struct {
        size_t gates;
        const char *name;
    } kinds[] = {{3, "a GRU"}, {1, "an RNN"}};
    for (size_t i = 0; i < 2; i++)
        for (size_t cell = 0; cell < 2; cell++) {
            const char *names[] = {cell ? "rnn.weight_ih" : "rnn.weight_ih_l0",
                                   cell ? "rnn.weight_hh" : "rnn.weight_hh_l0"};
            char text[64];
            test_model *m = test_model_new();
            test_model_matrix(m, names[0], kinds[i].gates * 8, 3, 0);
            test_model_matrix(m, names[1], kinds[i].gates * 8, 8, 0);
            snprintf(text, sizeof(text), "'rnn' is %s, expected an LSTM",
                     kinds[i].name);
            assert_contains(layer_error(m, "rnn"), text);
            m = test_model_new();
            test_model_matrix(m, names[0], kinds[i].gates * 8, 3, 0);
            test_model_matrix(m, names[1], kinds[i].gates * 8, 8, 0);
            snprintf(text, sizeof(text), "no LSTM in the file, but %s under 'rnn'",
                     kinds[i].name);
            assert_contains(layer_error(m, NULL), text);
        }
}

/* An LSTM in which one tensor is replaced by others. */
static test_model *replaced(const char *name, const char *first, const char *second)
{
    static const struct {
        const char *name;
        size_t columns;
    } all[] = {{"rnn.weight_ih_l0", INPUTS},
               {"rnn.weight_hh_l0", HIDDEN},
               {"rnn.bias_ih_l0", 0},
               {"rnn.bias_hh_l0", 0}};
    test_model *m = test_model_new();
    for (size_t i = 0; i < 4; i++)
        if (strcmp(all[i].name, name) != 0)
            test_model_matrix(m, all[i].name, 4 * HIDDEN, all[i].columns, 0);
    if (first)
        test_model_matrix(m, first, 4 * HIDDEN, 1, 0);
    if (second)
        test_model_matrix(m, second, 4 * HIDDEN, HIDDEN, 0);
    return m;
}

static void forms_of_storage_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name, *first, *second, *message;
    } forms[] = {
        {"rnn.weight_hh_l0", "rnn.weight_hh_l0_g", "rnn.weight_hh_l0_v",
         "tensor rnn.weight_hh_l0 is stored with weight normalisation"},
        {"rnn.weight_ih_l0", "rnn.weight_ih_l0_g", "rnn.weight_ih_l0_v",
         "tensor rnn.weight_ih_l0 is stored with weight normalisation"},
        {"rnn.weight_ih_l0", "rnn.parametrizations.weight_ih_l0.original0",
         "rnn.parametrizations.weight_ih_l0.original1",
         "tensor rnn.weight_ih_l0 is stored with weight normalisation"},
        {"rnn.weight_hh_l0", "rnn.weight_hh_l0.qweight", "rnn.weight_hh_l0_scale",
         "tensor rnn.weight_hh_l0 is quantised"},
        {"rnn.weight_hh_l0", NULL, NULL,
         "tensor rnn.weight_hh_l0 is missing; the file has 3 tensors"},
        {"rnn.bias_hh_l0", NULL, NULL,
         "tensor rnn.bias_hh_l0 is missing; the file has 3 tensors"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        assert_contains(
            layer_error(replaced(forms[i].name, forms[i].first, forms[i].second),
                        "rnn"),
            forms[i].message);
    assert_contains(layer_error(replaced("rnn.weight_ih_l0", "rnn.weight_ih_l0_g",
                                         "rnn.weight_ih_l0_v"),
                                NULL),
                    "an LSTM stored with weight normalisation under 'rnn'");
    assert_contains(layer_error(replaced("rnn.weight_hh_l0", "rnn.weight_hh_l0_g",
                                         "rnn.weight_hh_l0_v"),
                                NULL),
                    "an LSTM stored with weight normalisation under 'rnn'");
    test_model *m = replaced("rnn.bias_hh_l0", NULL, NULL);
    test_model_metadata(m, "\"rnn.bias_hh_l0\":\"rnn.bias_ih_l0\"");
    assert_contains(layer_error(m, "rnn"),
                    "tensor rnn.bias_hh_l0 is missing: it is tied to rnn.bias_ih_l0");
    m = replaced("rnn.weight_ih_l0", NULL, NULL);
    test_model_bytes(m, "rnn.weight_ih_l0", "I8", "[20,3]", NULL, 60);
    assert_contains(layer_error(m, "rnn"),
                    "is I8, expected F32, F64, F16 or BF16: quantised weights");
    m = replaced("rnn.weight_ih_l0", NULL, NULL);
    test_model_bytes(m, "rnn.weight_ih_l0", "BOOL", "[20,3]", NULL, 60);
    const char *message = layer_error(m, "rnn");
    assert_contains(message, "is BOOL, expected F32, F64, F16 or BF16");
    assert_null(strstr(message, "quantised"));
    m = replaced("rnn.bias_ih_l0", NULL, NULL);
    test_model_matrix(m, "rnn.bias_ih_l0", 4 * HIDDEN + 1, 0, 0);
    assert_contains(layer_error(m, NULL),
                    "tensor rnn.bias_ih_l0 is [21], expected [20]");
}

/* An LSTM of two layers and two directions without one of its tensors. */
static void stacks_without_a_tensor_are_refused(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"_l0", "_l0_reverse", "_l1", "_l1_reverse"};
    static const char *const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
    const size_t columns[] = {INPUTS, HIDDEN, 0, 0};
    for (size_t missing = 0; missing < 17; missing++) {
        test_model *m = test_model_new();
        lstm_file *file;
        lstm_layer *layer;
        char name[64], gone[64] = "";
        for (size_t i = 0; i < 16; i++) {
            snprintf(name, sizeof(name), "rnn.%s%s", names[i % 4], suffixes[i / 4]);
            bool second = i >= 8 && i % 4 == 0;
            if (i == missing)
                memcpy(gone, name, sizeof(gone));
            else
                test_model_matrix(m, name, 4 * HIDDEN,
                                  second ? 2 * HIDDEN : columns[i % 4], 0);
        }
        size_t size = test_model_finish(m);
        assert_int_equal(lstm_file_open_bytes(&file, m->bytes, size), LSTM_OK);
        lstm_status status = lstm_layer_read(&layer, file, "rnn", NULL);
        assert_int_equal(status, missing == 16 ? LSTM_OK : LSTM_BAD_FILE);
        if (status) {
            assert_contains(lstm_last_error(), gone);
            assert_contains(lstm_last_error(), "is missing");
        } else {
            assert_int_equal(lstm_layer_get_config(layer)->layers, 2);
            assert_true(lstm_layer_get_config(layer)->bidirectional);
        }
        lstm_layer_destroy(&layer);
        lstm_file_destroy(&file);
    }
}

/* A header without values. The data type is unknown, so the shapes do not determine the
 * size of the file. */
static void an_unknown_type_does_not_make_a_large_layer(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"_l0", ""};
    for (int i = 0; i < 2; i++) {
        test_model *m = test_model_new();
        char name[64];
        snprintf(name, sizeof(name), "weight_ih%s", suffixes[i]);
        test_model_bytes(m, name, "F99", "[4000000,1000000]", NULL, 0);
        snprintf(name, sizeof(name), "weight_hh%s", suffixes[i]);
        test_model_bytes(m, name, "F99", "[4000000,1000000]", NULL, 0);
        assert_contains(layer_error(m, NULL), "is F99, expected F32, F64, F16 or BF16");
    }
}

static void layers_without_inputs_are_not_listed(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"_l0", ""};
    for (int i = 0; i < 2; i++) {
        test_model *m = test_model_new();
        lstm_layer_config config;
        lstm_file *file;
        char name[64];
        snprintf(name, sizeof(name), "rnn.weight_ih%s", suffixes[i]);
        test_model_bytes(m, name, "F32", "[20,0]", NULL, 0);
        snprintf(name, sizeof(name), "rnn.weight_hh%s", suffixes[i]);
        test_model_matrix(m, name, 4 * HIDDEN, HIDDEN, 0);
        size_t size = test_model_finish(m);
        assert_int_equal(lstm_file_open_bytes(&file, m->bytes, size), LSTM_OK);
        assert_null(lstm_file_layer_prefix(file, 0));
        assert_int_equal(lstm_file_layer_config(file, "rnn", &config), LSTM_BAD_FILE);
        lstm_file_destroy(&file);
    }
}

/* The prefix of ".weight_ih_l0" would be "", which means names without a prefix. */
static void a_name_that_begins_with_a_dot_is_not_a_layer(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    lstm_file *file;
    test_model_lstm(m, ".", "_l0", INPUTS, HIDDEN);
    test_model_lstm(m, "", "_l0", INPUTS, HIDDEN);
    size_t size = test_model_finish(m);
    assert_int_equal(lstm_file_open_bytes(&file, m->bytes, size), LSTM_OK);
    assert_string_equal(lstm_file_layer_prefix(file, 0), "");
    assert_null(lstm_file_layer_prefix(file, 1));
    lstm_file_destroy(&file);
}

static void messages_about_missing_names_list_similar_ones(void **state)
{
    (void)state;
    test_model *m = test_model_new();
    lstm_linear *linear;
    for (int i = 0; i < 30; i++) {
        char name[32];
        snprintf(name, sizeof(name), "block%d.kernel", i);
        test_model_matrix(m, name, 1, 0, 0);
    }
    test_model_matrix(m, "classifier.weight", 2, 2, 0);
    const char *path = test_model_write(m, "model");
    assert_int_equal(lstm_linear_load(&linear, path, "fc"), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(),
                    "tensor fc.weight is missing; the file has 31 tensors: "
                    "classifier.weight, block0.kernel");
    assert_contains(lstm_last_error(), " and 26 more");
}

/* Writes the local header of a member of a ZIP archive, or its entry in the list at the
 * end. */
static size_t put_member(unsigned char *to, const char *name, bool entry)
{
    size_t start = entry ? 46 : 30, length = entry ? 28 : 26, size = strlen(name);
    memset(to, 0, start);
    memcpy(to, entry ? "PK\1\2" : "PK\3\4", 4);
    to[length] = (unsigned char)size;
    to[length + 1] = (unsigned char)(size >> 8);
    memcpy(to + start, name, size);
    return start + size;
}

/* Loads a file of one parameter, [1], with these members about its optimiser. */
static lstm_status load_steps(lstm_adam *adam, lstm_params *params, const char *all,
                              const char *one)
{
    static const char *const names[] = {"w", "__adam__.exp_avg.w",
                                        "__adam__.exp_avg_sq.w"};
    test_model *m = test_model_new();
    char entries[300];
    for (size_t i = 0; i < 3; i++)
        test_model_matrix(m, names[i], 1, 0, 0.5f);
    snprintf(entries, sizeof(entries),
             "\"lstm.adam\":\"{%s}\",\"lstm.adam.w\":\"{%s}\"", all, one);
    test_model_metadata(m, entries);
    lstm_file_options options = {.adam = adam};
    return lstm_params_load(params, test_model_write(m, "model"), &options);
}

/* The names of members in a text of the metadata. */
#define KEY(name)            "\\\"" name "\\\":"
#define RATES(factor, decay) "," KEY("lr_factor") factor "," KEY("weight_decay") decay

static void a_state_with_members_of_another_type_is_refused(void **state)
{
    (void)state;
    static const char all[] = KEY("steps") "7," KEY("lr") "0.5";
    static const char one[] = KEY("steps") "3";
    static const char *const bad_all[] = {
        KEY("steps") "18446744073709551615," KEY("lr") "0.5",
        KEY("steps") "9223372036854775808," KEY("lr") "0.5",
        KEY("steps") "7.0," KEY("lr") "0.5",
        KEY("steps") "7," KEY("lr") "true",
        KEY("steps") "7," KEY("lr") "0.5," KEY("version") "2",
    };
    static const char *const bad_one[] = {
        KEY("steps") "3.0" RATES("1", "0"),
        KEY("steps") "3" RATES("true", "null"),
        KEY("steps") "18446744073709551615",
    };
    lstm_params *params;
    lstm_tensor *value, *grad;
    lstm_adam *adam;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&value, 1, (size_t[]){1}), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&grad, 1, (size_t[]){1}), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(params, "w", value, grad), LSTM_OK);
    assert_int_equal(lstm_adam_create(&adam, params, NULL), LSTM_OK);
    for (size_t i = 0; i < sizeof(bad_all) / sizeof(bad_all[0]); i++)
        assert_int_equal(load_steps(adam, params, bad_all[i], one), LSTM_BAD_FILE);
    for (size_t i = 0; i < sizeof(bad_one) / sizeof(bad_one[0]); i++)
        assert_int_equal(load_steps(adam, params, all, bad_one[i]), LSTM_BAD_FILE);
    assert_true(lstm_tensor_data(value)[0] == 0);
    assert_int_equal(load_steps(adam, params, all, one), LSTM_OK);
    assert_int_equal(lstm_adam_steps(adam), 7);
    lstm_adam_destroy(&adam);
    lstm_params_destroy(&params);
    lstm_tensor_destroy(&value);
    lstm_tensor_destroy(&grad);
}

static void options_with_members_of_another_type_are_refused(void **state)
{
    (void)state;
    static const char options[] =
        "\\\"inputs\\\":3,\\\"hidden\\\":5,\\\"layers\\\":1,\\\"proj_size\\\":0,"
        "\\\"dropout\\\":0,\\\"bias\\\":true,\\\"batch_first\\\":true,"
        "\\\"bidirectional\\\":false";
    static const char *const more[] = {"", "," KEY("precision") "null",
                                       "," KEY("precision") "16",
                                       "," KEY("version") "1.0"};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        test_model *m = test_model_new();
        char entries[400];
        lstm_layer_config config;
        lstm_file *file;
        snprintf(entries, sizeof(entries), "\"lstm.layer.\":\"{%s%s}\"", options,
                 more[i]);
        test_model_lstm(m, "", "_l0", INPUTS, HIDDEN);
        test_model_metadata(m, entries);
        size_t size = test_model_finish(m);
        assert_int_equal(lstm_file_open_bytes(&file, m->bytes, size), LSTM_OK);
        assert_int_equal(lstm_file_layer_config(file, NULL, &config),
                         i ? LSTM_BAD_FILE : LSTM_OK);
        lstm_file_destroy(&file);
    }
}

static void files_of_other_formats_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } files[] = {
        {"", 0, "an empty file"},
        {"\x89HDF\r\n\x1a\n\0\0\0\0\0", 13, "an HDF5 file"},
        {"\x93NUMPY\1\0v\0{'descr'", 16, "a NumPy array"},
        {"GGUF\3\0\0\0\0\0\0\0", 12, "a GGUF file"},
        {"\x1f\x8b\x08\0\0\0\0\0\0\3abc", 13, "a gzip file"},
        {"\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j", 11, "a Python pickle"},
        {"\x80\x04\x95\x10\0\0\0\0\0\0\0]", 12, "a Python pickle"},
        {"\x08\x0a\x12\x07pytorch\x1a\x05", 13, "an ONNX model"},
        {"\x08\x01\x12\x01m\x3a\x02..", 9, "an ONNX model"},
        {"\x08\x01\x42\x01m\x3a\x02..", 9, "an ONNX model"},
        {"\x08\x01\x42\0m\x3a\x02..", 9, "at most 1: not a safetensors file"},
        {"\x08\x01\x42\x01\0\x3a\x02..", 9, "at most 1: not a safetensors file"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:", 54,
         "a Git LFS pointer"},
        {"<!DOCTYPE html><html>", 21, "an HTML page"},
        {" \n<HTML><body>not found", 23, "an HTML page"},
        {"<?xml version=\"1.0\"?>", 21, "XML text"},
        {" \t\r\n \t\r\n ", 9, "a text file"},
        {"{\"model_data\": {\"model\"", 23, "JSON text"},
        {" [1, 2, 3, 4, 5, 6]", 19, "JSON text"},
        {"some text of any kind", 21, "a text file"},
        {"abc", 3, "a text file"},
        {"\1\0\0\0\0\0\0\1{}", 10, "header has 72057594037927937 bytes, expected at"},
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "at most 8: not a safetensors file"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9,
         "at most 1: not a safetensors file"},
        {"Caf\xe9 cr\xe8me", 10, "at most 2: not a safetensors file"},
        {"Caf\xc3\xa9 cr\xc3\xa8me", 12, "a text file"},
        {"\x80\x02\1\0\0\0\0\0{\"a\":{", 14,
         "header has 66176 bytes, expected at "
         "most 6: truncated, or not a"},
        {"\x1f\x8b\x08\0\0\0\0\0{\"a\":{", 14, "header has 559903 bytes"},
        {"PK\3\4\0\0\0\0{\"a\":{", 14, "header has 67324752 bytes"},
        {"PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22, "a ZIP archive (PK)"},
        {"\x08\x07\x42\1x\0\0\0", 8, "an ONNX model"},
        {"\x08\0\x12\1x\0\0\0", 8, "file has 8 bytes, expected at least 10"},
        {"\x08\x07\x3a\1x\0\0\0", 8, "an ONNX model"},
        {"\x08\x07\x12\0x\0\0\0", 8, "file has 8 bytes, expected at least 10"},
        {"\x08\x07\x12\1\0\0\0\0", 8, "file has 8 bytes, expected at least 10"},
        {"\x08\x07\x13\1x\0\0\0", 8, "file has 8 bytes, expected at least 10"},
        {"\x80\1c\0", 4, "file has 4 bytes, expected at least 10"},
        {"\x80\6c\0", 4, "file has 4 bytes, expected at least 10"},
        {"\x80\2\0\1", 4, "file has 4 bytes, expected at least 10"},
        {"\x80\2\1", 3, "a Python pickle"},
        {"\2\0\0", 3, "file has 3 bytes, expected at least 10"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_contains(error_of(files[i].bytes, files[i].size), files[i].message);
    /* The part that is checked ends within a character. */
    char text[600];
    for (size_t i = 0; i + 2 < sizeof(text); i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    assert_contains(error_of(text, sizeof(text)), "a text file");
    static const char *const archives[][2] = {
        {"archive/data.pkl",
         "a PyTorch archive (PK, with the member archive/data.pkl)"},
        {"weight.npy", "a NumPy archive (.npz) (PK, with the member weight.npy)"},
        {"model.weights.h5", "a Keras archive"},
        {"word/document.xml", "a ZIP archive (PK, with the member word/document.xml)"}};
    for (size_t i = 0; i < 4; i++) {
        unsigned char bytes[6000];
        size_t size = put_member(bytes, archives[i][0], false);
        assert_contains(error_of(bytes, size), archives[i][1]);
        /* The identifying name is in the list at the end. */
        size = put_member(bytes, "readme.txt", false);
        memset(bytes + size, 'x', 5000);
        size += 5000;
        size += put_member(bytes + size, archives[i][0], true);
        if (i < 3)
            assert_contains(error_of(bytes, size), archives[i][1]);
        else
            assert_contains(error_of(bytes, size), "a ZIP archive (PK, with the member "
                                                   "readme.txt)");
    }
    for (size_t size = 96; size <= 259; size += 163) {
        unsigned char bytes[400] = {0};
        char name[260] = {0};
        memset(name, 'n', size);
        put_member(bytes, name, false);
        assert_contains(error_of(bytes, sizeof(bytes)), "a ZIP archive (PK)");
    }
}

/* Bytes at the end of a block of memory, where the address sanitizer detects reads past
 * the end. */
static void random_bytes_are_refused(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "", "PK\3\4", "PK\5\6", "\x08\x0a\x12", "\x80\2", " {", "\xef\xbb", "<"};
    uint32_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        const char *beginning = beginnings[i % 8];
        size_t length = strlen(beginning);
        size_t size = length + (seed = seed * 1664525 + 1013904223) / 65536 % 90;
        unsigned char *bytes = malloc(size + 1);
        assert_non_null(bytes);
        memcpy(bytes + 1, beginning, length);
        for (size_t j = length; j < size; j++)
            bytes[1 + j] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
        /* A header of zero bytes is refused as well. */
        if (i % 3 == 0 && size >= 8)
            memset(bytes + 1, 0, 8);
        lstm_file *file;
        assert_int_equal(lstm_file_open_bytes(&file, bytes + 1, size), LSTM_BAD_FILE);
        assert_null(file);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(several_layers_or_none_are_listed),
        TEST(other_layers_are_named),
        TEST(forms_of_storage_are_named),
        TEST(stacks_without_a_tensor_are_refused),
        TEST(an_unknown_type_does_not_make_a_large_layer),
        TEST(layers_without_inputs_are_not_listed),
        TEST(a_name_that_begins_with_a_dot_is_not_a_layer),
        TEST(messages_about_missing_names_list_similar_ones),
        TEST(files_of_other_formats_are_named),
        TEST(a_state_with_members_of_another_type_is_refused),
        TEST(options_with_members_of_another_type_are_refused),
        TEST(random_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
