#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/common/file.h"
#include "lib/common/reason.h"
#include "lib/mnist/folder.h"
#include "lib/mnist/status.h"

enum {
    /* With and without .gz, with a hyphen and with a dot. */
    VARIANTS = 4,
    /* Names that a message lists, and the longest of them. */
    LISTED = 6,
    NAME_SIZE = 64,
    LIST_SIZE = LISTED * (NAME_SIZE + 2) + 64,
};

static bool exists(const char *path)
{
    struct stat facts;
    if (common_file_get_calls()->stat(path, &facts) == 0)
        return !S_ISDIR(facts.st_mode);
    return errno != ENOENT && errno != ENOTDIR;
}

static bool find_file(const char *folder, const char *name, char *path)
{
    size_t length = strlen(name) - strlen(".gz");
    for (int variant = 0; variant < VARIANTS; variant++) {
        int size = snprintf(path, MNIST_PATH_SIZE, "%s/%.*s%s", folder, (int)length,
                            name, variant % 2 ? ".gz" : "");
        if (size < 0 || size >= MNIST_PATH_SIZE)
            return false;
        char *type = strstr(path + strlen(folder), "-idx");
        if (variant >= 2 && type)
            *type = '.';
        if (exists(path))
            return true;
    }
    return false;
}

void mnist_folder_search(mnist_found *found, const char *folder,
                         const mnist_remote *files)
{
    found->count = 0;
    for (int kind = 0; kind < MNIST_KINDS; kind++) {
        found->has[kind] = find_file(folder, files[kind].name, found->paths[kind]);
        found->count += found->has[kind];
    }
}

void mnist_folder_search_all(mnist_found *found, const char *folder,
                             const mnist_entry *entry, mnist_split split)
{
    static const struct {
        bool of_torchvision;
        const char *name;
    } inner[] = {{false, ""}, {false, "/raw"}, {true, "/raw"}, {false, "/gzip"}};
    found->count = 0;
    found->has[MNIST_IMAGES] = found->has[MNIST_LABELS] = false;
    for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++) {
        char path[MNIST_PATH_SIZE];
        mnist_found here;
        bool named = inner[i].of_torchvision && entry->folder;
        int size = snprintf(path, sizeof(path), "%s%s%s%s", folder, named ? "/" : "",
                            named ? entry->folder : "", inner[i].name);
        if (size < 0 || (size_t)size >= sizeof(path))
            return;
        mnist_folder_search(&here, path, entry->files[split]);
        if (here.count > found->count)
            *found = here;
        if (found->count == MNIST_KINDS)
            return;
    }
}

/* Names in a folder: the first ones in alphabetical order, and how many there are. */
typedef struct listing {
    char names[LISTED][NAME_SIZE];
    size_t count;
} listing;

static void add_name(listing *list, const char *name)
{
    char new[NAME_SIZE], next[NAME_SIZE];
    snprintf(new, sizeof(new), "%.*s", NAME_SIZE - 1, name);
    size_t listed = common_smaller(list->count, LISTED);
    list->count++;
    for (size_t i = 0; i < listed; i++)
        if (strcmp(new, list->names[i]) < 0) {
            memcpy(next, list->names[i], NAME_SIZE);
            memcpy(list->names[i], new, NAME_SIZE);
            memcpy(new, next, NAME_SIZE);
        }
    if (listed < LISTED)
        memcpy(list->names[listed], new, NAME_SIZE);
}

/* Writes what a folder has, as the rest of a sentence. */
static void describe(const char *folder, char *text)
{
    listing list = {.count = 0};
    DIR *open = opendir(folder);
    size_t used = 0;
    for (const struct dirent *entry; open && (entry = readdir(open));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            add_name(&list, entry->d_name);
    if (!open)
        snprintf(text, LIST_SIZE, "it cannot be listed: %s", strerror(errno));
    else if (list.count == 0)
        snprintf(text, LIST_SIZE, "it is empty");
    else
        used = (size_t)snprintf(text, LIST_SIZE, "it has ");
    if (open)
        closedir(open);
    for (size_t i = 0; i < list.count && i < LISTED; i++)
        used += (size_t)snprintf(text + used, LIST_SIZE - used, "%s%s", i ? ", " : "",
                                 list.names[i]);
    if (list.count > LISTED)
        snprintf(text + used, LIST_SIZE - used, " and %zu more", list.count - LISTED);
}

/* The name of a data set whose files the folder has; NULL if there is none. */
static const char *name_of_files(const char *folder, mnist_split split)
{
    const mnist_entry *entry;
    for (size_t i = 0; (entry = mnist_catalogue_at(i)); i++) {
        mnist_found found;
        mnist_folder_search_all(&found, folder, entry, split);
        if (found.count == MNIST_KINDS)
            return entry->name;
    }
    return NULL;
}

/* Length of a name without .gz. */
static int stem(const mnist_remote *file)
{
    return (int)(strlen(file->name) - strlen(".gz"));
}

mnist_status mnist_folder_refuse(const mnist_found *found, const char *folder,
                                 const char *why, const mnist_entry *entry,
                                 mnist_split split)
{
    char has[LIST_SIZE], text[COMMON_REASON_SIZE];
    struct stat facts;
    const mnist_remote *files = entry->files[split];
    if (common_file_get_calls()->stat(folder, &facts))
        return mnist_fail(MNIST_NOT_FOUND, "%s%s: cannot access the %s folder: %s",
                          folder, why, entry->name, common_reason(text, folder, errno));
    if (!S_ISDIR(facts.st_mode))
        return mnist_fail(MNIST_NOT_FOUND,
                          "%s%s: is not a folder, expected one with the files of %s",
                          folder, why, entry->name);
    if (found->count == 1) {
        int missing = found->has[MNIST_IMAGES] ? MNIST_LABELS : MNIST_IMAGES;
        return mnist_fail(MNIST_NOT_FOUND, "%s%s: %.*s[.gz] not found beside %s",
                          folder, why, stem(&files[missing]), files[missing].name,
                          found->paths[1 - missing]);
    }
    const char *other = name_of_files(folder, split);
    describe(folder, has);
    return mnist_fail(
        MNIST_NOT_FOUND,
        "%s%s: %.*s[.gz] and %.*s[.gz] of %s not found in it, in raw%s%s%s; %s%s%s",
        folder, why, stem(&files[0]), files[0].name, stem(&files[1]), files[1].name,
        entry->name, entry->folder ? " or " : "", entry->folder ? entry->folder : "",
        entry->folder ? "/raw" : "", has, other ? "; these are files of " : "",
        other ? other : "");
}
