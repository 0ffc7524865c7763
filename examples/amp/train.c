#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "examples/amp/loss.h"
#include "examples/amp/segments.h"
#include "examples/amp/train.h"
#include "examples/common/message.h"

/* A training in progress. */
typedef struct training {
    network *net;
    const pair *sounds;
    const amp_options *options;
    segments all;
    /** Sample at which the validation part begins, its length and its warm-up. */
    size_t first, held_out, warm_up;
    /** [warm_up + held_out] */
    float *outputs;
    double best_loss, best_esr;
    uint64_t best_epoch, epoch;
    lstm_plateau plateau;
} training;

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

static double decibel(double ratio)
{
    return 10 * log10(ratio);
}

static bool silent(const float *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] != 0)
            return false;
    return true;
}

static bool prepare(training *t)
{
    const pair *sounds = t->sounds;
    size_t warm_up = (size_t)t->options->warm_up;
    t->held_out = (size_t)((double)sounds->count * t->options->validation);
    t->first = sounds->count - t->held_out;
    t->warm_up = warm_up < t->first ? warm_up : t->first;
    if (silent(sounds->wet + t->first, t->held_out))
        return message_error("the last %zu samples of %s, the validation part, are all "
                             "0, expected a sound; --validation changes it",
                             t->held_out, t->options->second);
    if (silent(sounds->wet, t->first))
        return message_error("the first %zu samples of %s, the training part, are all "
                             "0, expected a sound",
                             t->first, t->options->second);
    t->outputs = calloc(t->warm_up + t->held_out, sizeof(*t->outputs));
    t->best_loss = (double)INFINITY;
    t->plateau = (lstm_plateau){.lr = t->options->lr, .factor = 0.5, .patience = 5};
    if (!t->outputs)
        return message_error("no memory for the training");
    return segments_create(&t->all, t->net, sounds, t->first, t->options);
}

/* Writes an epoch that is better than all before. */
static bool keep(training *t, double loss, double esr)
{
    t->best_loss = loss;
    t->best_esr = esr;
    t->best_epoch = t->epoch;
    return network_write(t->net, t->options);
}

static bool validate(training *t, double learned)
{
    const float *dry = t->sounds->dry + t->first, *wet = t->sounds->wet + t->first;
    double mean;
    if (!network_run(t->net, dry - t->warm_up, t->outputs, t->warm_up + t->held_out))
        return false;
    const float *y = t->outputs + t->warm_up;
    double loss = loss_compute(y, wet, t->held_out, 1, NULL, &mean);
    double esr = loss_esr(y, wet, t->held_out);
    if (!isfinite(loss) || !isfinite(learned))
        return message_error("epoch %" PRIu64 ": the loss is %g, expected a finite "
                             "number: the training has diverged; try a smaller --lr",
                             t->epoch, isfinite(learned) ? loss : learned);
    bool better = loss < t->best_loss;
    message_info("epoch %" PRIu64 ": loss %.5g, validation %.5g, ESR %.5g (%.1f dB)%s",
                 t->epoch, learned, loss, esr, decibel(esr), better ? ", best" : "");
    if (better && !keep(t, loss, esr))
        return false;
    return (lstm_plateau_update(&t->plateau, loss) == LSTM_OK &&
            lstm_adam_set_lr(t->net->adam, t->plateau.lr) == LSTM_OK) ||
           lstm_failed();
}

/* Whether another epoch may be better. */
static bool goes_on(const training *t)
{
    return t->epoch < t->options->epochs &&
           t->epoch - t->best_epoch < t->options->patience;
}

static bool report(const training *t)
{
    const float *dry = t->sounds->dry + t->first, *wet = t->sounds->wet + t->first;
    double volume = loss_esr_of_gain(dry, wet, t->held_out);
    printf("validation ESR %.5g (%.1f dB) in epoch %" PRIu64 " of %" PRIu64
           "; volume alone %.5g\n",
           t->best_esr, decibel(t->best_esr), t->best_epoch, t->epoch, volume);
    if (t->best_esr >= volume)
        message_warning("the model is not better than the dry sound at another volume: "
                        "do %s and %s belong together?",
                        t->options->first, t->options->second);
    return true;
}

static bool run(training *t, lstm_rng *rng)
{
    double loss;
    if (!prepare(t))
        return false;
    message_info("%zu samples at %" PRIu32 " Hz: %zu to learn in %zu batch%s, %zu to "
                 "validate",
                 t->sounds->count, t->sounds->rate, t->first, t->all.batches,
                 t->all.batches == 1 ? "" : "es", t->held_out);
    while (goes_on(t)) {
        t->epoch++;
        if (!segments_epoch(&t->all, rng, &loss) || !validate(t, loss))
            return false;
    }
    return report(t);
}

bool train_run(network *net, const pair *sounds, const amp_options *options,
               lstm_rng *rng)
{
    training t = {.net = net, .sounds = sounds, .options = options};
    bool done = run(&t, rng);
    segments_destroy(&t.all);
    free(t.outputs);
    return done;
}
