/*
 * charlm: a character-level language model. Trains on a text file, prints bits per
 * character, and generates text.
 *
 * The text is split into ROWS equal sections, which form the batch. Training uses
 * truncated backpropagation through time with chunks of STEPS bytes: the final states
 * of a chunk are the initial states of the next one, so hn and h0 are the same tensor,
 * and so are cn and c0.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

enum { ROWS = 16, STEPS = 32, BYTES = 256, HIDDEN = 128, EXIT_USAGE = 2 };

typedef struct {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    lstm_adam *adam;
    lstm_cross_entropy *loss;
    lstm_tensor *x, *out, *dout, *logits, *dlogits, *h, *c;
    /* Views of out and dout with one row per character. */
    lstm_tensor *rows, *drows;
    int64_t targets[STEPS * ROWS];
} model;

/* Exits with a message if a call failed. */
static void check(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "charlm: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

static lstm_tensor *tensor(size_t rank, const size_t *shape)
{
    lstm_tensor *created;
    check(lstm_tensor_create(&created, rank, shape));
    return created;
}

static lstm_tensor *view_rows(const lstm_tensor *of)
{
    lstm_tensor *view;
    size_t shape[] = {(size_t)STEPS * ROWS, HIDDEN};
    check(lstm_tensor_wrap(&view, lstm_tensor_data(of), 2, shape, NULL));
    return view;
}

static void create_model(model *m, uint64_t seed)
{
    lstm_layer_config config = {.inputs = BYTES, .hidden = HIDDEN};
    check(lstm_rng_create(&m->rng, seed));
    check(lstm_layer_create(&m->layer, &config, m->rng));
    check(lstm_linear_create(
        &m->head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = BYTES}, m->rng));
    check(lstm_params_create(&m->params));
    check(lstm_params_add_layer(m->params, "lstm", m->layer));
    check(lstm_params_add_linear(m->params, "fc", m->head));
    check(lstm_adam_create(&m->adam, m->params, &(lstm_adam_config){.lr = 0.005}));
    check(lstm_cross_entropy_create(&m->loss, NULL));
    m->x = tensor(3, (size_t[]){STEPS, ROWS, BYTES});
    m->out = tensor(3, (size_t[]){STEPS, ROWS, HIDDEN});
    m->dout = tensor(3, (size_t[]){STEPS, ROWS, HIDDEN});
    m->logits = tensor(2, (size_t[]){(size_t)STEPS * ROWS, BYTES});
    m->dlogits = tensor(2, (size_t[]){(size_t)STEPS * ROWS, BYTES});
    m->h = tensor(3, (size_t[]){1, ROWS, HIDDEN});
    m->c = tensor(3, (size_t[]){1, ROWS, HIDDEN});
    m->rows = view_rows(m->out);
    m->drows = view_rows(m->dout);
}

static void destroy_model(model *m)
{
    lstm_tensor **tensors[] = {&m->rows,   &m->drows,   &m->x, &m->out, &m->dout,
                               &m->logits, &m->dlogits, &m->h, &m->c};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_cross_entropy_destroy(&m->loss);
    lstm_adam_destroy(&m->adam);
    lstm_params_destroy(&m->params);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
    lstm_rng_destroy(&m->rng);
}

/* Fills x with one-hot characters and targets with the characters that follow them,
 * beginning at start in each section. */
static void read_chunk(model *m, const unsigned char *text, size_t section,
                       size_t start)
{
    check(lstm_tensor_fill(m->x, 0));
    for (size_t step = 0; step < STEPS; step++)
        for (size_t row = 0; row < ROWS; row++) {
            const unsigned char *at = text + row * section + start + step;
            size_t index = step * ROWS + row;
            lstm_tensor_data(m->x)[index * BYTES + at[0]] = 1;
            m->targets[index] = at[1];
        }
}

/* Trains on a chunk; returns the loss in nats per character. */
static float train_chunk(model *m)
{
    float value;
    check(
        lstm_layer_forward(m->layer, NULL, m->x, NULL, m->h, m->c, m->out, m->h, m->c));
    check(lstm_linear_forward(m->head, m->rows, m->logits));
    check(lstm_cross_entropy_forward(m->loss, m->logits, m->targets, &value));
    check(lstm_params_zero_grad(m->params));
    check(lstm_cross_entropy_backward(m->loss, NULL, m->dlogits));
    check(lstm_linear_backward(m->head, m->dlogits, m->drows));
    check(lstm_layer_backward(m->layer, NULL, m->dout, NULL, NULL, NULL, NULL, NULL));
    check(lstm_params_clip_norm(m->params, 5, NULL));
    check(lstm_adam_step(m->adam));
    return value;
}

