#include <stdlib.h>

#include "examples/amp/loss.h"
#include "examples/amp/segments.h"
#include "examples/common/message.h"

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

static bool create_chunk(chunk *of, size_t steps, size_t rows, size_t hidden)
{
    const size_t one[] = {steps, rows, 1}, many[] = {steps, rows, hidden};
    of->steps = steps;
    return steps == 0 || (lstm_tensor_create(&of->x, 3, one) == LSTM_OK &&
                          lstm_tensor_create(&of->y, 3, one) == LSTM_OK &&
                          lstm_tensor_create(&of->dy, 3, one) == LSTM_OK &&
                          lstm_tensor_create(&of->out, 3, many) == LSTM_OK &&
                          lstm_tensor_create(&of->dout, 3, many) == LSTM_OK);
}

static void destroy_chunk(chunk *of)
{
    lstm_tensor_destroy(&of->x);
    lstm_tensor_destroy(&of->y);
    lstm_tensor_destroy(&of->dy);
    lstm_tensor_destroy(&of->out);
    lstm_tensor_destroy(&of->dout);
}

/* Chooses the sizes: batches as equal as they can be. */
static bool choose(segments *all, const amp_options *options)
{
    size_t half = all->sounds->rate / 2, samples = all->samples;
    size_t batch = (size_t)options->batch;
    all->warm_up = (size_t)options->warm_up;
    all->length = half < samples && half > 0 ? half : samples;
    if (all->warm_up >= all->length)
        return message_error(
            "--warm-up is %zu, expected less than the %zu samples of a "
            "segment",
            all->warm_up, all->length);
    all->count = (samples + all->length - 1) / all->length;
    all->batches = (all->count + batch - 1) / batch;
    all->rows = (all->count + all->batches - 1) / all->batches;
    return true;
}

bool segments_create(segments *all, network *net, const pair *sounds, size_t samples,
                     const amp_options *options)
{
    *all = (segments){.net = net, .sounds = sounds, .samples = samples};
    if (!choose(all, options))
        return false;
    size_t left = all->length - all->warm_up, hidden = (size_t)options->hidden;
    size_t steps = options->steps < left ? (size_t)options->steps : left;
    const size_t states[] = {1, all->rows, hidden};
    all->order = calloc(all->count, sizeof(*all->order));
    all->targets = calloc(steps * all->rows, sizeof(*all->targets));
    all->means = calloc(all->rows, sizeof(*all->means));
    if (!all->order || !all->targets || !all->means)
        return message_error("no memory for the training");
    return (create_chunk(&all->warm, all->warm_up, all->rows, hidden) &&
            create_chunk(&all->full, steps, all->rows, hidden) &&
            create_chunk(&all->tail, left % steps, all->rows, hidden) &&
            lstm_tensor_create(&all->h, 3, states) == LSTM_OK &&
            lstm_tensor_create(&all->c, 3, states) == LSTM_OK) ||
           lstm_failed();
}

void segments_destroy(segments *all)
{
    destroy_chunk(&all->warm);
    destroy_chunk(&all->full);
    destroy_chunk(&all->tail);
    lstm_tensor_destroy(&all->h);
    lstm_tensor_destroy(&all->c);
    free(all->order);
    free(all->targets);
    free(all->means);
}

/* First sample of a segment; the last one ends with the part, and may overlap. */
static size_t start_of(const segments *all, size_t index)
{
    size_t start = index * all->length;
    return start + all->length > all->samples ? all->samples - all->length : start;
}

/* Reads a chunk of the rows of a batch, from sample at on. */
static void read_chunk(segments *all, const size_t *starts, size_t at, chunk *of)
{
    float *x = lstm_tensor_data(of->x);
    bool wanted = of != &all->warm;
    for (size_t step = 0; step < of->steps; step++)
        for (size_t row = 0; row < all->rows; row++) {
            size_t sample = starts[row] + at + step;
            x[step * all->rows + row] = all->sounds->dry[sample];
            if (wanted)
                all->targets[step * all->rows + row] = all->sounds->wet[sample];
        }
}

static bool forward(segments *all, chunk *of)
{
    const network *net = all->net;
    return lstm_layer_forward(net->layer, NULL, of->x, NULL, all->h, all->c, of->out,
                              all->h, all->c) == LSTM_OK;
}

static bool backward(segments *all, chunk *of)
{
    const network *net = all->net;
    return lstm_params_zero_grad(net->params) == LSTM_OK &&
           lstm_linear_backward(net->head, of->dy, of->dout) == LSTM_OK &&
           lstm_layer_backward(net->layer, NULL, of->dout, NULL, NULL, NULL, NULL,
                               NULL) == LSTM_OK &&
           lstm_adam_step(net->adam) == LSTM_OK;
}

/* Updates the weights once. */
static bool update(segments *all, chunk *of, double *loss)
{
    size_t count = of->steps * all->rows;
    if (!forward(all, of) ||
        lstm_linear_forward(all->net->head, of->out, of->y) != LSTM_OK)
        return false;
    float *y = lstm_tensor_data(of->y);
    const float *x = lstm_tensor_data(of->x);
    for (size_t k = 0; all->net->skip && k < count; k++)
        y[k] += x[k];
    *loss += loss_compute(y, all->targets, of->steps, all->rows,
                          lstm_tensor_data(of->dy), all->means);
    return backward(all, of);
}

static bool train_batch(segments *all, const size_t *starts, double *loss,
                        size_t *updates)
{
    if (lstm_tensor_fill(all->h, 0) != LSTM_OK ||
        lstm_tensor_fill(all->c, 0) != LSTM_OK)
        return false;
    if (all->warm_up) {
        read_chunk(all, starts, 0, &all->warm);
        if (!forward(all, &all->warm))
            return false;
    }
    for (size_t at = all->warm_up; at < all->length;) {
        chunk *of = all->length - at < all->full.steps ? &all->tail : &all->full;
        read_chunk(all, starts, at, of);
        if (!update(all, of, loss))
            return false;
        at += of->steps;
        ++*updates;
    }
    return true;
}

bool segments_epoch(segments *all, lstm_rng *rng, double *loss)
{
    size_t updates = 0;
    size_t *starts = calloc(all->rows, sizeof(*starts));
    *loss = 0;
    if (!starts)
        return message_error("no memory for the training");
    bool done = lstm_rng_permutation(rng, all->order, all->count) == LSTM_OK;
    for (size_t batch = 0; done && batch < all->batches; batch++) {
        /* The last batch begins again where segments are missing. */
        for (size_t row = 0; row < all->rows; row++) {
            size_t index = (batch * all->rows + row) % all->count;
            starts[row] = start_of(all, (size_t)all->order[index]);
        }
        done = train_batch(all, starts, loss, &updates);
    }
    free(starts);
    *loss /= (double)(updates ? updates : 1);
    return done || lstm_failed();
}
