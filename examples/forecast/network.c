#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/common/message.h"
#include "examples/forecast/network.h"
#include "examples/forecast/replace.h"

enum {
    HIDDEN = 32,
    EPOCHS = 150,
    /** The most starts of predictions over several steps, and the fewest errors that
     *  give a mean. */
    ORIGINS = 100,
    FEWEST_ERRORS = 4
};

static bool failed(void)
{
    return message_error("liblstm: %s", lstm_last_error());
}

/* What the network sees of a value. */
static double seen(const network *net, size_t i)
{
    double value = net->values[i];
    return net->differences ? value - net->values[i - 1] : value;
}

/* Sets the mean and deviation of the training values. */
static void measure(network *net)
{
    size_t first = net->differences ? 1 : 0, count = net->train_count - first;
    double sum = 0, squares = 0;
    for (size_t i = first; i < net->train_count; i++)
        sum += seen(net, i);
    net->mean = sum / (double)count;
    for (size_t i = first; i < net->train_count; i++)
        squares += pow(seen(net, i) - net->mean, 2);
    net->deviation = sqrt(squares / (double)count);
}

/* Chooses between values and differences. Differences that vary by less than the
 * rounding of values are constant. */
static void standardise(network *net)
{
    measure(net);
    double of_values = net->deviation;
    net->differences = true;
    measure(net);
    if (of_values <= net->deviation) {
        net->differences = false;
        measure(net);
    }
    net->constant = net->deviation <= DBL_EPSILON;
}

/* Divides the values by a power of two, so that the largest one is below 1. */
static bool copy_values(network *net, const double *values, size_t count)
{
    double largest = 0;
    net->values = calloc(count + 1, sizeof(*net->values));
    if (!net->values)
        return message_error("no memory");
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    frexp(largest, &net->exponent);
    for (size_t i = 0; i < count; i++)
        net->values[i] = ldexp(values[i], -net->exponent);
    net->count = count;
    net->train_count = count - count / 5;
    return true;
}

static bool create(network *net)
{
    lstm_rng *rng = NULL;
    lstm_layer_config config = {.inputs = 1, .hidden = HIDDEN, .batch_first = true};
    lstm_linear_config linear = {.inputs = HIDDEN, .outputs = 1};
    bool created = lstm_rng_create(&rng, 1) == LSTM_OK &&
                   lstm_layer_create(&net->layer, &config, rng) == LSTM_OK &&
                   lstm_linear_create(&net->head, &linear, rng) == LSTM_OK &&
                   lstm_params_create(&net->params) == LSTM_OK &&
                   lstm_params_add_layer(net->params, "lstm", net->layer) == LSTM_OK &&
                   lstm_params_add_linear(net->params, "fc", net->head) == LSTM_OK;
    lstm_rng_destroy(&rng);
    return created || failed();
}

/* The tensors of a training step: inputs, hidden units, outputs and their gradients. */
typedef struct tensors {
    lstm_tensor *x, *out, *y, *dout, *dy;
    float *targets;
    size_t steps;
} tensors;

static bool create_tensors(tensors *t, const network *net)
{
    size_t first = net->differences ? 1 : 0;
    t->steps = net->train_count - first - 1;
    const size_t narrow[] = {1, t->steps, 1}, wide[] = {1, t->steps, HIDDEN};
    t->targets = calloc(t->steps, sizeof(*t->targets));
    if (!t->targets)
        return message_error("no memory");
    if (lstm_tensor_create(&t->x, 3, narrow) != LSTM_OK ||
        lstm_tensor_create(&t->out, 3, wide) != LSTM_OK ||
        lstm_tensor_create(&t->y, 3, narrow) != LSTM_OK ||
        lstm_tensor_create(&t->dout, 3, wide) != LSTM_OK ||
        lstm_tensor_create(&t->dy, 3, narrow) != LSTM_OK)
        return failed();
    for (size_t i = 0; i <= t->steps; i++) {
        float value = (float)((seen(net, first + i) - net->mean) / net->deviation);
        if (i < t->steps)
            lstm_tensor_data(t->x)[i] = value;
        if (i > 0)
            t->targets[i - 1] = value;
    }
    return true;
}

