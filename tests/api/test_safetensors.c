/* Files of parameters: round trips, and malformed files. */
#include <lstm/file.h>
#include <lstm/linear.h>
#include <lstm/rng.h>

#include "tests/support/folder.h"

static const char *model_path(void)
{
    return test_path("model");
}

/* The parameter set of these tests: "w.weight" [2, 3] and "w.bias" [2]. */
typedef struct fixture {
    lstm_linear *linear;
    lstm_params *params;
} fixture;

static fixture create_fixture(uint64_t seed)
{
    fixture f;
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, seed), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(&f.linear, &(lstm_linear_config){.inputs = 3, .outputs = 2},
                           rng),
        LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "w", f.linear), LSTM_OK);
    lstm_rng_destroy(&rng);
    return f;
}

static void destroy_fixture(fixture *f)
{
    unlink(model_path());
    assert_int_equal(test_count_files(test_folder), 0);
    lstm_params_destroy(&f->params);
    lstm_linear_destroy(&f->linear);
}

static float *values(const fixture *f, size_t index)
{
    return lstm_tensor_data(lstm_params_value(f->params, index));
}

enum { ROOM = 4096 };

/* Writes the length, the header and counting data bytes; returns the total size. */
static size_t compose(unsigned char *bytes, const char *header, size_t data)
{
    size_t length = strlen(header);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data; i++)
        bytes[8 + length + i] = (unsigned char)(i % 64);
    return 8 + length + data;
}

static void saved_values_come_back_bit_for_bit(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    fixture other = create_fixture(2);
    values(&f, 0)[1] = NAN;
    values(&f, 1)[0] = -0.0f;
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(lstm_params_load(other.params, model_path(), NULL), LSTM_OK);
    assert_memory_equal(values(&f, 0), values(&other, 0), 6 * sizeof(float));
    assert_memory_equal(values(&f, 1), values(&other, 1), 2 * sizeof(float));
    destroy_fixture(&f);
    destroy_fixture(&other);
}

static void a_file_is_laid_out_as_the_reference_does(void **state)
{
    /* Metadata, two tensors in the set's order, spaces up to a multiple of 8. The
     * checksums were computed with Python's zlib.crc32(). */
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"lstm.crc32.w.bias\":\"6522df69\","
        "\"lstm.crc32.w.weight\":\"a3c1ca20\","
        "\"lstm.checksum\":\"b8344971\"},"
        "\"w.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"w.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}}";
    fixture f = create_fixture(1);
    unsigned char bytes[ROOM];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(lstm_tensor_fill(lstm_params_value(f.params, i), 0), LSTM_OK);
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    size_t size = test_read_file("model", bytes, ROOM), length = strlen(header);
    size_t padded = (length + 7) / 8 * 8;
    assert_int_equal(size, 8 + padded + 32);
    assert_int_equal(bytes[0], padded);
    for (size_t i = 1; i < 8; i++)
        assert_int_equal(bytes[i], 0);
    assert_memory_equal(bytes + 8, header, length);
    for (size_t i = length; i < padded; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + padded, values(&f, 0), 24);
    assert_memory_equal(bytes + 8 + padded + 24, values(&f, 1), 8);
    destroy_fixture(&f);
}

static void order_white_space_and_metadata_do_not_matter(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    unsigned char bytes[ROOM];
    float expected[2];
    size_t size = compose(
        bytes,
        "{ \"w.bias\" : {\"data_offsets\":[0,8], \"shape\":[2],\"dtype\":\"F32\"},\n"
        "\"__metadata__\":{\"format\":\"pt\",\"\\u00e9\":\"\"},"
        "\"w.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]}}  ",
        32);
    test_write_file("model", bytes, size);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_OK);
    memcpy(expected, bytes + size - 32, sizeof(expected));
    assert_memory_equal(values(&f, 1), expected, sizeof(expected));
    destroy_fixture(&f);
}

/* A header of the two tensors in which one part is replaced. */
#define WEIGHT                                                                         \
    "\"w.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define BIAS "\"w.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}"