/* Trains for one epoch; returns the mean bits per character. */
static double train_epoch(model *m, const unsigned char *text, size_t section)
{
    double sum = 0;
    size_t chunks = (section - 1) / STEPS;
    check(lstm_tensor_fill(m->h, 0));
    check(lstm_tensor_fill(m->c, 0));
    for (size_t i = 0; i < chunks; i++) {
        read_chunk(m, text, section, i * STEPS);
        sum += (double)train_chunk(m);
    }
    return sum / (double)chunks / log(2);
}

/* Samples a character from softmax(logits / temperature). */
static unsigned char sample(model *m, const float *logits)
{
    const double temperature = 0.7;
    double weights[BYTES], sum = 0, largest = (double)logits[0];
    for (size_t i = 1; i < BYTES; i++)
        largest = fmax(largest, (double)logits[i]);
    for (size_t i = 0; i < BYTES; i++)
        sum += weights[i] = exp(((double)logits[i] - largest) / temperature);
    double left = ldexp((double)(lstm_rng_next(m->rng) >> 11), -53) * sum;
    for (size_t i = 0; i < BYTES; i++)
        if ((left -= weights[i]) < 0)
            return (unsigned char)i;
    return ' ';
}

/* Prints the prompt and count characters that continue it. */
static void generate_text(model *m, const char *prompt, size_t count)
{
    lstm_stream *stream;
    lstm_tensor *x = tensor(2, (size_t[]){1, BYTES});
    lstm_tensor *y = tensor(2, (size_t[]){1, BYTES});
    check(lstm_layer_set_training(m->layer, false));
    check(lstm_stream_create(&stream, m->layer, m->head, 1));
    prompt = *prompt ? prompt : "\n";
    size_t length = strlen(prompt);
    unsigned char character = '\n';
    for (size_t i = 0; i < length + count; i++) {
        character =
            i < length ? (unsigned char)prompt[i] : sample(m, lstm_tensor_data(y));
        putchar(character);
        check(lstm_tensor_fill(x, 0));
        lstm_tensor_data(x)[character] = 1;
        check(lstm_stream_step(stream, x, y));
    }
    putchar('\n');
    lstm_stream_destroy(&stream);
    lstm_tensor_destroy(&x);
    lstm_tensor_destroy(&y);
}

static unsigned char *read_text(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *text = NULL;
    size_t capacity = 0, length = 0;
    while (file && !feof(file) && !ferror(file)) {
        if (length == capacity) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            unsigned char *larger = realloc(text, capacity);
            if (!larger)
                break;
            text = larger;
        }
        length += fread(text + length, 1, capacity - length, file);
    }
    if (!file || ferror(file) || !feof(file)) {
        fprintf(stderr, "charlm: %s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    fclose(file);
    *size = length;
    return text;
}

int main(int count, char **arguments)
{
    char *end = "";
    long epochs = count > 2 ? strtol(arguments[2], &end, 10) : 3;
    if (count < 2 || count > 4 || epochs < 1 || *end) {
        fprintf(
            stderr,
            "Usage: charlm FILE [EPOCHS [PROMPT]]\n\n"
            "Trains a character-level language model on a text (default 3 epochs), "
            "prints the\nbits per character of each epoch, and generates text after "
            "the prompt (default\n\"The \").\n");
        return EXIT_USAGE;
    }
    static model m;
    size_t size;
    unsigned char *text = read_text(arguments[1], &size);
    size_t section = size / ROWS;
    if (section <= STEPS) {
        fprintf(stderr, "charlm: %s has %zu bytes, expected at least %d\n",
                arguments[1], size, ROWS * (STEPS + 1));
        free(text);
        return EXIT_FAILURE;
    }
    create_model(&m, 1);
    for (long epoch = 1; epoch <= epochs; epoch++) {
        printf("Epoch [%ld/%ld], Bits per character: %.3f\n", epoch, epochs,
               train_epoch(&m, text, section));
        fflush(stdout);
    }
    generate_text(&m, count > 3 ? arguments[3] : "The ", 200);
    destroy_model(&m);
    free(text);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_SUCCESS;
    fprintf(stderr, "charlm: standard output: %s\n", strerror(errno));
    return EXIT_FAILURE;
}
