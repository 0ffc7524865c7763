/**
 * @file
 * Files: replaces a file safely, and reads files.
 *
 * A replacement is written to a temporary file in the same folder, synced to disk, and
 * renamed over the old file; then the folder is synced. After any failure, even a crash
 * of the machine, path has either the complete old file or the complete new file. All
 * calls of the operating system go through a table that tests can replace.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/common/names.h"

/** Calls of the operating system on files, as POSIX defines them. */
typedef struct common_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    int (*fstat)(int file, struct stat *facts);
    ssize_t (*read)(int file, void *data, size_t size);
    ssize_t (*pread)(int file, void *data, size_t size, off_t offset);
    ssize_t (*write)(int file, const void *data, size_t size);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*stat)(const char *path, struct stat *facts);
} common_file_calls;

/** Replaces the table, for tests; NULL restores the calls of the operating system. */
void common_file_set_calls(const common_file_calls *calls);

/** The table in use, for code that reads other files than regular ones. */
const common_file_calls *common_file_get_calls(void);

/** A file that is being replaced. Set it to zero before its first use. */
typedef struct common_replacement {
    char *path;
    char *folder;
    char *temporary;
    int file;
} common_replacement;

/**
 * Begins to replace a file: opens a temporary file in the same folder.
 *
 * @return 0, or an errno: EISDIR when path is a folder, EINVAL when it is a device or
 *         another kind of file that is not regular. After a failure nothing has
 *         changed, and common_replace_abandon() is not needed.
 */
int common_replace_begin(common_replacement *replacement, const char *path);

/** Writes all of data; returns 0 or an errno. */
int common_replace_write(common_replacement *replacement, const void *data,
                         size_t size);

/**
 * Syncs the file, renames it, and syncs the folder. Ends the replacement, even on
 * failure.
 *
 * @return 0 or an errno. After a failure the old file is unchanged, except when the
 *         last sync failed: then the new file is in place but may not survive a crash
 *         of the machine.
 */
int common_replace_commit(common_replacement *replacement);

/** Removes the temporary file and ends the replacement; does nothing when there is no
 * replacement. */
void common_replace_abandon(common_replacement *replacement);

/** A file that is being read, and its size when it was opened. */
typedef struct common_input {
    int file;
    size_t size;
} common_input;

/**
 * Opens a regular file for reading.
 *
 * @return 0, or an errno: EISDIR when path is a folder, EINVAL when it is another kind
 *         of file that is not regular. After a failure the input is not open.
 */
int common_input_open(common_input *input, const char *path);

/** Reads size bytes at an offset; returns 0 or an errno, ENODATA if the file ends
 *  before. */
int common_input_read_at(const common_input *input, void *data, size_t size,
                         size_t offset);

/** Closes the file. */
void common_input_close(common_input *input);

#endif
