/*
 * charlm: learns a text file character by character, prints bits per character, and
 * writes text of its own.
 *
 * The text is cut into ROWS pieces that are read side by side in chunks of STEPS bytes.
 * The states after a chunk are those before the next one (truncated backpropagation
 * through time): hn, cn and h0, c0 are the same two tensors.
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
    /* The same memory as out, dout, logits and dlogits, a row for each character. */
    lstm_tensor *rows, *drows;
    int64_t targets[STEPS * ROWS];
} model;

/* Ends the program when a call failed. */
static void need(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "charlm: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

static lstm_tensor *tensor(size_t rank, const size_t *shape)
{
    lstm_tensor *created;
    need(lstm_tensor_create(&created, rank, shape));
    return created;
}

static lstm_tensor *view_rows(const lstm_tensor *of)
{
    lstm_tensor *view;
    size_t shape[] = {(size_t)STEPS * ROWS, HIDDEN};
    need(lstm_tensor_wrap(&view, lstm_tensor_data(of), 2, shape, NULL));
    return view;
}

static void create_model(model *m, uint64_t seed)
{
    lstm_layer_config config = {.inputs = BYTES, .hidden = HIDDEN};
    need(lstm_rng_create(&m->rng, seed));
    need(lstm_layer_create(&m->layer, &config, m->rng));
    need(lstm_linear_create(
        &m->head, &(lstm_linear_config){.inputs = HIDDEN, .outputs = BYTES}, m->rng));
    need(lstm_params_create(&m->params));
    need(lstm_params_add_layer(m->params, "lstm", m->layer));
    need(lstm_params_add_linear(m->params, "fc", m->head));
    need(lstm_adam_create(&m->adam, m->params, &(lstm_adam_config){.lr = 0.005}));
    need(lstm_cross_entropy_create(&m->loss, NULL));
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

/* One-hot characters and those that follow them, from start of each piece on. */
static void read_chunk(model *m, const unsigned char *text, size_t piece, size_t start)
{
    need(lstm_tensor_fill(m->x, 0));
    for (size_t step = 0; step < STEPS; step++)
        for (size_t row = 0; row < ROWS; row++) {
            const unsigned char *at = text + row * piece + start + step;
            size_t place = step * ROWS + row;
            lstm_tensor_data(m->x)[place * BYTES + at[0]] = 1;
            m->targets[place] = at[1];
        }
}

/* A step of training; the loss in nats per character. */
static float train_chunk(model *m)
{
    float value;
    need(
        lstm_layer_forward(m->layer, NULL, m->x, NULL, m->h, m->c, m->out, m->h, m->c));
    need(lstm_linear_forward(m->head, m->rows, m->logits));
    need(lstm_cross_entropy_forward(m->loss, m->logits, m->targets, &value));
    need(lstm_params_zero_grad(m->params));
    need(lstm_cross_entropy_backward(m->loss, NULL, m->dlogits));
    need(lstm_linear_backward(m->head, m->dlogits, m->drows));
    need(lstm_layer_backward(m->layer, NULL, m->dout, NULL, NULL, NULL, NULL, NULL));
    need(lstm_params_clip_norm(m->params, 5, NULL));
    need(lstm_adam_step(m->adam));
    return value;
}

/* Bits per character over one pass through the text. */
static double train_epoch(model *m, const unsigned char *text, size_t piece)
{
    double sum = 0;
    size_t chunks = (piece - 1) / STEPS;
    need(lstm_tensor_fill(m->h, 0));
    need(lstm_tensor_fill(m->c, 0));
    for (size_t i = 0; i < chunks; i++) {
        read_chunk(m, text, piece, i * STEPS);
        sum += (double)train_chunk(m);
    }
    return sum / (double)chunks / log(2);
}

/* Draws a character with the probabilities softmax(logits / temperature). */
static unsigned char draw(model *m, const float *logits)
{
    const double temperature = 0.7;
    double weights[BYTES], sum = 0, most = (double)logits[0];
    for (size_t i = 1; i < BYTES; i++)
        most = fmax(most, (double)logits[i]);
    for (size_t i = 0; i < BYTES; i++)
        sum += weights[i] = exp(((double)logits[i] - most) / temperature);
    double left = ldexp((double)(lstm_rng_next(m->rng) >> 11), -53) * sum;
    for (size_t i = 0; i < BYTES; i++)
        if ((left -= weights[i]) < 0)
            return (unsigned char)i;
    return ' ';
}

/* Goes on from the prompt, a character at a time. */
static void write_text(model *m, const char *prompt, size_t count)
{
    lstm_stream *stream;
    lstm_tensor *x = tensor(2, (size_t[]){1, BYTES});
    lstm_tensor *y = tensor(2, (size_t[]){1, BYTES});
    need(lstm_layer_set_training(m->layer, false));
    need(lstm_stream_create(&stream, m->layer, m->head, 1));
    prompt = *prompt ? prompt : "\n";
    size_t given = strlen(prompt);
    unsigned char character = '\n';
    for (size_t i = 0; i < given + count; i++) {
        character = i < given ? (unsigned char)prompt[i] : draw(m, lstm_tensor_data(y));
        putchar(character);
        need(lstm_tensor_fill(x, 0));
        lstm_tensor_data(x)[character] = 1;
        need(lstm_stream_step(stream, x, y));
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
    size_t room = 0, got = 0;
    while (file && !feof(file) && !ferror(file)) {
        if (got == room) {
            unsigned char *larger = realloc(text, room = room ? 2 * room : 1 << 16);
            if (!larger)
                break;
            text = larger;
        }
        got += fread(text + got, 1, room - got, file);
    }
    if (!file || ferror(file) || !feof(file)) {
        fprintf(stderr, "charlm: %s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
    }
    fclose(file);
    *size = got;
    return text;
}

int main(int count, char **arguments)
{
    char *end = "";
    long epochs = count > 2 ? strtol(arguments[2], &end, 10) : 3;
    if (count < 2 || count > 4 || epochs < 1 || *end) {
        fprintf(stderr,
                "usage: charlm FILE [EPOCHS [PROMPT]]\n\n"
                "Learns the characters of a text (3 epochs), prints bits per "
                "character over each,\nand goes on from the prompt (\"The \").\n");
        return EXIT_USAGE;
    }
    static model m;
    size_t size;
    unsigned char *text = read_text(arguments[1], &size);
    size_t piece = size / ROWS;
    if (piece <= STEPS) {
        fprintf(stderr, "charlm: %s has %zu bytes, expected at least %d\n",
                arguments[1], size, ROWS * (STEPS + 1));
        free(text);
        return EXIT_FAILURE;
    }
    create_model(&m, 1);
    for (long epoch = 1; epoch <= epochs; epoch++) {
        printf("Epoch [%ld/%ld], Bits per character: %.3f\n", epoch, epochs,
               train_epoch(&m, text, piece));
        fflush(stdout);
    }
    write_text(&m, count > 3 ? arguments[3] : "The ", 200);
    destroy_model(&m);
    free(text);
    return EXIT_SUCCESS;
}