static void destroy_tensors(tensors *t)
{
    lstm_tensor_destroy(&t->x);
    lstm_tensor_destroy(&t->out);
    lstm_tensor_destroy(&t->y);
    lstm_tensor_destroy(&t->dout);
    lstm_tensor_destroy(&t->dy);
    free(t->targets);
}

/* A training step on the whole sequence; the loss is half the mean squared error. */
static bool step(network *net, tensors *t, lstm_adam *adam)
{
    if (lstm_layer_forward(net->layer, NULL, t->x, NULL, NULL, NULL, t->out, NULL,
                           NULL) != LSTM_OK ||
        lstm_linear_forward(net->head, t->out, t->y) != LSTM_OK)
        return failed();
    for (size_t i = 0; i < t->steps; i++)
        lstm_tensor_data(t->dy)[i] =
            (lstm_tensor_data(t->y)[i] - t->targets[i]) / (float)t->steps;
    if (lstm_params_zero_grad(net->params) != LSTM_OK ||
        lstm_linear_backward(net->head, t->dy, t->dout) != LSTM_OK ||
        lstm_layer_backward(net->layer, NULL, t->dout, NULL, NULL, NULL, NULL, NULL) !=
            LSTM_OK ||
        lstm_params_clip_norm(net->params, 1, NULL) != LSTM_OK ||
        lstm_adam_step(adam) != LSTM_OK)
        return failed();
    return true;
}

static bool learn(network *net)
{
    tensors t = {0};
    lstm_adam *adam = NULL;
    bool done = create_tensors(&t, net);
    if (done && lstm_adam_create(&adam, net->params, &(lstm_adam_config){.lr = 0.01}) !=
                    LSTM_OK)
        done = failed();
    for (int epoch = 0; done && epoch < EPOCHS; epoch++)
        done = step(net, &t, adam);
    lstm_adam_destroy(&adam);
    destroy_tensors(&t);
    return done;
}

bool network_train(network *net, const double *values, size_t count)
{
    *net = (network){0};
    if (!copy_values(net, values, count))
        return false;
    standardise(net);
    if (net->constant)
        return true;
    if (!create(net) || !learn(net))
        return false;
    return (lstm_layer_set_training(net->layer, false) == LSTM_OK &&
            lstm_stream_create(&net->stream, net->layer, net->head, 1) == LSTM_OK) ||
           failed();
}

void network_destroy(network *net)
{
    lstm_stream_destroy(&net->stream);
    lstm_params_destroy(&net->params);
    lstm_linear_destroy(&net->head);
    lstm_layer_destroy(&net->layer);
    free(net->values);
    *net = (network){0};
}

/* The tensors of a step of the stream, and a copy of its states. */
typedef struct walk {
    network *net;
    lstm_tensor *x, *y, *h, *c;
} walk;

static bool begin(walk *w, network *net)
{
    const size_t one[] = {1, 1}, states[] = {1, 1, HIDDEN};
    *w = (walk){.net = net};
    return net->constant ||
           (lstm_tensor_create(&w->x, 2, one) == LSTM_OK &&
            lstm_tensor_create(&w->y, 2, one) == LSTM_OK &&
            lstm_tensor_create(&w->h, 3, states) == LSTM_OK &&
            lstm_tensor_create(&w->c, 3, states) == LSTM_OK) ||
           failed();
}

static void end(walk *w)
{
    lstm_tensor_destroy(&w->x);
    lstm_tensor_destroy(&w->y);
    lstm_tensor_destroy(&w->h);
    lstm_tensor_destroy(&w->c);
}

/* Predicts the value after one, whose predecessor is before. */
static bool next(walk *w, double before, double value, double *predicted)
{
    const network *net = w->net;
    double output = 0;
    if (!net->constant) {
        double input = net->differences ? value - before : value;
        lstm_tensor_data(w->x)[0] = (float)((input - net->mean) / net->deviation);
        if (lstm_stream_step(net->stream, w->x, w->y) != LSTM_OK)
            return failed();
        output = (double)lstm_tensor_data(w->y)[0];
    }
    *predicted = output * net->deviation + net->mean + (net->differences ? value : 0);
    return true;
}

