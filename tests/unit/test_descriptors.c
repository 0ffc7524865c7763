/* A program without standard input: 0 is the number of the next file that is opened, a
 * file like any other. */
#include <errno.h>
#include <fcntl.h>
#include <lstm/lstm.h>
#include <unistd.h>

#include "tests/support/common.h"
#include "tests/support/folder.h"
#include "tests/support/idx_read.h"

static int kept;

static int close_input(void **state)
{
    (void)state;
    kept = fcntl(0, F_DUPFD_CLOEXEC, 10);
    return close(0);
}

static int open_input(void **state)
{
    (void)state;
    int input = dup2(kept, 0);
    close(kept);
    return input;
}

/* Whether all files that calls have opened are closed again. */
static void assert_closed(void)
{
    assert_int_equal(fcntl(0, F_GETFD), -1);
}

static lstm_params *create_params(lstm_linear **linear)
{
    lstm_params *params;
    const lstm_linear_config config = {.inputs = 3, .outputs = 2};
    assert_int_equal(lstm_linear_create(linear, &config, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(params, "linear", *linear), LSTM_OK);
    return params;
}

static void models_are_saved_and_loaded(void **state)
{
    (void)state;
    lstm_linear *linear;
    lstm_params *params = create_params(&linear);
    lstm_file *file;
    const char *path = test_path("model.safetensors");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lstm_params_save(params, path, NULL), LSTM_OK);
        assert_closed();
    }
    assert_int_equal(lstm_params_load(params, path, NULL), LSTM_OK);
    assert_closed();
    assert_int_equal(lstm_file_open(&file, path), LSTM_OK);
    lstm_file_destroy(&file);
    assert_closed();
    lstm_params_destroy(&params);
    lstm_linear_destroy(&linear);
}

static ssize_t write_to_full_disk(int file, const void *data, size_t size)
{
    (void)file, (void)data, (void)size;
    errno = ENOSPC;
    return -1;
}

static void a_save_that_fails_closes_its_file_and_removes_it(void **state)
{
    (void)state;
    lstm_linear *linear;
    lstm_params *params = create_params(&linear);
    common_file_calls calls = *common_file_get_calls();
    const char *path = test_make_folder("full");
    char name[TEST_PATH_SIZE];
    snprintf(name, sizeof(name), "%s/model", path);
    calls.write = write_to_full_disk;
    test_file_set_calls(&calls);
    assert_int_equal(lstm_params_save(params, name, NULL), LSTM_IO_ERROR);
    test_file_set_calls(NULL);
    assert_closed();
    assert_int_equal(rmdir(path), 0);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&linear);
}

static void failures_close_the_file(void **state)
{
    (void)state;
    lstm_linear *linear;
    lstm_params *params = create_params(&linear);
    lstm_file *file;
    const char *path = test_write_file("model", "no model", 8);
    assert_int_equal(lstm_file_open(&file, path), LSTM_BAD_FILE);
    assert_closed();
    assert_int_equal(lstm_file_open(&file, test_folder), LSTM_IO_ERROR);
    assert_closed();
    assert_int_equal(lstm_params_save(params, test_folder, NULL), LSTM_IO_ERROR);
    assert_closed();
    assert_int_equal(lstm_params_load(params, path, NULL), LSTM_BAD_FILE);
    assert_closed();
    lstm_params_destroy(&params);
    lstm_linear_destroy(&linear);
}

static void images_are_read(void **state)
{
    (void)state;
    test_bytes plain = test_images(7, 3, 5), packed = test_gzip(plain.data, plain.size);
    const char *path = test_write_file("plain", plain.data, plain.size);
    read_back(path, &plain, 7, 3, 5);
    assert_closed();
    path = test_write_file("packed", packed.data, packed.size);
    read_back(path, &plain, 7, 3, 5);
    assert_closed();
    refuse_bytes(plain.data, plain.size - 1, "bytes");
    assert_closed();
    test_bytes_free(&plain);
    test_bytes_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(models_are_saved_and_loaded, close_input,
                                        open_input),
        cmocka_unit_test_setup_teardown(
            a_save_that_fails_closes_its_file_and_removes_it, close_input, open_input),
        cmocka_unit_test_setup_teardown(failures_close_the_file, close_input,
                                        open_input),
        cmocka_unit_test_setup_teardown(images_are_read, close_input, open_input),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
