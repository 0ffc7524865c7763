/*
 * What a source of lstm-embed --standalone must compute, by the library: reads a model
 * and the inputs of a sequence from files, runs the sequence twice, and prints the bits
 * of the outputs and of the states.
 *
 * usage: standalone_reference MODEL INPUTS
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <lstm/lstm.h>

#define TRY(call)                                                                      \
    if ((call) != LSTM_OK)                                                             \
    return fprintf(stderr, "%s\n", lstm_last_error()), 1

static void print_bits(const lstm_tensor *tensor)
{
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++) {
        uint32_t bits;
        memcpy(&bits, lstm_tensor_data(tensor) + i, sizeof(bits));
        printf("%08" PRIx32 "\n", bits);
    }
}

/* Runs a sequence from the beginning of a file. */
static int run(lstm_stream *stream, FILE *inputs, lstm_tensor *x, lstm_tensor *y)
{
    rewind(inputs);
    TRY(lstm_stream_reset(stream, NULL));
    while (fread(lstm_tensor_data(x), sizeof(float), lstm_tensor_count(x), inputs) ==
           lstm_tensor_count(x)) {
        TRY(lstm_stream_step(stream, x, y));
        print_bits(y);
    }
    return 0;
}

int main(int argc, char **argv)
{
    lstm_file *file;
    lstm_layer *layer;
    lstm_linear *head = NULL;
    lstm_stream *stream;
    lstm_tensor *x, *y, *h, *c;
    FILE *inputs = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (!inputs)
        return 2;
    TRY(lstm_file_open(&file, argv[1]));
    TRY(lstm_layer_read(&layer, file, NULL, NULL));
    if (lstm_linear_read(&head, file, "fc") != LSTM_OK)
        head = NULL;
    TRY(lstm_layer_set_training(layer, false));
    TRY(lstm_stream_create(&stream, layer, head, 1));
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    size_t size = lstm_layer_output_size(layer);
    size_t outputs = head ? lstm_linear_get_config(head)->outputs : size;
    TRY(lstm_tensor_create(&x, 2, (size_t[]){1, config->inputs}));
    TRY(lstm_tensor_create(&y, 2, (size_t[]){1, outputs}));
    TRY(lstm_tensor_create(&h, 3, (size_t[]){config->layers, 1, size}));
    TRY(lstm_tensor_create(&c, 3, (size_t[]){config->layers, 1, config->hidden}));
    if (run(stream, inputs, x, y) || run(stream, inputs, x, y))
        return 1;
    TRY(lstm_stream_get_state(stream, h, c));
    print_bits(h);
    print_bits(c);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
    lstm_tensor_destroy(&h);
    lstm_tensor_destroy(&c);
    lstm_stream_destroy(&stream);
    lstm_linear_destroy(&head);
    lstm_layer_destroy(&layer);
    lstm_file_destroy(&file);
    fclose(inputs);
    return 0;
}
