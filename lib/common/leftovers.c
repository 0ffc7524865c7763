/*
 * Temporary files and their names. The process that writes a temporary file holds a
 * lock on it until it is renamed; the system releases the lock when the process ends,
 * however it ends. A file without a lock is therefore what a killed process left. The
 * number of the process is not used for this: it may belong to another process by now,
 * or to a process of another machine or container.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "lib/common/file.h"
#include "lib/common/hash.h"
#include "lib/common/memory.h"
#include "lib/common/platform.h"
#include "lib/common/replace.h"

void common_stem_write(char *stem, const char *name)
{
    enum { HASH_SIZE = 17 };
    size_t size = strlen(name);
    if (size <= COMMON_STEM_SIZE) {
        memcpy(stem, name, size + 1);
        return;
    }
    /* A character of UTF-8 is not divided. */
    size = COMMON_STEM_SIZE - HASH_SIZE;
    while (size > 0 && ((unsigned char)name[size] & 0xc0) == 0x80)
        size--;
    memcpy(stem, name, size);
    uint64_t hash = common_hash(COMMON_HASH_START, name, strlen(name));
    snprintf(stem + size, HASH_SIZE + 1, "~%016" PRIx64, hash);
}

char *common_temporary_name(const char *path, unsigned number)
{
    enum { NUMBERS_SIZE = 48 };
    char stem[COMMON_STEM_SIZE + 1];
    size_t folder = common_folder_size(path);
    size_t size = folder + COMMON_STEM_SIZE + NUMBERS_SIZE;
    char *name = common_alloc_bytes(size);
    if (!name)
        return NULL;
    common_stem_write(stem, path + folder);
    memcpy(name, path, folder);
    snprintf(name + folder, size - folder, "%s.%ld.%u.tmp", stem,
             common_platform_process(), number);
    return name;
}

/* Skips a dot and digits; NULL if there are none. */
static const char *skip_number(const char *text)
{
    size_t digits = text && *text == '.' ? strspn(text + 1, "0123456789") : 0;
    return digits ? text + 1 + digits : NULL;
}

/* Whether a name is STEM.PID.NUMBER.tmp. */
static bool is_temporary(const char *name, const char *stem)
{
    size_t size = strlen(stem);
    if (strncmp(name, stem, size) != 0)
        return false;
    const char *end = skip_number(skip_number(name + size));
    return end && strcmp(end, ".tmp") == 0;
}

/* Removes a temporary file if no process holds a lock on it. The file may be renamed
 * or removed before the lock is taken: then the name is of another file, or of none. */
static void remove_unlocked(const char *path)
{
    const common_file_calls *calls = common_file_get_calls();
    struct stat facts, named;
    int file = common_file_open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC |
                                          O_NOCTTY);
    if (file < 0)
        return;
    if (calls->fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) &&
        calls->flock(file, LOCK_EX | LOCK_NB) == 0 && calls->stat(path, &named) == 0 &&
        common_same_file(&facts, &named))
        calls->unlink(path);
    calls->close(file);
}

/* The path of a name in the folder that has the first bytes of path; NULL without
 * memory. */
static char *beside(const char *path, size_t folder, const char *name)
{
    size_t size = strlen(name) + 1;
    char *joined = common_alloc_bytes(folder + size);
    if (joined) {
        memcpy(joined, path, folder);
        memcpy(joined + folder, name, size);
    }
    return joined;
}

void common_leftovers_remove(const char *path)
{
    const common_file_calls *calls = common_file_get_calls();
    char stem[COMMON_STEM_SIZE + 1];
    size_t size = common_folder_size(path);
    char *folder = beside(path, size, size ? "" : ".");
    DIR *entries = folder ? calls->opendir(folder) : NULL;
    common_free(folder);
    if (!entries)
        return;
    common_stem_write(stem, path + size);
    for (struct dirent *entry; (entry = calls->readdir(entries));) {
        char *name = is_temporary(entry->d_name, stem)
                         ? beside(path, size, entry->d_name)
                         : NULL;
        if (name)
            remove_unlocked(name);
        common_free(name);
    }
    calls->closedir(entries);
}
