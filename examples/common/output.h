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
    /** Where the content goes; NULL before and after the output. */
    FILE *stream;
    const char *path;
    /** What replaces the file in the end; NULL for devices and pipes, which are written
     *  directly. */
    struct common_replacement *replacement;
} output;

/**
 * Begins to write a file. Until output_commit() an existing file stays as it is. Modes,
 * links and what killed programs left are treated as lstm_params_save() does.
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

/** Whether a file can be written, before long work: begins to write it, and removes
 *  that. False after an error message. */
bool output_check(const char *path);

/** Whether a file is not what standard output goes to, where lines of the program would
 *  be in it. False after an error message; output_open() and output_check() call it. */
bool output_is_apart(const char *path);

/** Whether both paths are one existing file; false if one is NULL. */
bool output_same_file(const char *one, const char *other);

/** Writes what a stream has, and waits until it is on the disk, if it is a file; false
 *  with errno set. */
bool output_sync(FILE *stream);

/** The same for a file that is new, and for its name. */
bool output_sync_new(FILE *stream, const char *path);

#endif
