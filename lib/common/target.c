#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/common/memory.h"
#include "lib/common/replace.h"

/* As many links as Linux follows. */
enum { MAXIMUM_LINKS = 40 };

size_t common_folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

bool common_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

/* The path that a link with this text, in the folder of path, leads to. */
static char *join(const char *path, const char *text, size_t size)
{
    size_t folder = *text == '/' ? 0 : common_folder_size(path);
    char *joined = common_alloc_bytes(folder + size + 1);
    if (joined) {
        memcpy(joined, path, folder);
        memcpy(joined + folder, text, size);
    }
    return joined;
}

/* If *path is a symbolic link, replaces it by what the link leads to. */
static int follow(char **path, bool *is_link)
{
    char text[PATH_MAX];
    ssize_t size = common_file_get_calls()->readlink(*path, text, sizeof(text));
    *is_link = size >= 0;
    if (size < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : errno;
    if ((size_t)size == sizeof(text))
        return ENAMETOOLONG;
    char *next = join(*path, text, (size_t)size);
    if (!next)
        return ENOMEM;
    common_free(*path);
    *path = next;
    return 0;
}

/* Follows a chain of links to its end, which need not exist. */
static int follow_all(char **path)
{
    bool is_link = true;
    for (int i = 0; is_link; i++) {
        int error = i < MAXIMUM_LINKS ? follow(path, &is_link) : ELOOP;
        if (error)
            return error;
    }
    return 0;
}

/* Whether a name can be that of a file: "" and "folder/" cannot. */
static int check_name(const char *path)
{
    if (*path == '\0')
        return ENOENT;
    return path[strlen(path) - 1] == '/' ? EISDIR : 0;
}

/* Describes a file; facts are zero if there is none. */
static int describe(const char *path, struct stat *facts)
{
    if (common_file_get_calls()->stat(path, facts) == 0)
        return 0;
    *facts = (struct stat){0};
    return errno == ENOENT ? 0 : errno;
}

/* A rename would replace a file in spite of its mode, and a device or a pipe as well.
 * Root may write everything, but a file that nobody may write is protected. */
static int check_existing(const char *path, const struct stat *facts)
{
    int error = common_file_check_kind(facts->st_mode);
    if (error)
        return error;
    if (!(facts->st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
        return EACCES;
    return common_file_get_calls()->access(path, W_OK) ? errno : 0;
}

/* Finds the file at the end of the links of *path. The system follows them first: it
 * refuses links that others left in a shared folder, and it knows the files of /proc,
 * whose links have no path. */
static int find(char **path, struct stat *facts)
{
    struct stat first;
    int error = describe(*path, &first);
    if (!error && first.st_mode)
        error = common_file_check_kind(first.st_mode);
    if (!error)
        error = follow_all(path);
    if (!error)
        error = check_name(*path);
    if (!error)
        error = describe(*path, facts);
    if (error)
        return error;
    if (facts->st_mode)
        return check_existing(*path, facts);
    return first.st_mode ? EINVAL : 0;
}

int common_target_find(char **target, const char *path, struct stat *facts)
{
    *target = common_strdup(path);
    int error = *target ? find(target, facts) : ENOMEM;
    if (error) {
        common_free(*target);
        *target = NULL;
    }
    return error;
}
