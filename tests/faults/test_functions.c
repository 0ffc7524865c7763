/*
 * Failed allocations in every function of both libraries: the k-th one of a call, alone
 * and with all after it, for every k until the call no longer reaches it. A call that
 * fails returns a status with a message, writes NULL to its handle, and changes no
 * value and no state; the next call then has the result of a call without failure. So
 * has a call that succeeds in spite of the failure. Nothing leaks.
 *
 * malloc() itself fails, with sanitizers the allocations of the libraries.
 */
#include "tests/faults/world.h"
#include "tests/support/heap.h"
#include "tests/support/memory.h"

/* More allocations than any of the calls makes. */
enum { MOST = 5000 };

static test_memory memory;
static size_t points, refused;

static void start_failing(size_t k, bool alone)
{
    if (TEST_HEAP)
        test_heap_fail(k, alone);
    else if (alone)
        test_memory_fail_one(&memory, k);
    else
        test_memory_limit(&memory, k);
}

/* Stops failing; returns whether an allocation failed. */
static bool stop_failing(void)
{
    if (TEST_HEAP)
        return test_heap_end();
    test_memory_unlimit();
    return memory.left == 0 || memory.left > MOST;
}

static void prepare(const world_call *call, world *w)
{
    if (call->prepare)
        call->prepare(w);
}

/* Hash after a call without failures, and a training after it. */
static uint64_t right_hash(const world_call *call)
{
    world *w = world_create();
    prepare(call, w);
    world_hash(w);
    assert_int_equal(call->run(w), 0);
    uint64_t hash = world_hash(w);
    world_train(w);
    hash = 31 * hash + world_hash(w);
    world_destroy(w);
    return hash;
}

static void *handle_of(const world_call *call, world *w)
{
    return call->handle ? *(void **)((char *)w + call->handle) : NULL;
}

static void set_handle(const world_call *call, world *w, void *value)
{
    if (call->handle)
        *(void **)((char *)w + call->handle) = value;
}

/* What a failed call must leave. */
static void check_failure(const world_call *call, world *w, int status, uint64_t before)
{
    bool mnist = strncmp(call->name, "mnist", 5) == 0;
    assert_int_equal(status,
                     mnist ? (int)MNIST_OUT_OF_MEMORY : (int)LSTM_OUT_OF_MEMORY);
    assert_contains(mnist ? mnist_last_error() : lstm_last_error(), "memory");
    assert_null(handle_of(call, w));
    assert_true(world_hash(w) == before);
}

/* Makes the call with failure k; false if it was not reached. */
static bool run_point(const world_call *call, size_t k, bool alone, uint64_t right)
{
    long live = test_heap_live();
    world *w = world_create();
    prepare(call, w);
    uint64_t before = world_hash(w);
    set_handle(call, w, w);
    start_failing(k, alone);
    int status = call->run(w);
    bool failed = stop_failing();
    if (status) {
        assert_true(failed);
        check_failure(call, w, status, before);
        refused++;
        assert_int_equal(call->run(w), 0);
    }
    uint64_t hash = world_hash(w);
    world_train(w);
    assert_true(31 * hash + world_hash(w) == right);
    world_destroy(w);
    if (TEST_HEAP)
        assert_int_equal(test_heap_live(), live);
    points += failed;
    return failed;
}

static void run_call(const world_call *call)
{
    uint64_t right = right_hash(call);
    for (int alone = 0; alone < 2; alone++) {
        size_t k = 0;
        while (run_point(call, k, alone, right))
            assert_in_range(++k, 0, MOST);
    }
}

static void run_calls(const world_call *calls, size_t count)
{
    points = refused = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = points;
        print_message("# %s\n", calls[i].name);
        run_call(&calls[i]);
        print_message("# %s: %zu points\n", calls[i].name, points - before);
    }
    print_message("# %zu functions, %zu failed allocations, %zu calls refused\n", count,
                  points, refused);
}

static void functions_of_liblstm_survive_failed_allocations(void **state)
{
    (void)state;
    run_calls(world_lstm_calls, world_lstm_count);
}

static void functions_on_files_survive_failed_allocations(void **state)
{
    (void)state;
    run_calls(world_file_calls, world_file_count);
}

static void functions_of_libmnist_survive_failed_allocations(void **state)
{
    (void)state;
    run_calls(world_mnist_calls, world_mnist_count);
}

static bool has_call(const char *name)
{
    const world_call *tables[] = {world_lstm_calls, world_file_calls,
                                  world_mnist_calls};
    const size_t counts[] = {world_lstm_count, world_file_count, world_mnist_count};
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < counts[i]; j++)
            if (strcmp(tables[i][j].name, name) == 0)
                return true;
    return false;
}

/* Looks for the functions of a table of the binary interface; returns how many. */
static size_t check_table(const char *path)
{
    char line[1000], name[100];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "function %99[a-z0-9_]:", name) == 1) {
            count++;
            if (!has_call(name))
                fail_msg("tests/faults has no call of %s", name);
        }
    fclose(file);
    return count;
}

static void every_function_has_a_call(void **state)
{
    (void)state;
    assert_int_equal(check_table(ABI_FOLDER "/liblstm-1.txt"),
                     world_lstm_count + world_file_count);
    assert_int_equal(check_table(ABI_FOLDER "/libmnist-1.txt"), world_mnist_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_function_has_a_call),
        TEST(functions_of_liblstm_survive_failed_allocations),
        TEST(functions_on_files_survive_failed_allocations),
        TEST(functions_of_libmnist_survive_failed_allocations),
    };
    lstm_set_threads(1);
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