#define BIAS_OF(dtype, shape, offsets)                                                 \
    "{" WEIGHT ",\"w.bias\":{\"dtype\":" dtype ",\"shape\":" shape                     \
    ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    lstm_status status;
    const char *message;
} malformed[] = {
    {"", 32, LSTM_BAD_FILE, "header does not start with {"},
    {" {" WEIGHT "," BIAS "}", 32, LSTM_BAD_FILE, "header does not start with {"},
    {"[]", 32, LSTM_BAD_FILE, "header does not start with {"},
    {"{", 32, LSTM_BAD_FILE, "header at byte"},
    {"{" WEIGHT "," BIAS "} x", 32, LSTM_BAD_FILE, "header at byte"},
    {"{" WEIGHT "," WEIGHT "}", 24, LSTM_BAD_FILE,
     "tensor w.weight: name appears twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, LSTM_BAD_FILE,
     "__metadata__ appears twice"},
    {"{\"__metadata__\":{\"k\":\"\",\"k\":\"\"}}", 0, LSTM_BAD_FILE,
     "key k appears twice"},
    {"{" WEIGHT ",\"w.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"shape\":[2]"
     ",\"data_offsets\":[24,32]}}",
     32, LSTM_BAD_FILE, "tensor w.bias: a key appears twice"},
    {"{\"\xff\":{}}", 0, LSTM_BAD_FILE, "not valid UTF-8"},
    {"{\"a\\u0000\":{}}", 0, LSTM_BAD_FILE, "invalid escape in a string"},
    {"{}", 0, LSTM_BAD_FILE, "tensor w.weight is missing"},
    {"{" WEIGHT "}", 24, LSTM_BAD_FILE, "tensor w.bias is missing"},
    {"{" WEIGHT "," BIAS
     ",\"x\\ny\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[32,36]}}",
     36, LSTM_BAD_FILE, "unexpected tensor x?y"},
    {"{" WEIGHT "," BIAS "}", 33, LSTM_BAD_FILE, "data has 33 bytes, expected 32"},
    {"{" WEIGHT "," BIAS "}", 31, LSTM_BAD_FILE,
     "tensor w.bias: data_offsets are 24 and 32, expected start <= end <= 31"},
    {"{" WEIGHT ",\"w.bias\":5}", 32, LSTM_BAD_FILE, "tensor w.bias: expected dtype"},
    {"{" WEIGHT ",\"w.bias\":{\"dtype\":\"F32\",\"shape\":[2]}}", 32, LSTM_BAD_FILE,
     "tensor w.bias: expected dtype"},
    {"{" WEIGHT ",\"w.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]"
     ",\"more\":1}}",
     32, LSTM_BAD_FILE, "tensor w.bias: expected dtype"},
    {BIAS_OF("32", "[2]", "[24,32]"), 32, LSTM_BAD_FILE, "dtype is not a string"},
    {BIAS_OF("\"F33\"", "[2]", "[24,32]"), 32, LSTM_BAD_FILE,
     "tensor w.bias is F33, expected F32"},
    {BIAS_OF("\"I32\"", "[2]", "[24,32]"), 32, LSTM_BAD_FILE,
     "tensor w.bias is I32, expected F32, F64, F16 or BF16"},
    {BIAS_OF("\"F32\"", "2", "[24,32]"), 32, LSTM_BAD_FILE, "shape is not an array"},
    {BIAS_OF("\"F32\"", "[2.0]", "[24,32]"), 32, LSTM_BAD_FILE,
     "extent of axis 0 is not a size"},
    {BIAS_OF("\"F32\"", "[1,-2]", "[24,32]"), 32, LSTM_BAD_FILE,
     "extent of axis 1 is not a size"},
    {BIAS_OF("\"F32\"", "[18446744073709551618]", "[24,32]"), 32, LSTM_BAD_FILE,
     "extent of axis 0 is not a size"},
    {BIAS_OF("\"F32\"", "[4294967296,4294967296,2]", "[24,32]"), 32, LSTM_BAD_FILE,
     "shape is too large"},
    {BIAS_OF("\"F32\"", "[4611686018427387906]", "[24,32]"), 32, LSTM_BAD_FILE,
     "data has 8 bytes, expected 4611686018427387906 values of 32 bits"},
    {BIAS_OF("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[24,32]"), 32, LSTM_SHAPE_MISMATCH,
     "tensor w.bias is of rank 9, expected [2]"},
    {BIAS_OF("\"F32\"", "[3]", "[24,32]"), 32, LSTM_BAD_FILE,
     "data has 8 bytes, expected 3 values of 32 bits"},
    {BIAS_OF("\"F32\"", "[2,1]", "[24,32]"), 32, LSTM_SHAPE_MISMATCH,
     "tensor w.bias is [2, 1], expected [2]"},
    {BIAS_OF("\"F32\"", "[3]", "[24,36]"), 36, LSTM_SHAPE_MISMATCH,
     "tensor w.bias is [3], expected [2]"},
    {BIAS_OF("\"F32\"", "[]", "[24,28]"), 28, LSTM_SHAPE_MISMATCH,
     "tensor w.bias is [], expected [2]"},
    {BIAS_OF("\"F32\"", "[0]", "[24,24]"), 24, LSTM_SHAPE_MISMATCH,
     "tensor w.bias is [0], expected [2]"},
    {BIAS_OF("\"F32\"", "[2]", "24"), 32, LSTM_BAD_FILE, "not an array of two"},
    {BIAS_OF("\"F32\"", "[2]", "[24]"), 32, LSTM_BAD_FILE, "not an array of two"},
    {BIAS_OF("\"F32\"", "[2]", "[24,32,32]"), 32, LSTM_BAD_FILE, "not an array of two"},
    {BIAS_OF("\"F32\"", "[2]", "[-8,0]"), 32, LSTM_BAD_FILE, "not an array of two"},
    {BIAS_OF("\"F32\"", "[2]", "[24,true]"), 32, LSTM_BAD_FILE, "not an array of two"},
    {BIAS_OF("\"F32\"", "[2]", "[32,24]"), 32, LSTM_BAD_FILE, "are 32 and 24"},
    {BIAS_OF("\"F32\"", "[2]", "[9223372036854775800,9223372036854775807]"), 32,
     LSTM_BAD_FILE, "expected start <= end <= 32"},
    {BIAS_OF("\"F32\"", "[2]", "[16,24]"), 24, LSTM_BAD_FILE,
     "tensor w.bias: data starts at 16, expected 24"},
    {BIAS_OF("\"F32\"", "[2]", "[28,36]"), 36, LSTM_BAD_FILE,
     "tensor w.bias: data starts at 28, expected 24"},
    {BIAS_OF("\"F32\"", "[2]", "[0,8]"), 24, LSTM_BAD_FILE,
     "data starts at 0, expected 8"},
    {"{" WEIGHT "," BIAS ",\"__metadata__\":[]}", 32, LSTM_BAD_FILE,
     "__metadata__ is not an object"},
    {"{" WEIGHT "," BIAS ",\"__metadata__\":{\"k\":1}}", 32, LSTM_BAD_FILE,
     "__metadata__: value of k is not a string"},
};

