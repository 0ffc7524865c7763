/**
 * @file
 * The command line of lstm-amp.
 */
#ifndef EXAMPLES_AMP_OPTIONS_H
#define EXAMPLES_AMP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum amp_command { AMP_TRAIN, AMP_PLAY, AMP_EXPORT } amp_command;

/** Formats of models; see export.h. */
typedef enum amp_format {
    AMP_SAFETENSORS,
    AMP_NAM,
    AMP_AIDAX,
    AMP_GUITARML,
} amp_format;

/** The command line. */
typedef struct amp_options {
    amp_command command;
    /** Arguments: DRY and WET, MODEL and IN, or MODEL and NULL; then the files that are
     *  written, [out_count]. */
    const char *first, *second;
    char **outs;
    int out_count;
    uint64_t hidden, epochs, batch, steps, warm_up, patience, seed, threads, channel;
    double lr, validation, tolerance;
    int64_t delay;
    int format, encoding;
    bool format_given, encoding_given, no_skip, force, quiet;
} amp_options;

/** Most epochs and samples of a delay. */
enum { AMP_MOST_EPOCHS = 1000000, AMP_MOST_DELAY = 10000000 };

/**
 * Parses the command line.
 *
 * @return -1 to continue, else the exit status
 */
int amp_options_parse(amp_options *parsed, int argc, char **argv);

/** The format of a file that is written: by its name, else by --format. False after an
 *  error message. */
bool amp_options_format(const amp_options *options, const char *path,
                        amp_format *format);

#endif