/* Predicts the values after the i-th one from their predictions: out [steps]. */
static bool ahead(walk *w, size_t i, size_t steps, double *out)
{
    double before = i > 0 ? w->net->values[i - 1] : w->net->values[i];
    double value = w->net->values[i];
    for (size_t k = 0; k < steps; k++) {
        if (!next(w, before, value, &out[k]))
            return false;
        before = value;
        value = out[k];
    }
    return true;
}

/* The same, and the states of the stream are afterwards as before. */
static bool look_ahead(walk *w, size_t i, size_t steps, double *out)
{
    if (w->net->constant)
        return ahead(w, i, steps, out);
    return (lstm_stream_get_state(w->net->stream, w->h, w->c) == LSTM_OK || failed()) &&
           ahead(w, i, steps, out) &&
           (lstm_stream_set_state(w->net->stream, w->h, w->c) == LSTM_OK || failed());
}

/* Sums of squared errors, their number, for each number of steps ahead. */
typedef struct sums {
    double *squares;
    size_t *counts;
} sums;

static void add_errors(const network *net, sums *all, size_t i, size_t steps,
                       const double *out)
{
    for (size_t k = 0; k < steps && i + 1 + k < net->count; k++) {
        all->squares[k] += pow(net->values[i + 1 + k] - out[k], 2);
        all->counts[k]++;
    }
}

/* Root mean squares that do not fall. Where the values that are held out are too few,
 * errors grow like those of a sum of independent errors. */
static void finish_errors(const sums *all, size_t steps, double *errors)
{
    size_t known = 0;
    for (size_t k = 0; k < steps; k++) {
        if (all->counts[k] >= FEWEST_ERRORS) {
            errors[k] = sqrt(all->squares[k] / (double)all->counts[k]);
            known = k + 1;
        } else {
            errors[k] =
                known ? errors[known - 1] * sqrt((double)(k + 1) / (double)known) : 0;
        }
        if (k > 0 && errors[k] < errors[k - 1])
            errors[k] = errors[k - 1];
    }
}

/* Walks along the values. Before values that are held out it also looks ahead. */
static bool walk_along(walk *w, size_t steps, double *predicted, sums *all)
{
    network *net = w->net;
    size_t held_out = net->count - net->train_count;
    size_t stride = held_out / ORIGINS + 1;
    size_t far = steps < held_out ? steps : held_out;
    double *out = predicted + net->count;
    predicted[0] = net->values[0];
    for (size_t i = 0; i + 1 < net->count; i++) {
        size_t from_first = i + 1 - net->train_count;
        if (i + 1 >= net->train_count && from_first % stride == 0) {
            if (!look_ahead(w, i, far, out))
                return false;
            add_errors(net, all, i, far, out);
        }
        if (!next(w, net->values[i > 0 ? i - 1 : 0], net->values[i], &predicted[i + 1]))
            return false;
    }
    return ahead(w, net->count - 1, steps, out);
}

bool network_predict(network *net, size_t steps, double *predicted, double *errors)
{
    walk w;
    sums all = {calloc(steps, sizeof(*all.squares)),
                calloc(steps, sizeof(*all.counts))};
    bool done = all.squares && all.counts;
    if (!done)
        message_error("no memory");
    done = begin(&w, net) && done && walk_along(&w, steps, predicted, &all);
    if (done)
        finish_errors(&all, steps, errors);
    end(&w);
    free(all.squares);
    free(all.counts);
    return done;
}

bool network_save(const network *net, const char *name, const char *path)
{
    char scale[80];
    const char *pairs[] = {"scale", scale, FORECAST_KEY, name, "model.differences",
                           "1"};
    const lstm_file_options options = {.metadata = pairs,
                                       .metadata_count = net->differences ? 3 : 2};
    if (net->constant)
        return message_error("%s: not saved: the %s are constant, so that nothing was "
                             "learned",
                             path, net->differences ? "differences" : "values");
    snprintf(scale, sizeof(scale), "%.17g %.17g", ldexp(net->mean, net->exponent),
             ldexp(net->deviation, net->exponent));
    return lstm_params_save(net->params, path, &options) == LSTM_OK || failed();
}
