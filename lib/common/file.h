/**
 * @file
 * Files: replaces a file safely, and reads files.
 *
 * A replacement is written to a temporary file in the same folder, synced to disk, and
 * renamed over the old file; then the folder is synced. After any failure, even a crash
 * of the machine, path has either the complete old file or the complete new file. All
 * calls of the operating system go through a table that tests can replace.
 *
 * The new file has the permissions of the old one, and its owner and group where the
 * process may set them. Other properties of the old file, such as access control lists
 * and other hard links to it, stay with the old file: another hard link still leads to
 * the old content. If path is a symbolic link, the file that it leads to is replaced,
 * and the link stays; a link to nothing creates the file.
 *
 * The temporary file is PATH.PID.NUMBER.tmp; of a long name only the beginning and a
 * hash. It is locked with flock() until it is renamed. When a process is killed, its
 * temporary file remains; the next replacement of the same path removes those without a
 * lock. Files that exist already, of whatever kind, are never opened as the temporary
 * file.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <dirent.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/common/names.h"

/** No open file. */
enum { COMMON_NO_FILE = -1 };

/** Calls of the operating system on files, as POSIX defines them. access() checks the
 *  effective user, and dup() sets the flag FD_CLOEXEC. */
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
    ssize_t (*readlink)(const char *path, char *text, size_t size);
    int (*access)(const char *path, int mode);
    int (*fchown)(int file, uid_t owner, gid_t group);
    int (*fchmod)(int file, mode_t mode);
    int (*flock)(int file, int operation);
    int (*dup)(int file);
    DIR *(*opendir)(const char *path);
    struct dirent *(*readdir)(DIR *folder);
    int (*closedir)(DIR *folder);
} common_file_calls;

/** Replaces the table, for tests; NULL restores the calls of the operating system. */
void common_file_set_calls(const common_file_calls *calls);

/** The table in use, for code that reads other files than regular ones. */
const common_file_calls *common_file_get_calls(void);

/** Opens a file that exists; returns COMMON_NO_FILE and sets errno on failure. */
static inline int common_file_open(const char *path, int flags)
{
    return common_file_get_calls()->open(path, flags, 0);
}

/** Only regular files are read and replaced: 0, EISDIR for a folder, EINVAL for a
 * device or another kind of file. */
int common_file_check_kind(mode_t mode);

/** A file that is being replaced. Set it to zero before its first use. */
typedef struct common_replacement {
    /** The file at the end of the links. */
    char *path;
    char *folder;
    char *temporary;
    /** The temporary file, and a second descriptor that keeps its lock. */
    int file, lock;
} common_replacement;

/**
 * Begins to replace a file: removes what killed processes left of earlier replacements,
 * and opens a temporary file in the same folder.
 *
 * @return 0, or an errno: EISDIR when path is a folder, EINVAL when it is a device or
 *         another kind of file that is not regular, EACCES when the process may not
 *         write the file, or nobody may (a mode such as 0444 protects a file from root,
 *         too). After a failure the file is unchanged, and common_replace_abandon() is
 *         not needed.
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

/** Syncs the folder of path, which makes the names in it durable; returns 0 or an
 *  errno. */
int common_folder_sync(const char *path);

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
