#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "examples/amp/delay.h"
#include "examples/amp/pair.h"
#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/wav/wav.h"

/* Fewer samples teach nothing. */
enum { LEAST = 1000 };

bool pair_read_sound(wav *sound, const char *path, unsigned channel)
{
    input content;
    char why[600];
    if (!input_read(&content, path, WAV_MOST_BYTES))
        return false;
    bool done = wav_read(sound, content.bytes, content.size, channel, why, sizeof(why));
    input_free(&content);
    if (!done)
        return message_error("%s: %s", path, why);
    if (sound->surplus)
        message_warning("%s: %zu bytes after the end that the file states are not read",
                        path, sound->surplus);
    if (sound->channels > 1)
        message_info("%s: channel %u of %u", path, channel, sound->channels);
    return true;
}

/* Warns of a recording that was too loud, or that has numbers of another scale. */
static void check_level(const wav *sound, const char *path)
{
    const float full = 0.9999f, too_large = 10;
    const size_t several = 10;
    float peak = 0;
    size_t count = 0;
    for (size_t i = 0; i < sound->count; i++) {
        float level = fabsf(sound->samples[i]);
        peak = fmaxf(peak, level);
        count += i > 0 && level >= full && sound->samples[i] == sound->samples[i - 1];
    }
    if (peak > too_large)
        message_warning(
            "%s: the largest sample is %g times full scale: are the numbers "
            "those of integers?",
            path, (double)peak);
    if (count >= several)
        message_warning("%s: %zu samples stay at full scale: the recording may be "
                        "clipped",
                        path, count);
}

static bool check_silence(const float *samples, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i] != 0)
            return true;
    return message_error("%s: all samples are 0, expected a sound", path);
}

/* Compares the lengths of the whole files. */
static bool check_lengths(const wav *dry, const wav *wet, const amp_options *options)
{
    size_t difference =
        dry->count > wet->count ? dry->count - wet->count : wet->count - dry->count;
    double seconds = (double)difference / dry->rate;
    if (seconds > options->tolerance)
        return message_error("%s has %zu samples and %s has %zu: they differ by %g s, "
                             "expected at most %g s, --tolerance",
                             options->first, dry->count, options->second, wet->count,
                             seconds, options->tolerance);
    if (difference)
        message_info("the lengths differ by %zu samples; the end of the longer one is "
                     "not used",
                     difference);
    return true;
}

/* Keeps what belongs together. */
static bool align(pair *out, const wav *dry, const wav *wet, const amp_options *options)
{
    size_t late = options->delay > 0 ? (size_t)options->delay : 0;
    size_t early = options->delay < 0 ? (size_t)-options->delay : 0;
    size_t dry_left = dry->count > early ? dry->count - early : 0;
    size_t wet_left = wet->count > late ? wet->count - late : 0;
    *out = (pair){.dry = dry->samples + early,
                  .wet = wet->samples + late,
                  .count = dry_left < wet_left ? dry_left : wet_left,
                  .rate = dry->rate,
                  .dry_all = dry->samples,
                  .wet_all = wet->samples};
    return out->count >= LEAST ||
           message_error("%s and %s have %zu samples that belong together, expected at "
                         "least %d",
                         options->first, options->second, out->count, LEAST);
}

/* Tells a delay that is more than that of the filters of a device. */
static void tell_delay(const pair *sounds, const amp_options *options)
{
    const uint32_t per_second = 20, told_per_second = 1000;
    int64_t found =
        delay_find(sounds->dry, sounds->wet, sounds->count, sounds->rate / per_second);
    double milliseconds = 1000.0 * (double)found / sounds->rate;
    if (llabs(found) > sounds->rate / told_per_second)
        message_warning("%s seems to be %" PRId64
                        " samples (%.1f ms) %s, which is hard "
                        "to learn; --delay %" PRId64 " cuts it off",
                        options->second, (int64_t)llabs(found), fabs(milliseconds),
                        found > 0 ? "late" : "early", options->delay + found);
    else
        message_info("delay: %" PRId64 " samples (%.2f ms)", found, milliseconds);
}

static bool check_pair(pair *out, const wav *dry, const wav *wet,
                       const amp_options *options)
{
    if (dry->rate != wet->rate)
        return message_error(
            "%s has %lu Hz and %s has %lu Hz, expected one sample rate", options->first,
            (unsigned long)dry->rate, options->second, (unsigned long)wet->rate);
    if (!check_lengths(dry, wet, options) || !align(out, dry, wet, options) ||
        !check_silence(out->dry, out->count, options->first) ||
        !check_silence(out->wet, out->count, options->second))
        return false;
    check_level(dry, options->first);
    check_level(wet, options->second);
    tell_delay(out, options);
    return true;
}

bool pair_read(pair *out, const amp_options *options)
{
    wav dry, wet;
    unsigned channel = (unsigned)options->channel;
    if (!pair_read_sound(&dry, options->first, channel))
        return false;
    if (!pair_read_sound(&wet, options->second, channel)) {
        wav_free(&dry);
        return false;
    }
    if (check_pair(out, &dry, &wet, options))
        return true;
    wav_free(&dry);
    wav_free(&wet);
    return false;
}

void pair_free(pair *sounds)
{
    free(sounds->dry_all);
    free(sounds->wet_all);
    *sounds = (pair){0};
}
