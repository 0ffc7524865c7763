/**
 * @file
 * Parts of the replacement of files, for replace.c: the file that a path leads to, and
 * the names of temporary files.
 */
#ifndef COMMON_REPLACE_H
#define COMMON_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/common/names.h"

/**
 * Finds the file that a path leads to, over symbolic links, and checks that it may be
 * replaced.
 *
 * @param[out] target the path of the file, to be freed with common_free(); NULL on
 *        failure
 * @param path of a file or of a link, which need not exist
 * @param[out] facts of the file; all zero if it does not exist
 * @return 0, or an errno as for common_replace_begin()
 */
int common_target_find(char **target, const char *path, struct stat *facts);

/** Number of bytes of the folder in a path, with the slash; 0 if it has none. */
size_t common_folder_size(const char *path);

/** Longest name of a temporary file without its two numbers. It is short, because some
 *  file systems allow only 143 bytes for a whole name. */
enum { COMMON_STEM_SIZE = 100 };

/**
 * Writes the name by which all temporary files of a file begin: its own name, or the
 * beginning and a hash of a long one.
 *
 * @param[out] stem [COMMON_STEM_SIZE + 1]
 * @param name of the file, without folder
 */
void common_stem_write(char *stem, const char *name);

/** Name of a temporary file, STEM.PID.NUMBER.tmp in the folder of path; NULL without
 *  memory. */
char *common_temporary_name(const char *path, unsigned number);

/** Whether two descriptions are of one file. */
bool common_same_file(const struct stat *one, const struct stat *other);

/** Removes the temporary files of path that no process holds a lock on. Failures are
 *  ignored: what cannot be removed stays, and does not hinder a replacement. */
void common_leftovers_remove(const char *path);

#endif
