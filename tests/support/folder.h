/**
 * @file
 * A temporary folder for tests, and files in it.
 */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <dirent.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { TEST_PATH_SIZE = 4096 };

static char test_folder[TEST_PATH_SIZE];

/** Group set-up: creates test_folder. */
static inline int test_folder_create(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(test_folder, sizeof(test_folder), "%s/lstm-test-XXXXXX",
             parent && *parent ? parent : "/tmp");
    return mkdtemp(test_folder) ? 0 : -1;
}

static inline int test_remove(const char *path, const struct stat *facts, int type,
                              struct FTW *position)
{
    (void)facts, (void)type, (void)position;
    return remove(path);
}

/** Group tear-down: removes test_folder and its content. */
static inline int test_folder_remove(void **state)
{
    (void)state;
    return nftw(test_folder, test_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/** Path of a file in test_folder; valid for the next seven calls. */
static inline const char *test_path(const char *name)
{
    static char paths[8][2 * TEST_PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(*paths), "%s/%s", test_folder, name);
    return path;
}

/** Creates a folder in test_folder. */
static inline const char *test_make_folder(const char *name)
{
    const char *path = test_path(name);
    assert_int_equal(mkdir(path, 0777), 0);
    return path;
}

/** Writes a file in test_folder; replaces an existing one. */
static inline const char *test_write_file(const char *name, const void *data,
                                          size_t size)
{
    const char *path = test_path(name);
    /* Some file systems sync a file that is truncated and rewritten. */
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

/** Reads a file in test_folder into data, [room], and returns its size. */
static inline size_t test_read_file(const char *name, void *data, size_t room)
{
    FILE *file = fopen(test_path(name), "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    assert_in_range(size, 0, room - 1);
    return size;
}

/** Number of entries of a folder. */
static inline size_t test_count_files(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

#endif
