/**
 * @file
 * Files that are replaced whole or not at all, and files that are read.
 *
 * Content goes to a temporary file in the same folder, is synced, and takes the place
 * of the old file by a rename; then the folder is synced. Whatever fails, and whenever
 * the machine stops, a reader finds the old file or the new one. All calls of the
 * operating system go through a table that tests replace.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/** The calls of the operating system on files; as the POSIX ones they name. */
typedef struct common_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*fstat)(int file, struct stat *facts);
    ssize_t (*read)(int file, void *data, size_t size);
    ssize_t (*write)(int file, const void *data, size_t size);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*stat)(const char *path, struct stat *facts);
} common_file_calls;

/** Replaces the table, for tests; NULL goes back to the operating system's own. */
void common_file_set_calls(const common_file_calls *calls);

/** The table in use, for who reads what is no regular file. */
const common_file_calls *common_file_get_calls(void);

/** A file that is being replaced. Zero it before its first use. */
typedef struct common_replacement {
    char *path;
    char *folder;
    char *temporary;
    int file;
} common_replacement;

/**
 * Starts to replace a file: opens a temporary one beside it.
 *
 * @return 0, or the errno of what failed: EISDIR when a folder is there, EINVAL when it
 *         is a device or anything else but a regular file; then nothing was replaced,
 *         and there is nothing to abandon
 */
int common_replace_begin(common_replacement *replacement, const char *path);

/** Writes all of data; 0 or the errno of what failed. */
int common_replace_write(common_replacement *replacement, const void *data,
                         size_t size);

/**
 * Syncs, renames and syncs the folder. Ends the replacement in any case.
 *
 * @return 0, or the errno of what failed; then the old file is as it was, unless it was
 *         the last sync that failed: then the new one is there and may not last
 */
int common_replace_commit(common_replacement *replacement);

/** Removes the temporary file and ends the replacement; does nothing when there is
 * none. */
void common_replace_abandon(common_replacement *replacement);

/** A file that is being read, and its size when it was opened. */
typedef struct common_input {
    int file;
    size_t size;
} common_input;

/**
 * Opens a regular file to read it.
 *
 * @return 0, or the errno of what failed: EINVAL when it is no regular file, EISDIR
 *         when it is a folder; then there is nothing to close
 */
int common_input_open(common_input *input, const char *path);

/** Reads the next size bytes; 0 or the errno of what failed, ENODATA at an early end.
 */
int common_input_read(common_input *input, void *data, size_t size);

/** Closes a file that was opened. */
void common_input_close(common_input *input);

#endif
