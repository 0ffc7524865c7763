/*
 * The first losses of the experiment on real MNIST equal PyTorch's: without options,
 * and with dropout, both directions, and projection (golden/make_losses.py). Skipped
 * without the files in MNIST_DIR.
 */
#include <lstm/lstm.h>
#include <mnist/mnist.h>

#include "tests/golden/losses.h"
#include "tests/support/test.h"

enum { BATCH = 64, ROWS = 28, COLS = 28, HIDDEN = 128, CLASSES = 10 };

/* Rounding errors grow with the steps: float32 and float64 of PyTorch agree in six
 * digits for ten steps and differ by 1.4e-3 at step 100. */
static const double tolerance = 2e-5;

/* The network and its tensors. */
typedef struct experiment {
    lstm_rng *rng;
    lstm_layer *lstm;
    lstm_linear *fc;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    lstm_tensor *x, *out, *last, *logits, *dlogits, *dout, *dlast;
} experiment;

static void create(experiment *e, size_t variant)
{
    const lstm_layer_config config = {
        .inputs = COLS,
        .hidden = HIDDEN,
        .layers = 2,
        .batch_first = true,
        .dropout = variants[variant].dropout,
        .bidirectional = variants[variant].bidirectional,
        .proj_size = variants[variant].proj_size,
    };
    size_t state = config.proj_size ? config.proj_size : HIDDEN;
    size_t width = state * (config.bidirectional ? 2 : 1);
    const size_t x[] = {BATCH, ROWS, COLS}, out[] = {BATCH, ROWS, width};
    const size_t logits[] = {BATCH, CLASSES};
    assert_int_equal(lstm_rng_create(&e->rng, variants[variant].seed), LSTM_OK);
    assert_int_equal(lstm_layer_create(&e->lstm, &config, e->rng), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(
            &e->fc, &(lstm_linear_config){.inputs = width, .outputs = CLASSES}, e->rng),
        LSTM_OK);
    assert_int_equal(lstm_cross_entropy_create(&e->loss, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&e->params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(e->params, "lstm", e->lstm), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(e->params, "fc", e->fc), LSTM_OK);
    assert_int_equal(lstm_adam_create(&e->adam, e->params, NULL), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&e->x, 3, x), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&e->out, 3, out), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&e->dout, 3, out), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&e->logits, 2, logits), LSTM_OK);
    assert_int_equal(lstm_tensor_create(&e->dlogits, 2, logits), LSTM_OK);
    assert_int_equal(lstm_tensor_select(&e->last, e->out, 1, ROWS - 1), LSTM_OK);
    assert_int_equal(lstm_tensor_select(&e->dlast, e->dout, 1, ROWS - 1), LSTM_OK);
}

static void destroy(experiment *e)
{
    lstm_tensor **tensors[] = {&e->last,   &e->dlast,   &e->x,   &e->out,
                               &e->logits, &e->dlogits, &e->dout};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_adam_destroy(&e->adam);
    lstm_params_destroy(&e->params);
    lstm_cross_entropy_destroy(&e->loss);
    lstm_linear_destroy(&e->fc);
    lstm_layer_destroy(&e->lstm);
    lstm_rng_destroy(&e->rng);
}

/* Trains one step on the batch in x; returns its loss. */
static float train(experiment *e, const int64_t *labels)
{
    float value = 0;
    assert_int_equal(
        lstm_layer_forward(e->lstm, NULL, e->x, NULL, NULL, NULL, e->out, NULL, NULL),
        LSTM_OK);
    assert_int_equal(lstm_linear_forward(e->fc, e->last, e->logits), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_forward(e->loss, e->logits, labels, &value),
                     LSTM_OK);
    assert_int_equal(lstm_params_zero_grad(e->params), LSTM_OK);
    assert_int_equal(lstm_cross_entropy_backward(e->loss, NULL, e->dlogits), LSTM_OK);
    assert_int_equal(lstm_linear_backward(e->fc, e->dlogits, e->dlast), LSTM_OK);
    assert_int_equal(
        lstm_layer_backward(e->lstm, NULL, e->dout, NULL, NULL, NULL, NULL, NULL),
        LSTM_OK);
    assert_int_equal(lstm_adam_step(e->adam), LSTM_OK);
    return value;
}

static mnist_dataset *digits;

static int open_digits(void **state)
{
    (void)state;
    const mnist_source source = {.directory = getenv("MNIST_DIR")};
    if (mnist_dataset_open(&digits, &source, MNIST_TRAIN) == MNIST_OK)
        return 0;
    print_error("%s\n", mnist_last_error());
    return 1;
}

static int close_digits(void **state)
{
    (void)state;
    mnist_dataset_destroy(&digits);
    return 0;
}

static void assert_losses(size_t variant)
{
    const mnist_loader_config config = {.batch_size = BATCH, .shuffle = true};
    experiment e;
    mnist_loader *loader;
    int64_t labels[BATCH];
    create(&e, variant);
    assert_int_equal(mnist_loader_create(&loader, digits, &config), MNIST_OK);
    lstm_rng_next(e.rng);
    assert_int_equal(mnist_loader_start(loader, lstm_rng_next(e.rng)), MNIST_OK);
    for (size_t step = 0; step < LOSSES; step++) {
        assert_int_equal(mnist_loader_next(loader, lstm_tensor_data(e.x), labels),
                         BATCH);
        assert_close(train(&e, labels), variants[variant].losses[step], tolerance);
    }
    mnist_loader_destroy(&loader);
    destroy(&e);
}

static void the_first_losses_of_seed_0_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(0);
}

static void the_first_losses_of_seed_42_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(1);
}

static void with_dropout_the_losses_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(2);
}

static void with_both_directions_the_losses_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(3);
}

static void with_dropout_and_both_directions_the_losses_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(4);
}

static void with_projection_the_losses_equal_pytorch(void **state)
{
    (void)state;
    assert_losses(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_losses_of_seed_0_equal_pytorch),
        TEST(the_first_losses_of_seed_42_equal_pytorch),
        TEST(with_dropout_the_losses_equal_pytorch),
        TEST(with_both_directions_the_losses_equal_pytorch),
        TEST(with_dropout_and_both_directions_the_losses_equal_pytorch),
        TEST(with_projection_the_losses_equal_pytorch),
    };
    if (!getenv("MNIST_DIR"))
        test_skip_all("MNIST_DIR is not set: needs the real MNIST");
    return cmocka_run_group_tests(tests, open_digits, close_digits);
}
