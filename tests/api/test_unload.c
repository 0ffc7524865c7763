/*
 * A process that unloads the library: dlclose() ends the threads that calls started.
 *
 * The program is not linked with the library, so that the last dlclose() unloads it.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/support/test.h"

enum { WORKERS = 3, ROUNDS = 3, ROWS = 512 };

static void *library;

/* The function of this name in the library. */
static void find(const char *name, void *function)
{
    void *found = dlsym(library, name);
    assert_non_null(found);
    memcpy(function, &found, sizeof(found));
}

static size_t threads_of_process(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A thread that was joined may be listed for a moment. */
static void assert_threads(size_t expected)
{
    for (int i = 0; i < 1000 && threads_of_process() != expected; i++)
        usleep(1000);
    assert_int_equal(threads_of_process(), expected);
}

/* A product that is large enough for all workers. */
static void use_workers(void)
{
    lstm_status (*set_threads)(size_t);
    lstm_status (*create)(lstm_linear **, const lstm_linear_config *, lstm_rng *);
    lstm_status (*tensor)(lstm_tensor **, size_t, const size_t *);
    lstm_status (*forward)(lstm_linear *, const lstm_tensor *, lstm_tensor *);
    void (*destroy)(lstm_linear **);
    void (*destroy_tensor)(lstm_tensor **);
    lstm_linear *linear;
    lstm_tensor *x, *y;
    find("lstm_set_threads", &set_threads);
    find("lstm_linear_create", &create);
    find("lstm_tensor_create", &tensor);
    find("lstm_linear_forward", &forward);
    find("lstm_linear_destroy", &destroy);
    find("lstm_tensor_destroy", &destroy_tensor);
    assert_int_equal(set_threads(1 + WORKERS), LSTM_OK);
    lstm_linear_config config = {.inputs = 128, .outputs = 64};
    assert_int_equal(create(&linear, &config, NULL), LSTM_OK);
    assert_int_equal(tensor(&x, 2, (size_t[]){ROWS, 128}), LSTM_OK);
    assert_int_equal(tensor(&y, 2, (size_t[]){ROWS, 64}), LSTM_OK);
    assert_int_equal(forward(linear, x, y), LSTM_OK);
    destroy_tensor(&x);
    destroy_tensor(&y);
    destroy(&linear);
}

static void unloading_ends_the_workers(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        size_t before = threads_of_process();
        library = dlopen("liblstm.so.1", RTLD_NOW | RTLD_LOCAL);
        assert_non_null(library);
        use_workers();
        assert_threads(before + WORKERS);
        assert_int_equal(dlclose(library), 0);
        assert_null(dlopen("liblstm.so.1", RTLD_NOW | RTLD_NOLOAD));
        assert_threads(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(unloading_ends_the_workers)};
    void *found = dlopen("liblstm.so.1", RTLD_LAZY);
    if (!found)
        test_skip_all("liblstm is not a shared library");
    dlclose(found);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
