/*
 * lstm-amp: learns the sound of a guitar amplifier or pedal from a pair of recordings,
 * plays sounds through models, and writes models for other programs.
 *
 * pair.c reads the recordings, segments.c and train.c learn, saved.c reads models and
 * play.c runs them. export.c writes the formats of other programs.
 */
#include <stdlib.h>

#include "examples/amp/pair.h"
#include "examples/amp/play.h"
#include "examples/amp/saved.h"
#include "examples/amp/train.h"
#include "examples/common/message.h"

static bool train_on(const pair *sounds, const amp_options *options)
{
    network net = {0};
    lstm_rng *rng;
    if (lstm_rng_create(&rng, options->seed) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    bool done = network_create(&net, options, sounds->rate, rng) &&
                network_may_write(&net, options) &&
                train_run(&net, sounds, options, rng);
    network_destroy(&net);
    lstm_rng_destroy(&rng);
    return done;
}

static bool train(const amp_options *options)
{
    pair sounds;
    if (!pair_read(&sounds, options))
        return false;
    bool done = train_on(&sounds, options);
    pair_free(&sounds);
    return done;
}

int main(int argc, char **argv)
{
    amp_options options;
    message_set_program("lstm-amp");
    int status = amp_options_parse(&options, argc, argv);
    if (status >= 0)
        return status;
    message_set_quiet(options.quiet);
    bool done = lstm_set_threads((size_t)options.threads) == LSTM_OK ||
                message_error("%s", lstm_last_error());
    done = done && (options.command == AMP_TRAIN  ? train(&options)
                    : options.command == AMP_PLAY ? play_run(&options)
                                                  : saved_export(&options));
    return message_finish(done ? EXIT_SUCCESS : EXIT_FAILURE);
}
