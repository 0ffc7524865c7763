#include <math.h>
#include <stdio.h>

#include "examples/amp/files.h"
#include "examples/amp/pair.h"
#include "examples/amp/play.h"
#include "examples/amp/saved.h"
#include "examples/common/message.h"
#include "examples/wav/wav.h"

/* Replaces the samples by the outputs of the model. */
static bool run(model *m, wav *sound, const char *path)
{
    for (size_t i = 0; i < sound->count; i++) {
        if (!model_set_input(m, 0, (double)sound->samples[i]))
            return message_error("%s: sample %zu is %g, which the gain of the model "
                                 "makes too large",
                                 path, i, (double)sound->samples[i]);
        if (!model_step(m))
            return false;
        sound->samples[i] = (float)m->values[0];
        if (!isfinite(sound->samples[i]))
            return message_error("%s: output %zu of the model is %g, expected a finite "
                                 "float32",
                                 path, i, m->values[0]);
    }
    return true;
}

static bool check_rate(const saved *s, const wav *sound, const amp_options *options)
{
    if (s->rate == 0)
        message_warning("%s: does not tell its sample rate, so it is not known whether "
                        "it is that of %s, %lu Hz",
                        options->first, options->second, (unsigned long)sound->rate);
    return s->rate == 0 || s->rate == sound->rate ||
           message_error("%s has %lu Hz, expected %g Hz, the sample rate of %s",
                         options->second, (unsigned long)sound->rate, s->rate,
                         options->first);
}

/* Tells samples that are beyond full scale. */
static void tell_clipping(const wav_report *report, wav_encoding encoding,
                          const char *path)
{
    if (!report->beyond)
        return;
    if (encoding < WAV_FLOAT32)
        message_warning(
            "%s: %zu samples were beyond full scale and are clipped; the "
            "largest is %.3g times full scale; --encoding float32 keeps them",
            path, report->beyond, (double)report->peak);
    else
        message_warning(
            "%s: %zu samples are beyond full scale, the largest %.3g times; "
            "players clip them",
            path, report->beyond, (double)report->peak);
}

static bool play(saved *s, wav *sound, const amp_options *options)
{
    wav_report report;
    wav_encoding encoding =
        options->encoding_given ? (wav_encoding)options->encoding : sound->encoding;
    const char *path = options->outs[0];
    if (!check_rate(s, sound, options) || !run(&s->model, sound, options->second) ||
        !wav_write(path, sound->samples, sound->count, sound->rate, encoding, &report))
        return false;
    tell_clipping(&report, encoding, path);
    printf("%zu samples at %lu Hz, %s, peak %.4g\n", sound->count,
           (unsigned long)sound->rate, wav_encoding_names[encoding],
           (double)report.peak);
    return true;
}

bool play_run(const amp_options *options)
{
    saved s = {0};
    wav sound = {0};
    bool done = files_may_replace(options->outs[0], options) &&
                saved_load(&s, options->first) &&
                pair_read_sound(&sound, options->second, (unsigned)options->channel) &&
                play(&s, &sound, options);
    wav_free(&sound);
    saved_destroy(&s);
    return done;
}
