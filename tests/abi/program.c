/*
 * A program that is compiled with the headers of 1.0.0, or with those of a later
 * version that has one more option in each struct, and run with the current library.
 */
#include <stdio.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

#ifndef LATER
#define LATER .reserved = {0}
#endif

#define TRY(call)                                                                      \
    if ((call) != 0)                                                                   \
    return printf("%s%s\n", lstm_last_error(), mnist_last_error()), 1

enum { N = 3, T = 4, I = 2, H = 5, C = 2 };

static int train(lstm_rng *rng, lstm_layer *layer)
{
    lstm_linear *linear;
    lstm_params *params;
    lstm_adam *adam;
    lstm_cross_entropy *loss;
    lstm_tensor *x, *out, *dout, *last, *dlast, *logits, *dlogits;
    const lstm_linear_config sizes = {.inputs = H, .outputs = C, LATER};
    const lstm_adam_config config = {.lr = 0.05, .decoupled = true, LATER};
    const lstm_cross_entropy_config smooth = {.label_smoothing = 0.1, LATER};
    TRY(lstm_linear_create(&linear, &sizes, rng));
    TRY(lstm_params_create(&params));
    TRY(lstm_params_add_layer(params, "lstm", layer));
    TRY(lstm_params_add_linear(params, "fc", linear));
    TRY(lstm_adam_create(&adam, params, &config));
    TRY(lstm_cross_entropy_create(&loss, &smooth));
    TRY(lstm_tensor_create(&x, 3, (size_t[]){T, N, I}));
    TRY(lstm_tensor_create(&out, 3, (size_t[]){T, N, H}));
    TRY(lstm_tensor_create(&dout, 3, (size_t[]){T, N, H}));
    TRY(lstm_tensor_select(&last, out, 0, T - 1));
    TRY(lstm_tensor_select(&dlast, dout, 0, T - 1));
    TRY(lstm_tensor_create(&logits, 2, (size_t[]){N, C}));
    TRY(lstm_tensor_create(&dlogits, 2, (size_t[]){N, C}));
    TRY(lstm_rng_uniform(rng, x, -1, 1));
    const int64_t targets[N] = {0, 1, 0};
    float first = 0, value = 0;
    for (int update = 0; update < 20; update++) {
        TRY(lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, out, NULL, NULL));
        TRY(lstm_linear_forward(linear, last, logits));
        TRY(lstm_cross_entropy_forward(loss, logits, targets, &value));
        first = update == 0 ? value : first;
        TRY(lstm_params_zero_grad(params));
        TRY(lstm_cross_entropy_backward(loss, NULL, dlogits));
        TRY(lstm_linear_backward(linear, dlogits, dlast));
        TRY(lstm_layer_backward(layer, NULL, dout, NULL, NULL, NULL, NULL, NULL));
        TRY(lstm_adam_step(adam));
    }
    if (!(value < first - 0.1f))
        return printf("the loss went from %g to %g\n", (double)first, (double)value), 1;
    const lstm_file_options options = {.adam = adam, .rng = rng, LATER};
    TRY(lstm_params_save(params, "/dev/shm/no/such/folder", &options) == LSTM_IO_ERROR
            ? LSTM_OK
            : LSTM_INVALID_STATE);
    lstm_tensor **tensors[] = {&last, &dlast, &x, &out, &dout, &logits, &dlogits};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_cross_entropy_destroy(&loss);
    lstm_adam_destroy(&adam);
    lstm_params_destroy(&params);
    lstm_linear_destroy(&linear);
    return 0;
}

static int use_lstm(void)
{
    lstm_rng *rng;
    lstm_layer *layer;
    const lstm_layer_config config = {.inputs = I, .hidden = H, .dropout = 0.2, LATER};
    TRY(lstm_rng_create(&rng, 1));
    TRY(lstm_layer_create(&layer, &config, rng));
    if (lstm_layer_get_config(layer)->dropout != 0.2)
        return puts("the options of the layer changed"), 1;
    int failed = train(rng, layer);
    double lr = 0;
    const lstm_schedule cosine = {
        .kind = LSTM_SCHEDULE_COSINE, .lr = 1, .steps = 10, LATER};
    lstm_plateau plateau = {.lr = 1, .patience = -1, LATER};
    TRY(lstm_schedule_lr(&cosine, 10, &lr));
    TRY(lstm_plateau_update(&plateau, 1));
    TRY(lstm_plateau_update(&plateau, 2));
    if (lr != 0 || plateau.lr != 0.1)
        return printf("rates are %g and %g\n", lr, plateau.lr), 1;
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    return failed;
}

static int use_mnist(void)
{
    mnist_dataset *digits;
    mnist_loader *loader;
    static float pixels[2 * 28 * 28];
    const mnist_source source = {.directory = "/no/such/folder", LATER};
    const mnist_loader_config config = {.batch_size = 2, .shuffle = true, LATER};
    if (mnist_dataset_open(&digits, &source, MNIST_TEST) != MNIST_IO_ERROR &&
        mnist_dataset_open(&digits, &source, MNIST_TEST) != MNIST_NOT_FOUND)
        return puts(mnist_last_error()), 1;
    TRY(mnist_dataset_synthetic(&digits, 3, 1));
    TRY(mnist_loader_create(&loader, digits, &config));
    TRY(mnist_loader_start(loader, 1));
    if (mnist_loader_next(loader, pixels, NULL) != 2)
        return puts("the loader has no batch of 2"), 1;
    mnist_loader_destroy(&loader);
    mnist_dataset_destroy(&digits);
    return 0;
}

int main(void)
{
    /* The test compares the message, not the exit status. */
    if (!use_lstm() && !use_mnist())
        puts("works");
    return 0;
}
