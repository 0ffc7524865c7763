/*
 * Sound files. What is accepted is within the limits, and is read the same way again;
 * what is refused has a message of one line.
 *
 * Input: a byte of flags, then the file.
 */
#include <math.h>

#include "examples/wav/wav.h"
#include "tests/fuzz/fuzz.h"

enum {
    /* Which channel. */
    CHANNEL = 3,
    /* The header states the size of the file. */
    MEND = 4,
    RIFF = 8,
    ROOM = 1024
};

static void mend_size(uint8_t *file, size_t size)
{
    if (size >= RIFF)
        for (int i = 0; i < 4; i++)
            file[4 + i] = (uint8_t)((size - RIFF) >> 8 * i);
}

static void check(const wav *one, const wav *other, size_t size)
{
    FUZZ_CHECK(one->count >= 1 && one->count <= size / 2 && one->surplus < size);
    FUZZ_CHECK(one->rate >= WAV_LOWEST_RATE && one->rate <= WAV_HIGHEST_RATE);
    FUZZ_CHECK(one->channels >= 1 && one->channels <= WAV_MOST_CHANNELS);
    FUZZ_CHECK(other->count == one->count && other->rate == one->rate);
    FUZZ_CHECK(
        memcmp(one->samples, other->samples, one->count * sizeof(*one->samples)) == 0);
    for (size_t i = 0; i < one->count; i++) {
        FUZZ_CHECK(isfinite(one->samples[i]));
        FUZZ_CHECK(one->encoding >= WAV_FLOAT32 || fabsf(one->samples[i]) <= 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    unsigned flags = fuzz_byte(&input);
    uint8_t *file = malloc(input.size ? input.size : 1);
    char why[ROOM] = "", again[ROOM] = "";
    wav one, other;
    FUZZ_CHECK(file);
    if (input.size)
        memcpy(file, input.data, input.size);
    if (flags & MEND)
        mend_size(file, input.size);
    bool done = wav_read(&one, file, input.size, flags & CHANNEL, why, sizeof(why));
    FUZZ_CHECK(done == wav_read(&other, file, input.size, flags & CHANNEL, again,
                                sizeof(again)));
    if (done) {
        check(&one, &other, input.size);
    } else {
        FUZZ_CHECK(!one.samples && !other.samples && strcmp(why, again) == 0);
        fuzz_check_message(why);
    }
    wav_free(&one);
    wav_free(&other);
    free(file);
    return 0;
}
