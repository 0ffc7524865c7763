#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/wav/wav.h"

enum { CODE_PCM = 1, CODE_FLOAT = 3, FACT = 12, CHUNK = 8 };

static unsigned bytes_of(wav_encoding encoding)
{
    static const unsigned bytes[] = {[WAV_PCM16] = 2,
                                     [WAV_PCM24] = 3,
                                     [WAV_PCM32] = 4,
                                     [WAV_FLOAT32] = 4,
                                     [WAV_FLOAT64] = 8};
    return bytes[encoding];
}

static bool is_float(wav_encoding encoding)
{
    return encoding == WAV_FLOAT32 || encoding == WAV_FLOAT64;
}

/* Writes a number of some bytes, the lowest first. */
static void put(FILE *stream, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        putc((int)(value >> 8 * i & 0xff), stream);
}

static void put_name(FILE *stream, const char *name, uint64_t size)
{
    fputs(name, stream);
    put(stream, size, 4);
}

/* Bytes in front of the samples. A format that is not PCM has the size of an extension,
 * and the number of samples in a chunk "fact". */
static unsigned header_size(wav_encoding encoding)
{
    return is_float(encoding) ? 46 + FACT : 44;
}

static void put_header(FILE *stream, size_t count, uint32_t rate, wav_encoding encoding)
{
    unsigned bytes = bytes_of(encoding);
    uint64_t size = (uint64_t)count * bytes;
    put_name(stream, "RIFF", header_size(encoding) - CHUNK + size + size % 2);
    fputs("WAVE", stream);
    put_name(stream, "fmt ", is_float(encoding) ? 18 : 16);
    put(stream, is_float(encoding) ? CODE_FLOAT : CODE_PCM, 2);
    put(stream, 1, 2);
    put(stream, rate, 4);
    put(stream, (uint64_t)rate * bytes, 4);
    put(stream, bytes, 2);
    put(stream, 8 * bytes, 2);
    if (is_float(encoding)) {
        put(stream, 0, 2);
        put_name(stream, "fact", 4);
        put(stream, count, 4);
    }
    put_name(stream, "data", size);
}

/* The nearest integer of some bits, within their range. */
static uint64_t to_integer(float sample, unsigned bits)
{
    double scale = ldexp(1, (int)bits - 1);
    double value = nearbyint((double)sample * scale);
    return (uint64_t)(int64_t)fmax(fmin(value, scale - 1), -scale);
}

static void put_sample(FILE *stream, float sample, wav_encoding encoding)
{
    uint32_t word;
    uint64_t words;
    double number = (double)sample;
    switch (encoding) {
    case WAV_FLOAT32:
        memcpy(&word, &sample, sizeof(word));
        put(stream, word, 4);
        break;
    case WAV_FLOAT64:
        memcpy(&words, &number, sizeof(words));
        put(stream, words, 8);
        break;
    default:
        put(stream, to_integer(sample, 8 * bytes_of(encoding)), bytes_of(encoding));
    }
}

static wav_report examine(const float *samples, size_t count)
{
    wav_report report = {0};
    for (size_t i = 0; i < count; i++) {
        report.beyond += fabsf(samples[i]) > 1;
        report.peak = fmaxf(report.peak, fabsf(samples[i]));
    }
    return report;
}

bool wav_write(const char *path, const float *samples, size_t count, uint32_t rate,
               wav_encoding encoding, wav_report *report)
{
    output file;
    if (count > (UINT32_MAX - 64) / bytes_of(encoding))
        return message_error("%s: %zu samples of %u bytes are more than 4 GiB, the "
                             "limit of WAV files",
                             path, count, bytes_of(encoding));
    *report = examine(samples, count);
    if (!output_open(&file, path))
        return false;
    put_header(file.stream, count, rate, encoding);
    for (size_t i = 0; i < count && !ferror(file.stream); i++)
        put_sample(file.stream, samples[i], encoding);
    if (count * bytes_of(encoding) % 2)
        putc(0, file.stream);
    return output_commit(&file);
}
