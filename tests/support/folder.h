/**
 * @file
 * A temporary folder for tests, and files in it.
 */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { TEST_PATH_SIZE = 4096 };

/** The folder, one for all files of a program. Empty unless it exists. */
extern char test_folder[TEST_PATH_SIZE];

/** Group set-up: creates test_folder. */
int test_folder_create(void **state);

/** Group tear-down: removes test_folder and its content. */
int test_folder_remove(void **state);

/** Path of a file in test_folder; valid for the next seven calls. Fails without a
 * folder. */
const char *test_path(const char *name);

/** Creates a folder in test_folder. */
const char *test_make_folder(const char *name);

/** Writes a file in test_folder; replaces an existing one. */
const char *test_write_file(const char *name, const void *data, size_t size);

/** Reads a file in test_folder into data, [room], and returns its size. */
size_t test_read_file(const char *name, void *data, size_t room);

/** Number of entries of a folder. */
size_t test_count_files(const char *path);

#endif
