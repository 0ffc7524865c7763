/*
 * After the first step of a shape nothing is allocated. The program counts allocations
 * with its own malloc(), calloc() and so on, which replace those of the C library.
 */
#include <errno.h>
#include <stdatomic.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

#include "tests/support/test.h"

static atomic_size_t allocations;

/* Sanitizers and valgrind bring their own, and only the GNU library has these names. */
#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#if defined(__GLIBC__) && !SANITIZED
enum { COUNTS = 1 };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
#else
enum { COUNTS = 0 };
#endif

enum { N = 24, SIDE = 28, HIDDEN = 40, CLASSES = 10, IMAGES = 100, STEPS = 12 };

typedef struct fixture {
    mnist_dataset *dataset;
    mnist_loader *loader;
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *out, *dout, *last, *dlast, *logits, *dlogits;
    int64_t labels[N];
} fixture;

static void create_tensors(fixture *f)
{
    size_t out[] = {N, SIDE, HIDDEN}, logits[] = {N, CLASSES};
    assert_false(lstm_tensor_create(&f->x, 3, (size_t[]){N, SIDE, SIDE}));
    assert_false(lstm_tensor_create(&f->out, 3, out));
    assert_false(lstm_tensor_create(&f->dout, 3, out));
    assert_false(lstm_tensor_select(&f->last, f->out, 1, SIDE - 1));
    assert_false(lstm_tensor_select(&f->dlast, f->dout, 1, SIDE - 1));
    assert_false(lstm_tensor_create(&f->logits, 2, logits));
    assert_false(lstm_tensor_create(&f->dlogits, 2, logits));
}

static int create(void **state)
{
    static fixture f;
    *state = &f;
    assert_false(mnist_dataset_synthetic(&f.dataset, IMAGES, 1));
    assert_false(
        mnist_loader_create(&f.loader, f.dataset,
                            &(mnist_loader_config){.batch_size = N, .shuffle = true}));
    assert_false(lstm_rng_create(&f.rng, 1));
    assert_false(lstm_layer_create(&f.layer,
                                   &(lstm_layer_config){.inputs = SIDE,
                                                        .hidden = HIDDEN,
                                                        .layers = 2,
                                                        .dropout = 0.1,
                                                        .batch_first = true},
                                   f.rng));
    assert_false(lstm_linear_create(
        &f.head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = CLASSES}, f.rng));
    assert_false(lstm_cross_entropy_create(&f.loss, NULL));
    assert_false(lstm_params_create(&f.params));
    assert_false(lstm_params_add_layer(f.params, "lstm", f.layer));
    assert_false(lstm_params_add_linear(f.params, "head", f.head));
    assert_false(lstm_adam_create(&f.adam, f.params, NULL));
    create_tensors(&f);
    return 0;
}

static int destroy(void **state)
{
    fixture *f = *state;
    lstm_tensor **tensors[] = {&f->last, &f->dlast,  &f->x,      &f->out,
                               &f->dout, &f->logits, &f->dlogits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_adam_destroy(&f->adam);
    lstm_params_destroy(&f->params);
    lstm_cross_entropy_destroy(&f->loss);
    lstm_linear_destroy(&f->head);
    lstm_layer_destroy(&f->layer);
    lstm_rng_destroy(&f->rng);
    mnist_loader_destroy(&f->loader);
    mnist_dataset_destroy(&f->dataset);
    return lstm_set_threads(0);
}

/* A step with the next batch; a new epoch starts after the last batch. */
static bool step(fixture *f)
{
    float value;
    bool ok = true;
    while (mnist_loader_next(f->loader, lstm_tensor_data(f->x), f->labels) < N)
        ok = ok && !mnist_loader_start(f->loader, 3);
    return ok &&
           !lstm_layer_forward(f->layer, NULL, f->x, NULL, NULL, NULL, f->out, NULL,
                               NULL) &&
           !lstm_linear_forward(f->head, f->last, f->logits) &&
           !lstm_cross_entropy_forward(f->loss, f->logits, f->labels, &value) &&
           !lstm_params_zero_grad(f->params) &&
           !lstm_cross_entropy_backward(f->loss, NULL, f->dlogits) &&
           !lstm_linear_backward(f->head, f->dlogits, f->dlast) &&
           !lstm_layer_backward(f->layer, NULL, f->dout, NULL, NULL, NULL, NULL,
                                NULL) &&
           !lstm_params_clip_norm(f->params, 0.1, NULL) && !lstm_adam_step(f->adam);
}

static bool evaluate(fixture *f)
{
    return !lstm_layer_set_training(f->layer, false) &&
           !lstm_layer_forward(f->layer, NULL, f->x, NULL, NULL, NULL, f->out, NULL,
                               NULL) &&
           !lstm_linear_forward(f->head, f->last, f->logits) &&
           !lstm_layer_set_training(f->layer, true);
}

static void the_count_sees_what_the_libraries_allocate(void **state)
{
    (void)state;
    if (!COUNTS)
        return;
    size_t before = atomic_load(&allocations);
    lstm_rng *rng;
    assert_false(lstm_rng_create(&rng, 1));
    lstm_rng_destroy(&rng);
    assert_true(atomic_load(&allocations) > before);
}

static void training_allocates_in_its_first_step_alone(void **state)
{
    fixture *f = *state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        assert_false(lstm_set_threads(threads));
        assert_true(step(f));
        size_t before = atomic_load(&allocations);
        bool ok = true;
        for (int i = 0; i < STEPS; i++)
            ok = ok && step(f);
        size_t made = atomic_load(&allocations) - before;
        assert_true(ok);
        assert_int_equal(made, 0);
    }
}

static void evaluation_between_steps_allocates_nothing(void **state)
{
    fixture *f = *state;
    assert_true(step(f) && evaluate(f));
    size_t before = atomic_load(&allocations);
    bool ok = evaluate(f) && step(f) && evaluate(f) && step(f);
    size_t made = atomic_load(&allocations) - before;
    assert_true(ok);
    assert_int_equal(made, 0);
}

static void a_stream_allocates_at_its_creation_alone(void **state)
{
    fixture *f = *state;
    lstm_stream *stream;
    lstm_tensor *x, *y;
    assert_true(step(f) && evaluate(f));
    assert_false(lstm_layer_set_training(f->layer, false));
    assert_false(
        lstm_layer_forward(f->layer, NULL, f->x, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_false(lstm_stream_create(&stream, f->layer, f->head, 1));
    assert_false(lstm_tensor_create(&x, 2, (size_t[]){1, SIDE}));
    assert_false(lstm_tensor_create(&y, 2, (size_t[]){1, CLASSES}));
    size_t before = atomic_load(&allocations);
    bool ok = true;
    for (int i = 0; i < STEPS; i++)
        ok = ok && !lstm_stream_step(stream, x, y);
    ok = ok && !lstm_stream_reset(stream, NULL) && !lstm_stream_step(stream, x, y);
    size_t made = atomic_load(&allocations) - before;
    assert_true(ok);
    assert_int_equal(made, 0);
    lstm_stream_destroy(&stream);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_count_sees_what_the_libraries_allocate),
        cmocka_unit_test_setup_teardown(training_allocates_in_its_first_step_alone,
                                        create, destroy),
        cmocka_unit_test_setup_teardown(evaluation_between_steps_allocates_nothing,
                                        create, destroy),
        cmocka_unit_test_setup_teardown(a_stream_allocates_at_its_creation_alone,
                                        create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
