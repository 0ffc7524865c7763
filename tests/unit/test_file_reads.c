/* Reads that fail or end early while a file is opened: a status, a message, no open
 * file. */
#include <lstm/file.h>
#include <lstm/layer.h>

#include "tests/support/faults.h"
#include "tests/support/model.h"

/* Opens a file and reads its layer. */
static lstm_status load(const char *path)
{
    lstm_layer *layer;
    lstm_status status = lstm_layer_load(&layer, path, NULL, NULL);
    assert_int_equal(status == LSTM_OK, layer != NULL);
    lstm_layer_destroy(&layer);
    return status;
}

/* Lets each operation fail; returns how many there are without a failure. */
static size_t fail_each(const char *path, lstm_status expected)
{
    for (size_t left = 0;; left++) {
        test_faults_start(left, EIO);
        lstm_status status = load(path);
        test_faults_end();
        assert_int_equal(faults.open, 0);
        if (!faults.failed)
            return left;
        if (strcmp(faults.failed, "close") == 0)
            continue;
        assert_int_equal(status, expected);
        assert_contains(lstm_last_error(), path);
    }
}

static const char *model_path(void)
{
    test_model *m = test_model_new();
    test_model_lstm(m, "", "_l0", 2, 3);
    return test_model_write(m, "model");
}

static void each_failed_operation_of_a_load_is_an_error(void **state)
{
    (void)state;
    const char *path = model_path();
    assert_int_equal(load(path), LSTM_OK);
    assert_in_range(fail_each(path, LSTM_IO_ERROR), 6, 100);
}

/* Calls of pread that find the end of the file, from one on. */
static size_t until_end;

static ssize_t pread_until(int file, void *data, size_t size, off_t offset)
{
    return until_end > 0 ? (until_end--, pread(file, data, size, offset)) : 0;
}

static void a_file_that_becomes_shorter_is_refused(void **state)
{
    (void)state;
    const char *path = model_path();
    common_file_calls calls = *common_file_get_calls();
    calls.pread = pread_until;
    test_file_set_calls(&calls);
    lstm_status status = LSTM_BAD_FILE;
    size_t reads = 0;
    for (; status; reads++) {
        until_end = reads;
        status = load(path);
        if (!status)
            break;
        assert_int_equal(status, LSTM_BAD_FILE);
        assert_contains(lstm_last_error(), "model: became shorter while it was read");
    }
    test_file_set_calls(NULL);
    assert_in_range(reads, 3, 100);
}

/* An archive whose name of a known member stands only at its end. */
static const char *archive_path(void)
{
    static unsigned char bytes[6000];
    static const char name[] = "archive/data.pkl";
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes, "PK\3\4", 4);
    memset(bytes + 26, 0, 4);
    unsigned char *entry = bytes + sizeof(bytes) - 46 - strlen(name);
    memset(entry, 0, 46);
    memcpy(entry, "PK\1\2", 4);
    entry[28] = (unsigned char)strlen(name);
    memcpy(entry + 46, name, strlen(name));
    return test_write_file("archive", bytes, sizeof(bytes));
}

static void an_archive_is_named_though_its_end_cannot_be_read(void **state)
{
    (void)state;
    const char *path = archive_path();
    assert_int_equal(load(path), LSTM_BAD_FILE);
    assert_contains(lstm_last_error(), "a PyTorch archive");
    /* open, fstat, the length, the beginning; then the end. */
    bool without_end = false;
    for (size_t left = 0;; left++) {
        test_faults_start(left, EIO);
        lstm_status status = load(path);
        test_faults_end();
        if (!faults.failed)
            break;
        bool named = strstr(lstm_last_error(), "a ZIP archive (PK") != NULL;
        assert_true(status == LSTM_IO_ERROR || status == LSTM_BAD_FILE);
        assert_int_equal(faults.open, 0);
        without_end |= named && status == LSTM_BAD_FILE;
    }
    assert_true(without_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_failed_operation_of_a_load_is_an_error),
        TEST(a_file_that_becomes_shorter_is_refused),
        TEST(an_archive_is_named_though_its_end_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