static void malformed_files_are_refused_and_change_nothing(void **state)
{
    (void)state;
    fixture f = create_fixture(1), twin = create_fixture(1);
    unsigned char bytes[ROOM];
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        test_write_file("model", bytes,
                        compose(bytes, malformed[i].header, malformed[i].data));
        assert_int_equal(lstm_params_load(f.params, model_path(), NULL),
                         malformed[i].status);
        assert_contains(lstm_last_error(), malformed[i].message);
        assert_contains(lstm_last_error(), model_path());
        assert_null(strchr(lstm_last_error(), '\n'));
        assert_memory_equal(values(&f, 0), values(&twin, 0), 24);
        assert_memory_equal(values(&f, 1), values(&twin, 1), 8);
    }
    destroy_fixture(&f);
    destroy_fixture(&twin);
}

static void a_length_beyond_the_file_or_the_limit_is_refused(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    unsigned char bytes[ROOM];
    size_t size = compose(bytes, "{" WEIGHT "," BIAS "}", 32);
    bytes[0] = 255;
    test_write_file("model", bytes, size);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "header has 255 bytes, expected at most");
    memset(bytes, 255, 8);
    test_write_file("model", bytes, size);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "header has 18446744073709551615 bytes");
    /* As long as a header may be, in a file that is shorter. */
    memcpy(bytes, (unsigned char[]){0, 0xe1, 0xf5, 5, 0, 0, 0, 0}, 8);
    test_write_file("model", bytes, size);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "header has 100000000 bytes, expected at most");
    assert_contains(lstm_last_error(), ": truncated, or not a safetensors file");
    /* A sparse file whose header takes one byte more than 100,000,000. */
    memcpy(bytes, (unsigned char[]){1, 0xe1, 0xf5, 5, 0, 0, 0, 0}, 8);
    test_write_file("model", bytes, size);
    assert_int_equal(truncate(model_path(), 101 << 20), 0);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(),
                    "header has 100000001 bytes, expected at most 100000000");
    destroy_fixture(&f);
}

