#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/charlm/generate.h"
#include "examples/common/message.h"

/* A text in progress. */
typedef struct writer {
    const generate_options *options;
    const bool *occurs;
    char_model *model;
    lstm_rng *rng;
    lstm_stream *stream;
    /** Input [1, E] and scores [1, bytes] of the network. */
    lstm_tensor *x, *y;
    utf8_state state;
} writer;

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

bool generate_accepts(const char *prompt, size_t *position)
{
    utf8_state state = {0};
    for (size_t i = 0; prompt[i]; i++) {
        unsigned char byte = (unsigned char)prompt[i];
        *position = i;
        if (!utf8_accepts(&state, byte))
            return false;
        utf8_take(&state, byte);
    }
    return true;
}

/* Marks the bytes that may come next; if the text has none of them, all valid ones. */
static void choose_allowed(const writer *w, bool *allowed)
{
    size_t count = 0;
    for (int any = 0; any < 2 && count == 0; any++)
        for (size_t i = 0; i < TEXT_BYTES; i++) {
            bool valid = w->options->bytes || utf8_accepts(&w->state, (unsigned char)i);
            allowed[i] = valid && (any || w->occurs[i]);
            count += allowed[i];
        }
}

/* The most probable of the allowed bytes. */
static size_t most_probable(const float *scores, const bool *allowed)
{
    size_t best = TEXT_BYTES;
    for (size_t i = 0; i < TEXT_BYTES; i++)
        if (allowed[i] && (best == TEXT_BYTES || scores[i] > scores[best]))
            best = i;
    return best;
}

/* Draws an allowed byte from softmax(scores / temperature). */
static unsigned char draw(writer *w)
{
    const float *scores = lstm_tensor_data(w->y);
    bool allowed[TEXT_BYTES];
    double weights[TEXT_BYTES], sum = 0;
    choose_allowed(w, allowed);
    size_t best = most_probable(scores, allowed);
    if (w->options->temperature == 0)
        return (unsigned char)best;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        double distance = (double)scores[i] - (double)scores[best];
        weights[i] = allowed[i] ? exp(distance / w->options->temperature) : 0;
        sum += weights[i];
    }
    double left = ldexp((double)(lstm_rng_next(w->rng) >> 11), -53) * sum;
    for (size_t i = 0; i < TEXT_BYTES; i++)
        if (weights[i] > 0 && (left -= weights[i]) < 0)
            return (unsigned char)i;
    return (unsigned char)best;
}

/* Prints a byte and computes the scores of the next one. */
static bool take(writer *w, unsigned char byte)
{
    int64_t index = byte;
    putchar(byte);
    if (!w->options->bytes)
        utf8_take(&w->state, byte);
    if (lstm_embedding_forward(w->model->embedding, &index, w->x) != LSTM_OK ||
        lstm_stream_step(w->stream, w->x, w->y) != LSTM_OK)
        return lstm_failed();
    for (size_t i = 0; i < TEXT_BYTES; i++)
        if (!isfinite(lstm_tensor_data(w->y)[i]))
            return message_error(
                "the score of byte %zu is %g, expected a finite number", i,
                (double)lstm_tensor_data(w->y)[i]);
    return true;
}

static bool all_occur(const char *prompt, const bool *occurs)
{
    for (; *prompt; prompt++)
        if (!occurs[(unsigned char)*prompt])
            return false;
    return true;
}

static const char *choose_prompt(const char *prompt, const bool *occurs)
{
    if (!prompt)
        return all_occur("The ", occurs) ? "The " : "\n";
    if (!all_occur(prompt, occurs))
        message_warning("the prompt has bytes that the text of the training does not "
                        "have; the model has not learnt them");
    return *prompt ? prompt : "\n";
}

static bool write_all(writer *w)
{
    const char *prompt = choose_prompt(w->options->prompt, w->occurs);
    for (; *prompt; prompt++)
        if (!take(w, (unsigned char)*prompt))
            return false;
    /* Nothing is lost if standard output fails: message_finish() reports it. */
    for (size_t count = 0; count < w->options->length && !ferror(stdout);) {
        if (!take(w, draw(w)))
            return false;
        count += w->state.missing == 0;
    }
    while (w->state.missing)
        if (!take(w, draw(w)))
            return false;
    putchar('\n');
    return true;
}

static bool create(writer *w, uint64_t seed)
{
    const char_model *m = w->model;
    size_t inputs = lstm_layer_get_config(m->layer)->inputs;
    return lstm_rng_create(&w->rng, seed) == LSTM_OK &&
           lstm_layer_set_training(m->layer, false) == LSTM_OK &&
           lstm_stream_create(&w->stream, m->layer, m->head, 1) == LSTM_OK &&
           lstm_tensor_create(&w->x, 2, (size_t[]){1, inputs}) == LSTM_OK &&
           lstm_tensor_create(&w->y, 2, (size_t[]){1, TEXT_BYTES}) == LSTM_OK;
}

bool generate_text(char_model *m, const char_run *run, const generate_options *options)
{
    writer w = {.options = options, .occurs = run->occurs, .model = m};
    bool done = create(&w, options->seed) ? write_all(&w) : lstm_failed();
    lstm_tensor_destroy(&w.x);
    lstm_tensor_destroy(&w.y);
    lstm_stream_destroy(&w.stream);
    lstm_rng_destroy(&w.rng);
    return done;
}
