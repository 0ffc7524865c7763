/**
 * @file
 * Sound files in the WAV format: one channel as float32 samples.
 *
 * The encodings are integers of 16, 24 and 32 bits, whose full scale becomes 1, and
 * floating-point numbers of 32 and 64 bits; samples are rounded to float32. Headers of
 * WAVE_FORMAT_EXTENSIBLE are read, too. Chunks that are not needed are passed over.
 */
#ifndef EXAMPLES_WAV_WAV_H
#define EXAMPLES_WAV_WAV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Largest file in bytes, and the range of sample rates in Hz. */
#define WAV_MOST_BYTES ((size_t)1 << 30)
enum { WAV_LOWEST_RATE = 1, WAV_HIGHEST_RATE = 10000000, WAV_MOST_CHANNELS = 1024 };

/** How a file has its samples. */
typedef enum wav_encoding {
    WAV_PCM16,
    WAV_PCM24,
    WAV_PCM32,
    WAV_FLOAT32,
    WAV_FLOAT64,
} wav_encoding;

/** The names of the encodings, such as "pcm16", ended by NULL. */
extern const char *const wav_encoding_names[];

/** A sound; freed with wav_free(). */
typedef struct wav {
    /** [count] samples of one channel, all finite. */
    float *samples;
    size_t count;
    /** In Hz. */
    uint32_t rate;
    /** Of the file. */
    unsigned channels;
    wav_encoding encoding;
    /** Bytes behind the end that the file states, which were not read. */
    size_t surplus;
} wav;

/**
 * Reads a sound from memory.
 *
 * @param bytes [size] content of the file
 * @param channel which channel of a file of several, from 1; 0: such files are refused
 * @param[out] why [why_size] on failure a message of one line
 * @return false if the file is not such a file, is truncated or damaged, has no
 *         samples, or has one that is not finite as a float32; with nothing to free
 */
bool wav_read(wav *out, const unsigned char *bytes, size_t size, unsigned channel,
              char *why, size_t why_size);

/** Frees the samples; accepts a sound that is all zeros. */
void wav_free(wav *sound);

/** What wav_write() had to tell. */
typedef struct wav_report {
    /** Number of samples beyond full scale; integers are limited to it. */
    size_t beyond;
    /** Largest magnitude of a sample. */
    float peak;
} wav_report;

/**
 * Writes samples as a file of one channel, complete or not at all.
 *
 * @param samples [count] finite
 * @return false after an error message that names the file
 */
bool wav_write(const char *path, const float *samples, size_t count, uint32_t rate,
               wav_encoding encoding, wav_report *report);

#endif
