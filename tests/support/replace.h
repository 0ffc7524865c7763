/**
 * @file
 * Replacing files, for the tests of lib/common/file.h.
 */
#ifndef TESTS_SUPPORT_REPLACE_H
#define TESTS_SUPPORT_REPLACE_H

#include "tests/support/common.h"
#include "tests/support/folder.h"

static const char old_text[] = "the old file", new_text[] = "the new file, longer";

/** Writes the old text to a file in test_folder. The path stays valid. */
static inline const char *old_file(void)
{
    static char path[2 * TEST_PATH_SIZE];
    snprintf(path, sizeof(path), "%s",
             test_write_file("file", old_text, sizeof(old_text)));
    return path;
}

/** Whether a file has exactly this text. */
static inline bool holds(const char *path, const char *text, size_t size)
{
    char found[64] = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t count = fread(found, 1, sizeof(found), file);
    fclose(file);
    return count == size && memcmp(found, text, size) == 0;
}

/** Replaces a file by the new text, in two writes. */
static inline int replace(const char *path)
{
    common_replacement replacement = {0};
    int error = common_replace_begin(&replacement, path);
    if (error)
        return error;
    error = common_replace_write(&replacement, new_text, 10);
    if (!error)
        error =
            common_replace_write(&replacement, new_text + 10, sizeof(new_text) - 10);
    if (!error)
        return common_replace_commit(&replacement);
    common_replace_abandon(&replacement);
    return error;
}

#endif
