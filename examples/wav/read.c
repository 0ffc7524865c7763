/*
 * Reads WAV files.
 *
 * A file is a chunk RIFF whose content is WAVE and chunks: "fmt " describes the
 * samples, "data" has them. A chunk is 4 letters, its size in 4 bytes, and its content,
 * with a byte of padding after an odd size. Numbers are little-endian.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/wav/wav.h"

enum {
    HEADER = 12,
    CHUNK = 8,
    FORMAT = 16,
    EXTENSIBLE_FORMAT = 40,
    CODE_PCM = 1,
    CODE_FLOAT = 3,
    CODE_EXTENSIBLE = 0xfffe
};

/* A size that programs write when they do not know it, as into a pipe. */
static const uint32_t unknown_size = 0xffffffff;

const char *const wav_encoding_names[] = {
    [WAV_PCM16] = "pcm16",     [WAV_PCM24] = "pcm24",     [WAV_PCM32] = "pcm32",
    [WAV_FLOAT32] = "float32", [WAV_FLOAT64] = "float64", NULL};

/* A file that is read, and where its message goes. */
typedef struct source {
    const unsigned char *bytes;
    size_t size;
    char *why;
    size_t why_size;
} source;

typedef struct part {
    const unsigned char *bytes;
    size_t size;
} part;

typedef struct format {
    unsigned code, bits, valid_bits, align;
} format;

__attribute__((format(printf, 2, 3))) static bool refuse(const source *from,
                                                         const char *text, ...)
{
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(from->why, from->why_size, text, arguments);
    va_end(arguments);
    return false;
}

static unsigned read_u16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static uint32_t read_u32(const unsigned char *at)
{
    return read_u16(at) | (uint32_t)read_u16(at + 2) << 16;
}

static uint64_t read_u64(const unsigned char *at)
{
    return read_u32(at) | (uint64_t)read_u32(at + 4) << 32;
}

/* The four letters of a chunk for messages. */
static const char *name_of(const unsigned char *at, char name[5])
{
    for (int i = 0; i < 4; i++)
        name[i] = at[i] >= ' ' && at[i] < 0x7f ? (char)at[i] : '?';
    name[4] = '\0';
    return name;
}

