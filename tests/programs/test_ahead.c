/* Batches that a worker loads ahead: those of the loader alone, wherever it is moved.
 */
#include <signal.h>
#include <unistd.h>

#include "examples/train/ahead.h"
#include "tests/support/test.h"

enum { IMAGES = 70, BATCH = 16, SIZE = 28 * 28, SEED = 4 };

typedef struct batch {
    size_t count;
    float pixels[BATCH * SIZE];
    int64_t labels[BATCH];
} batch;

/* A loader that changes images, and another one like it. */
typedef struct pair {
    mnist_dataset *dataset;
    mnist_loader *loader, *alone;
    train_ahead ahead;
    batch batch, expected;
} pair;

static int set_up(void **state)
{
    const mnist_loader_config config = {
        .batch_size = BATCH, .shuffle = true, .shift = 2, .rotate = 12, .elastic = 3};
    pair *p = calloc(1, sizeof(*p));
    *state = p;
    assert_non_null(p);
    assert_int_equal(mnist_dataset_synthetic(&p->dataset, IMAGES, SEED), MNIST_OK);
    assert_int_equal(mnist_loader_create(&p->loader, p->dataset, &config), MNIST_OK);
    assert_int_equal(mnist_loader_create(&p->alone, p->dataset, &config), MNIST_OK);
    assert_true(ahead_open(&p->ahead, p->loader, BATCH, SIZE, true));
    return 0;
}

static int tear_down(void **state)
{
    pair *p = *state;
    ahead_close(&p->ahead);
    mnist_loader_destroy(&p->loader);
    mnist_loader_destroy(&p->alone);
    mnist_dataset_destroy(&p->dataset);
    free(p);
    return 0;
}

/* Takes a batch from both, which must be equal; the number of images. */
static size_t next(pair *p)
{
    batch *a = &p->batch, *b = &p->expected;
    a->count = ahead_next(&p->ahead, a->pixels, a->labels);
    b->count = mnist_loader_next(p->alone, b->pixels, b->labels);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->pixels, b->pixels, a->count * SIZE * sizeof(*a->pixels));
    assert_memory_equal(a->labels, b->labels, a->count * sizeof(*a->labels));
    return a->count;
}

static void start_epoch(pair *p, uint64_t seed)
{
    ahead_forget(&p->ahead);
    assert_int_equal(mnist_loader_start(p->loader, seed), MNIST_OK);
    assert_int_equal(mnist_loader_start(p->alone, seed), MNIST_OK);
}

static void epochs_have_the_batches_of_the_loader(void **state)
{
    pair *p = *state;
    for (uint64_t epoch = 1; epoch <= 3; epoch++) {
        size_t images = 0, count;
        start_epoch(p, epoch);
        while ((count = next(p)) > 0)
            images += count;
        assert_int_equal(images, IMAGES);
        /* At the end of the epoch there is nothing more, as often as one asks. */
        assert_int_equal(next(p), 0);
    }
}

static void a_batch_that_is_ahead_is_forgotten(void **state)
{
    pair *p = *state;
    const size_t steps[] = {1, 4, 0, 5, 2};
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        start_epoch(p, 1 + i % 2);
        for (size_t s = 0; s < steps[i]; s++)
            next(p);
    }
}

/* As a resumed run begins. */
static void a_position_within_an_epoch_is_kept(void **state)
{
    pair *p = *state;
    mnist_loader *loaders[] = {p->loader, p->alone};
    start_epoch(p, 9);
    next(p);
    ahead_forget(&p->ahead);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(mnist_loader_restore(loaders[i],
                                              mnist_loader_order(loaders[i]),
                                              (size_t)3 * BATCH),
                         MNIST_OK);
    assert_int_equal(next(p), BATCH);
    assert_int_equal(next(p), IMAGES - 4 * BATCH);
    assert_int_equal(next(p), 0);
}

/* While the worker loads, the loader moves on; the caller's batch does not change. */
static void the_worker_is_one_batch_ahead(void **state)
{
    pair *p = *state;
    start_epoch(p, 2);
    next(p);
    ahead_forget(&p->ahead);
    assert_int_equal(mnist_loader_position(p->loader), (size_t)2 * BATCH);
    assert_memory_equal(p->batch.pixels, p->expected.pixels, sizeof(p->batch.pixels));
}

static void without_a_worker_the_loader_is_not_ahead(void **state)
{
    pair *p = *state;
    ahead_close(&p->ahead);
    assert_true(ahead_open(&p->ahead, p->loader, BATCH, SIZE, false));
    start_epoch(p, 3);
    assert_int_equal(next(p), BATCH);
    assert_false(p->ahead.runs);
    assert_int_equal(mnist_loader_position(p->loader), BATCH);
}

static pthread_t trains;
static volatile sig_atomic_t elsewhere, received;

static void note(int number)
{
    (void)number;
    received++;
    elsewhere |= !pthread_equal(pthread_self(), trains);
}

/* A signal to the process comes to any thread that does not block it. The one that
 * trains blocks it for a moment, so that the worker would get it. */
static void signals_are_for_the_thread_that_trains(void **state)
{
    pair *p = *state;
    sigset_t one, mask;
    sigemptyset(&one);
    sigaddset(&one, SIGTERM);
    trains = pthread_self();
    void (*before)(int) = signal(SIGTERM, note);
    start_epoch(p, 2);
    next(p);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &one, &mask), 0);
    assert_false(sigismember(&mask, SIGTERM));
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    next(p);
    next(p);
    assert_int_equal(received, 0);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &one, NULL), 0);
    assert_int_equal(received, 1);
    assert_false(elsewhere);
    signal(SIGTERM, before);
}

static void it_closes_at_any_time(void **state)
{
    pair *p = *state;
    for (size_t steps = 0; steps < 8; steps++) {
        ahead_close(&p->ahead);
        assert_true(ahead_open(&p->ahead, p->loader, BATCH, SIZE, true));
        start_epoch(p, steps);
        for (size_t s = 0; s < steps; s++)
            next(p);
    }
    ahead_close(&p->ahead);
    ahead_close(&p->ahead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(epochs_have_the_batches_of_the_loader, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_batch_that_is_ahead_is_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_position_within_an_epoch_is_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_worker_is_one_batch_ahead, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_worker_the_loader_is_not_ahead,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_are_for_the_thread_that_trains, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_closes_at_any_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
