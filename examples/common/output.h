/**
 * @file
 * Files that programs write: complete or not at all.
 */
#ifndef EXAMPLES_COMMON_OUTPUT_H
#define EXAMPLES_COMMON_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/** A file that is being written. */
typedef struct output {
    /** Where the content goes; NULL if there is no output. */
    FILE *stream;
    const char *path;
    /** The file itself, if path is a symbolic link; else NULL. */
    char *target;
    /** Name until the file is complete; NULL for devices and pipes, which are written
     *  directly. */
    char *temporary;
} output;

/**
 * Begins to write a file. Until output_commit() an existing file stays as it is. The
 * new one has its mode. A file that is not writable is refused, a symbolic link is
 * followed.
 *
 * @param path stays valid until the end of the output
 * @return false after an error message, with nothing to free
 */
bool output_open(output *file, const char *path);

/** Completes the file: syncs it and replaces an existing one. Ends the output, on
 * failure too. False after an error message. */
bool output_commit(output *file);

/** Removes what was written and ends the output. */
void output_abandon(output *file);

#endif