/* Names the kind of a file that does not begin as a WAV file. */
static bool refuse_kind(const source *from)
{
    static const struct {
        const char *mark, *name;
    } kinds[] = {{"RF64", "an RF64 file, a WAV file of more than 4 GiB"},
                 {"BW64", "a BW64 file, a WAV file of more than 4 GiB"},
                 {"riff", "a Wave64 file"},
                 {"RIFX", "a RIFX file, a WAV file with big-endian numbers"},
                 {"FORM", "an AIFF file"},
                 {"fLaC", "a FLAC file"},
                 {"OggS", "an Ogg file"},
                 {"ID3", "an MP3 file"},
                 {"\xff\xfb", "an MP3 file"},
                 {"caff", "a CAF file"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        size_t length = strlen(kinds[i].mark);
        if (from->size >= length && memcmp(from->bytes, kinds[i].mark, length) == 0)
            return refuse(from, "is %s, expected a RIFF WAVE file", kinds[i].name);
    }
    if (from->size == 0)
        return refuse(from, "the file is empty, expected a RIFF WAVE file");
    return refuse(from, "is not a WAV file, which begins with RIFF, a size and WAVE");
}

/* Checks the header; end is where the content ends. */
static bool read_header(const source *from, size_t *end)
{
    if (from->size < HEADER || memcmp(from->bytes, "RIFF", 4) != 0 ||
        memcmp(from->bytes + 8, "WAVE", 4) != 0)
        return refuse_kind(from);
    uint32_t stated = read_u32(from->bytes + 4);
    if (stated == unknown_size)
        return refuse(from, "does not state its size, as programs write into a pipe; "
                            "save it as a file");
    if (stated > from->size - CHUNK)
        return refuse(from,
                      "is truncated: has %zu bytes, but states %llu after its header",
                      from->size, (unsigned long long)stated + CHUNK);
    if (stated < HEADER - CHUNK)
        return refuse(from, "states a size of %lu bytes, expected at least 4%s",
                      (unsigned long)stated,
                      stated > 0 ? ""
                                 : ": 0 is left by a recording that was interrupted, "
                                   "which sox --ignore-length reads and writes anew");
    *end = (size_t)stated + CHUNK;
    return true;
}

/* Keeps a chunk that is needed; there may be one of each. */
static bool keep(const source *from, part *kept, part found, const char *name)
{
    if (kept->bytes)
        return refuse(from, "has more than one chunk '%s', expected one", name);
    *kept = found;
    return true;
}

/* Whether samples follow a chunk of no bytes, and not another chunk: a program that
 * writes the sizes at the end did not come so far. */
static bool is_interrupted(const source *from, size_t at, size_t end)
{
    if (at >= end)
        return false;
    const unsigned char *chunk = from->bytes + at;
    if (end - at < CHUNK || read_u32(chunk + 4) > end - at - CHUNK)
        return true;
    for (int i = 0; i < 4; i++)
        if (chunk[i] < ' ' || chunk[i] > '~')
            return true;
    return false;
}

static bool find_parts(const source *from, size_t end, part *fmt, part *data)
{
    char name[5];
    for (size_t at = HEADER; at < end;) {
        if (end - at < CHUNK)
            return refuse(from,
                          "is damaged: %zu bytes after the last chunk, which are "
                          "none",
                          end - at);
        const unsigned char *chunk = from->bytes + at;
        uint32_t size = read_u32(chunk + 4);
        part found = {chunk + CHUNK, size};
        if (size > end - at - CHUNK)
            return refuse(from,
                          "is truncated: chunk '%s' at byte %zu states %lu bytes, but "
                          "%zu follow",
                          name_of(chunk, name), at, (unsigned long)size,
                          end - at - CHUNK);
        bool kept = memcmp(chunk, "fmt ", 4) == 0   ? keep(from, fmt, found, "fmt ")
                    : memcmp(chunk, "data", 4) == 0 ? keep(from, data, found, "data")
                                                    : true;
        if (!kept)
            return false;
        if (data->bytes == found.bytes && size == 0 &&
            is_interrupted(from, at + CHUNK, end))
            return refuse(from,
                          "chunk 'data' states 0 bytes, but %zu follow, as after a "
                          "recording that was interrupted; sox --ignore-length reads "
                          "them, and writes the file anew",
                          end - at - CHUNK);
        at += CHUNK + size;
        /* Some programs leave the padding out at the end. */
        at += at < end ? size % 2 : 0;
    }
    return true;
}

/* Replaces the code of WAVE_FORMAT_EXTENSIBLE by that of the samples. */
static bool read_extension(const source *from, part fmt, format *f)
{
    static const unsigned char tail[14] = {0, 0, 0,    0, 0x10, 0,    0x80,
                                           0, 0, 0xaa, 0, 0x38, 0x9b, 0x71};
    if (fmt.size < EXTENSIBLE_FORMAT)
        return refuse(from,
                      "chunk 'fmt ' has %zu bytes, expected %d for "
                      "WAVE_FORMAT_EXTENSIBLE",
                      fmt.size, EXTENSIBLE_FORMAT);
    if (memcmp(fmt.bytes + 26, tail, sizeof(tail)) != 0)
        return refuse(from, "has a kind of samples of its own (WAVE_FORMAT_EXTENSIBLE "
                            "with an unknown GUID), expected PCM or floating-point");
    f->valid_bits = read_u16(fmt.bytes + 18);
    f->code = read_u16(fmt.bytes + 24);
    if (f->valid_bits > f->bits)
        return refuse(from, "has %u valid bits in samples of %u bits", f->valid_bits,
                      f->bits);
    return true;
}

static bool choose_encoding(const source *from, const format *f, wav_encoding *encoding)
{
    static const struct {
        unsigned code, bits;
        wav_encoding encoding;
    } known[] = {{CODE_PCM, 16, WAV_PCM16},
                 {CODE_PCM, 24, WAV_PCM24},
                 {CODE_PCM, 32, WAV_PCM32},
                 {CODE_FLOAT, 32, WAV_FLOAT32},
                 {CODE_FLOAT, 64, WAV_FLOAT64}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (f->code == known[i].code && f->bits == known[i].bits) {
            *encoding = known[i].encoding;
            return true;
        }
    if (f->code != CODE_PCM && f->code != CODE_FLOAT)
        return refuse(from,
                      "has samples of format %u, which are compressed, expected 1 "
                      "(PCM) or 3 (floating-point)",
                      f->code);
    return refuse(from, "has %s samples of %u bits, expected %s",
                  f->code == CODE_PCM ? "integer" : "floating-point", f->bits,
                  f->code == CODE_PCM ? "16, 24 or 32" : "32 or 64");
}

static bool read_format(const source *from, part fmt, wav *out, format *f)
{
    if (!fmt.bytes)
        return refuse(from, "has no chunk 'fmt ', which describes the samples");
    if (fmt.size < FORMAT)
        return refuse(from, "chunk 'fmt ' has %zu bytes, expected at least %d",
                      fmt.size, FORMAT);
    *f = (format){.code = read_u16(fmt.bytes), .bits = read_u16(fmt.bytes + 14)};
    f->align = read_u16(fmt.bytes + 12);
    out->channels = read_u16(fmt.bytes + 2);
    out->rate = read_u32(fmt.bytes + 4);
    if (out->channels < 1 || out->channels > WAV_MOST_CHANNELS)
        return refuse(from, "has %u channels, expected 1 to %d", out->channels,
                      WAV_MOST_CHANNELS);
    if (out->rate < WAV_LOWEST_RATE || out->rate > WAV_HIGHEST_RATE)
        return refuse(from, "has a sample rate of %lu Hz, expected %d to %d",
                      (unsigned long)out->rate, WAV_LOWEST_RATE, WAV_HIGHEST_RATE);
    if ((f->code == CODE_EXTENSIBLE && !read_extension(from, fmt, f)) ||
        !choose_encoding(from, f, &out->encoding))
        return false;
    if (f->align == out->channels * (f->bits / 8))
        return true;
    return refuse(from, "has %u bytes for a sample of all channels, expected %u",
                  f->align, out->channels * (f->bits / 8));
}

static bool choose_channel(const source *from, const wav *out, unsigned *channel)
{
    if (out->channels == 1)
        *channel = 1;
    if (*channel == 0)
        return refuse(from,
                      "has %u channels, expected one; --channel 1 selects the "
                      "first (left) one",
                      out->channels);
    return *channel <= out->channels ||
           refuse(from, "has %u channels, but --channel is %u", out->channels,
                  *channel);
}

static double read_sample(const unsigned char *at, wav_encoding encoding)
{
    float single;
    double number;
    uint32_t word;
    uint64_t words;
    switch (encoding) {
    case WAV_PCM16:
        return ldexp((int16_t)read_u16(at), -15);
    case WAV_PCM24:
        word = read_u16(at) | (uint32_t)at[2] << 16;
        return ldexp((int32_t)(word << 8), -31);
    case WAV_PCM32:
        return ldexp((int32_t)read_u32(at), -31);
    case WAV_FLOAT32:
        word = read_u32(at);
        memcpy(&single, &word, sizeof(single));
        return (double)single;
    case WAV_FLOAT64:
        break;
    }
    words = read_u64(at);
    memcpy(&number, &words, sizeof(number));
    return number;
}

static bool read_samples(const source *from, part data, unsigned channel,
                         const format *f, wav *out)
{
    out->count = data.size / f->align;
    if (data.size % f->align != 0)
        return refuse(from,
                      "is truncated: chunk 'data' has %zu bytes, expected a "
                      "multiple of %u",
                      data.size, f->align);
    if (out->count == 0)
        return refuse(from, "has no samples");
    out->samples = malloc(out->count * sizeof(*out->samples));
    if (!out->samples)
        return refuse(from, "no memory for %zu samples", out->count);
    const unsigned char *at = data.bytes + (size_t)(channel - 1) * (f->bits / 8);
    for (size_t i = 0; i < out->count; i++, at += f->align) {
        double value = read_sample(at, out->encoding);
        out->samples[i] = (float)value;
        if (!isfinite(out->samples[i]))
            return refuse(from, "sample %zu is %g, expected a finite float32", i,
                          value);
    }
    return true;
}

static bool read_file(const source *from, unsigned channel, wav *out)
{
    part fmt = {0}, data = {0};
    format f = {0};
    size_t end = 0;
    if (!read_header(from, &end) || !find_parts(from, end, &fmt, &data) ||
        !read_format(from, fmt, out, &f) || !choose_channel(from, out, &channel))
        return false;
    out->surplus = from->size - end;
    if (!data.bytes)
        return refuse(from, "has no chunk 'data', which has the samples");
    return read_samples(from, data, channel, &f, out);
}

bool wav_read(wav *out, const unsigned char *bytes, size_t size, unsigned channel,
              char *why, size_t why_size)
{
    const source from = {bytes, size, why, why_size};
    *out = (wav){0};
    if (read_file(&from, channel, out))
        return true;
    wav_free(out);
    return false;
}

void wav_free(wav *sound)
{
    free(sound->samples);
    *sound = (wav){0};
}
