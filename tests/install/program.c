/* Uses both installed libraries; compiled as C11 and as C++17. */
#include <stdio.h>
#include <string.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

static int use_lstm(void)
{
    const size_t shape[2] = {2, 3};
    lstm_tensor *tensor = NULL;
    lstm_rng *rng = NULL;
    lstm_layer *layer = NULL;
    lstm_layer_config config;
    memset(&config, 0, sizeof(config));
    config.inputs = 3;
    config.hidden = 4;
    int ok = lstm_tensor_create(&tensor, 2, shape) == LSTM_OK &&
             lstm_rng_create(&rng, 0) == LSTM_OK &&
             lstm_rng_uniform(rng, tensor, 0.0f, 1.0f) == LSTM_OK &&
             lstm_tensor_data(tensor)[5] > 0.0f &&
             lstm_layer_create(&layer, &config, rng) == LSTM_OK &&
             lstm_layer_forward(layer, NULL, tensor, NULL, NULL, NULL, NULL, NULL,
                                NULL) != LSTM_OK;
    lstm_layer_destroy(&layer);
    lstm_rng_destroy(&rng);
    lstm_tensor_destroy(&tensor);
    return ok && lstm_version()[0] == '0' + LSTM_VERSION_MAJOR;
}

static int use_mnist(void)
{
    uint8_t black[9] = {0};
    uint8_t fitted[28 * 28];
    memset(fitted, 1, sizeof(fitted));
    mnist_dataset *data = NULL;
    mnist_source source;
    memset(&source, 0, sizeof(source));
    source.directory = "/nonexistent";
    return mnist_dataset_open(&data, &source, MNIST_TRAIN) != MNIST_OK &&
           mnist_image_fit(black, 3, 3, NULL, fitted) == MNIST_BLANK &&
           mnist_version()[0] == '0' + MNIST_VERSION_MAJOR;
}

int main(void)
{
    int ok = use_lstm() && use_mnist();
    puts(ok ? "both libraries work" : "a library does not work");
    return ok ? 0 : 1;
}