static void deep_nesting_is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 100000 };
    fixture f = create_fixture(1);
    static unsigned char bytes[DEPTH + 16];
    static char header[DEPTH + 1];
    memset(header, '[', DEPTH);
    memcpy(header, "{\"a\":", 5);
    test_write_file("model", bytes, compose(bytes, header, 0));
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "expected dtype, shape and data_offsets");
    destroy_fixture(&f);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    fixture f = create_fixture(1), twin = create_fixture(1);
    unsigned char bytes[ROOM];
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    size_t size = test_read_file("model", bytes, ROOM);
    for (size_t i = 0; i < size; i++) {
        test_write_file("model", bytes, i);
        assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_BAD_FILE);
    }
    assert_memory_equal(values(&f, 0), values(&twin, 0), 24);
    destroy_fixture(&f);
    destroy_fixture(&twin);
}

static void a_changed_header_is_refused_or_harmless(void **state)
{
    /* Each byte of the length and the header is replaced by each of these. */
    (void)state;
    fixture f = create_fixture(1), twin = create_fixture(1);
    static const unsigned char others[] = {0, ' ', '"', '0', '9', '[', '{', '}', 255};
    unsigned char bytes[ROOM];
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    size_t size = test_read_file("model", bytes, ROOM), loaded = 0;
    for (size_t i = 0; i < size - 32; i++)
        for (size_t j = 0; j < sizeof(others); j++) {
            unsigned char byte = bytes[i];
            bytes[i] = others[j];
            test_write_file("model", bytes, size);
            lstm_status status = lstm_params_load(f.params, model_path(), NULL);
            loaded += status == LSTM_OK;
            assert_true(status == LSTM_OK || status == LSTM_BAD_FILE ||
                        status == LSTM_SHAPE_MISMATCH);
            assert_memory_equal(values(&f, 0), values(&twin, 0), 24);
            assert_memory_equal(values(&f, 1), values(&twin, 1), 8);
            bytes[i] = byte;
        }
    /* Only unchanged bytes and white space in the padding load. */
    assert_in_range(loaded, 8, 600);
    destroy_fixture(&f);
    destroy_fixture(&twin);
}

static void other_formats_are_converted(void **state)
{
    /* Powers of two, the largest and smallest, infinity and NaN of each format. */
    (void)state;
    fixture f = create_fixture(1);
    unsigned char bytes[ROOM];
    static const uint16_t half[] = {0x3c00, 0xc100, 0x7bff, 0x0001,
                                    0x8000, 0x7c00, 0x83ff, 0x7e00};
    static const uint16_t brain[] = {0x3f80, 0xc020, 0x7f7f, 0x0001,
                                     0x8000, 0xff80, 0x4049, 0x7fc0};
    static const double wide[] = {1,    -2.5,     1e300,   0x1p-149,
                                  -0.0, INFINITY, 1 / 3.0, NAN};
    static const struct {
        const char *name;
        size_t size;
        const void *data;
        float expected[7];
    } formats[] = {
        {"F16",
         2,
         half,
         {1, -2.5f, 65504, 0x1p-24f, -0.0f, INFINITY, -1023 * 0x1p-24f}},
        {"BF16",
         2,
         brain,
         {1, -2.5f, 0x1.fep127f, 0x1p-133f, -0.0f, -INFINITY, 3.140625f}},
        {"F64", 8, wide, {1, -2.5f, INFINITY, 0x1p-149f, -0.0f, INFINITY, 1 / 3.0f}},
    };
    for (size_t i = 0; i < 3; i++) {
        char header[512];
        size_t size = formats[i].size;
        snprintf(
            header, sizeof(header),
            "{\"w.weight\":{\"dtype\":\"%s\",\"shape\":[2,3],\"data_offsets\":[0,%zu]"
            "},\"w.bias\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[%zu,%zu]"
            "}}",
            formats[i].name, 6 * size, formats[i].name, 6 * size, 8 * size);
        size_t total = compose(bytes, header, 8 * size);
        memcpy(bytes + total - 8 * size, formats[i].data, 8 * size);
        test_write_file("model", bytes, total);
        assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_OK);
        assert_memory_equal(values(&f, 0), formats[i].expected, 24);
        assert_memory_equal(values(&f, 1), formats[i].expected + 6, 4);
        assert_true(isnan(values(&f, 1)[1]));
    }
    destroy_fixture(&f);
}

