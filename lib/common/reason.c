#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/reason.h"
#include "lib/common/replace.h"

/* Whether a path is a symbolic link, and what it leads to, of at most size bytes. */
static bool is_link(const char *path, char *target, size_t size)
{
    ssize_t length = common_file_get_calls()->readlink(path, target, size - 1);
    target[length > 0 ? length : 0] = '\0';
    return length > 0;
}

const char *common_reason(char *text, const char *path, int error)
{
    char target[256];
    if (!*path)
        return "empty file name";
    if (error != ENOENT || !is_link(path, target, sizeof(target)))
        return strerror(error);
    snprintf(text, COMMON_REASON_SIZE, "a symbolic link to '%s', which does not exist",
             target);
    return text;
}

/* Whether the process may not create files in the folder of a path. */
static bool is_closed(const char *path)
{
    char folder[PATH_MAX];
    int size = (int)common_folder_size(path);
    int length =
        snprintf(folder, sizeof(folder), "%.*s", size ? size : 1, size ? path : ".");
    return length > 0 && length < (int)sizeof(folder) &&
           common_file_get_calls()->access(folder, W_OK | X_OK) != 0;
}

/* What the process may not write, as far as that can be seen: the file or its folder.
 */
static const char *permission(char *text, const char *path)
{
    struct stat facts;
    const char *system = strerror(EACCES);
    bool exists = common_file_get_calls()->stat(path, &facts) == 0;
    if (exists && (!(facts.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) ||
                   common_file_get_calls()->access(path, W_OK)))
        snprintf(text, COMMON_REASON_SIZE, "%s: write-protected (mode %03o)", system,
                 (unsigned)facts.st_mode & 0777);
    else
        snprintf(text, COMMON_REASON_SIZE, "%s%s", system,
                 is_closed(path) ? ": no permission to write in its folder" : "");
    return text;
}

const char *common_write_reason(char *text, const char *path, int error)
{
    char target[256];
    if (error == EACCES && *path)
        return permission(text, path);
    if (error != ENOENT || !is_link(path, target, sizeof(target)))
        return common_reason(text, path, error);
    snprintf(text, COMMON_REASON_SIZE,
             "a symbolic link to '%s', whose folder does not exist", target);
    return text;
}