static void errors_of_reading_are_named(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), "No such file or directory");
    assert_int_equal(lstm_params_load(f.params, test_folder, NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), "Is a directory");
    assert_int_equal(lstm_params_load(f.params, "/dev/null", NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), "Not a regular file");
    assert_int_equal(mkfifo(model_path(), 0600), 0);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_IO_ERROR);
    assert_int_equal(lstm_params_load(NULL, model_path(), NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_load(f.params, NULL, NULL), LSTM_INVALID_ARGUMENT);
    destroy_fixture(&f);
}

static void errors_of_writing_are_named(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    const char *none = test_path("none/model");
    assert_int_equal(lstm_params_save(f.params, none, NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), none);
    assert_contains(lstm_last_error(), "No such file or directory");
    assert_int_equal(lstm_params_save(f.params, test_folder, NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), "Is a directory");
    /* A pipe instead of a device: a failing test must not remove /dev/null. */
    assert_int_equal(mkfifo(model_path(), 0600), 0);
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_IO_ERROR);
    assert_contains(lstm_last_error(), "Not a regular file");
    unlink(model_path());
    assert_int_equal(lstm_params_save(NULL, model_path(), NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_save(f.params, NULL, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(access(model_path(), F_OK), -1);
    destroy_fixture(&f);
}

static void names_that_are_not_text_are_refused(void **state)
{
    (void)state;
    static const char *const prefixes[] = {
        "\x80",         "\xc0\xaf",         "a\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80",
        "\xc3",         "\xf0\x8f\xbf\xbf"};
    fixture f = create_fixture(1);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        lstm_params *params;
        assert_int_equal(lstm_params_create(&params), LSTM_OK);
        assert_int_equal(lstm_params_add_linear(params, prefixes[i], f.linear),
                         LSTM_OK);
        assert_int_equal(lstm_params_save(params, model_path(), NULL),
                         LSTM_INVALID_ARGUMENT);
        assert_contains(lstm_last_error(), "is not valid UTF-8");
        lstm_params_destroy(&params);
    }
    assert_int_equal(access(model_path(), F_OK), -1);
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 1, (size_t[]){1}), LSTM_OK);
    assert_int_equal(
        lstm_params_add_tensor(
            f.params, "\"\\\n \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", tensor, NULL),
        LSTM_OK);
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_OK);
    destroy_fixture(&f);
    lstm_tensor_destroy(&tensor);
}

static void a_saved_file_replaces_the_old_one_without_remains(void **state)
{
    (void)state;
    fixture f = create_fixture(1);
    test_write_file("model", "old", 3);
    assert_int_equal(lstm_params_save(f.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(lstm_params_load(f.params, model_path(), NULL), LSTM_OK);
    assert_int_equal(test_count_files(test_folder), 1);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(saved_values_come_back_bit_for_bit),
        TEST(a_file_is_laid_out_as_the_reference_does),
        TEST(order_white_space_and_metadata_do_not_matter),
        TEST(malformed_files_are_refused_and_change_nothing),
        TEST(a_length_beyond_the_file_or_the_limit_is_refused),
        TEST(deep_nesting_is_refused),
        TEST(every_truncation_is_refused),
        TEST(a_changed_header_is_refused_or_harmless),
        TEST(other_formats_are_converted),
        TEST(errors_of_reading_are_named),
        TEST(errors_of_writing_are_named),
        TEST(names_that_are_not_text_are_refused),
        TEST(a_saved_file_replaces_the_old_one_without_remains),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
