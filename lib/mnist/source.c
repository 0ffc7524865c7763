/* The search for a data set, through the sources that mnist_dataset_open() documents.
 * Collects the reason of each failed source for the message. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mnist/dataset.h"
#include "lib/mnist/download.h"
#include "lib/mnist/source.h"
#include "lib/mnist/status.h"

enum {
    PATH_SIZE = 4096,
    TRIED_SIZE = 960,
    TRAIN_COUNT = 60000,
    TEST_COUNT = 10000,
    TRAIN_SEED = 1,
    TEST_SEED = 2,
};

typedef struct search {
    const mnist_entry *entry;
    const mnist_remote *files;
    const mnist_source *source;
    mnist_split split;
    /* Files found in the last folder searched. */
    char paths[MNIST_KINDS][PATH_SIZE];
    bool found[MNIST_KINDS];
    /* Reasons of failed sources, separated by "; ". */
    char tried[TRIED_SIZE];
} search;

/* Records why a source failed. */
static void note(search *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(search *s, const char *format, ...)
{
    size_t used = strlen(s->tried);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0)
        used += (size_t)snprintf(s->tried + used, TRIED_SIZE - used, "; ");
    if (used < TRIED_SIZE)
        vsnprintf(s->tried + used, TRIED_SIZE - used, format, arguments);
    va_end(arguments);
}

/* Whether a file exists. A file without access permission counts as existing, so that
 * opening it later reports the error. */
static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Searches for a file under its four usual names: with and without .gz, and with a
 * hyphen or a dot before idx. */
static bool find_file(const char *folder, const char *name, char *path)
{
    size_t length = strlen(name) - strlen(".gz");
    for (int variant = 0; variant < 4; variant++) {
        int size = snprintf(path, PATH_SIZE, "%s/%.*s%s", folder, (int)length, name,
                            variant % 2 ? ".gz" : "");
        if (size < 0 || size >= PATH_SIZE)
            return false;
        char *type = strstr(path + strlen(folder), "-idx");
        if (variant >= 2 && type)
            *type = '.';
        if (exists(path))
            return true;
    }
    return false;
}

/* Searches a folder for the files of the split; returns how many it has. */
static int search_folder(search *s, const char *folder)
{
    int count = 0;
    for (int kind = 0; kind < MNIST_KINDS; kind++) {
        s->found[kind] = find_file(folder, s->files[kind].name, s->paths[kind]);
        count += s->found[kind];
    }
    return count;
}

/* Transposes each image. Only square images are supported; EMNIST has no others. */
static mnist_status transpose(mnist_dataset *dataset, const char *path)
{
    size_t side = dataset->rows;
    if (dataset->cols != side)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: images are %zu by %zu, expected square images", path,
                          dataset->rows, dataset->cols);
    for (size_t i = 0; i < dataset->count; i++) {
        uint8_t *image = dataset->images + i * side * side;
        for (size_t row = 0; row < side; row++)
            for (size_t col = 0; col < row; col++) {
                uint8_t pixel = image[row * side + col];
                image[row * side + col] = image[col * side + row];
                image[col * side + row] = pixel;
            }
    }
    return MNIST_OK;
}

static mnist_status read_found(mnist_dataset **out, const search *s)
{
    const char *images = s->paths[MNIST_IMAGES];
    mnist_status status =
        mnist_dataset_read(out, images, s->paths[MNIST_LABELS], s->entry->classes);
    if (!status && s->entry->transposed)
        status = transpose(*out, images);
    if (status)
        mnist_dataset_destroy(out);
    return status;
}

static mnist_status fail_missing(const search *s, const char *folder)
{
    if (access(folder, F_OK))
        return mnist_fail(MNIST_NOT_FOUND, "%s: cannot access the %s folder: %s",
                          folder, s->entry->name, strerror(errno));
    int missing = s->found[MNIST_IMAGES] ? MNIST_LABELS : MNIST_IMAGES;
    const char *name = s->files[missing].name;
    return mnist_fail(MNIST_NOT_FOUND, "%s: %.*s[.gz] not found", folder,
                      (int)(strlen(name) - strlen(".gz")), name);
}

/* Opens the data set in the folder that the caller names, the only source then. */
static mnist_status open_directory(mnist_dataset **out, search *s, const char *folder)
{
    if (search_folder(s, folder) < MNIST_KINDS)
        return fail_missing(s, folder);
    return read_found(out, s);
}

/* Tries $MNIST_DIR. Sets *ended if the search ends here, with a data set or an error.
 */
static mnist_status open_environment(mnist_dataset **out, search *s, bool *ended)
{
    const char *folder = getenv("MNIST_DIR");
    if (!s->entry->is_mnist || !folder || !*folder)
        return MNIST_OK;
    int count = search_folder(s, folder);
    *ended = count > 0;
    if (count == 0)
        note(s, "not in $MNIST_DIR (%s)", folder);
    if (count == 0)
        return MNIST_OK;
    return count < MNIST_KINDS ? fail_missing(s, folder) : read_found(out, s);
}

/* Writes the path of the cache folder; false if the environment does not define one.
 * The XDG specification requires that relative paths are ignored. */
static bool cache_folder(const search *s, char *folder)
{
    const char *base = getenv("XDG_CACHE_HOME"), *middle = "";
    if (!base || *base != '/') {
        base = getenv("HOME");
        middle = "/.cache";
    }
    if (!base || *base != '/')
        return false;
    int size = snprintf(folder, PATH_SIZE, "%s%s/%s", base, middle, s->entry->name);
    return size > 0 && size < PATH_SIZE;
}

/* Downloads the files that the cache lacks. Sets *complete if both files exist then. */
static mnist_status fill_cache(search *s, const char *folder, bool *complete)
{
    const mnist_source *source = s->source;
    *complete = false;
    if (!s->entry->mirrors[0])
        note(s, "no download available");
    else if (source->offline)
        note(s, "download disabled (offline)");
    if (!s->entry->mirrors[0] || source->offline)
        return MNIST_OK;
    for (int kind = 0; kind < MNIST_KINDS; kind++) {
        if (s->found[kind])
            continue;
        mnist_status status = mnist_download(folder, s->entry, &s->files[kind],
                                             source->progress, source->user);
        if (status)
            note(s, "%s", mnist_last_error());
        if (status)
            return status;
    }
    *complete = search_folder(s, folder) == MNIST_KINDS;
    return MNIST_OK;
}

/* Tries the cache and downloads missing files; *ended as in open_environment(). A
 * failed download is recorded, its status is returned, and the search goes on. */
static mnist_status open_cache(mnist_dataset **out, search *s, bool *ended)
{
    char folder[PATH_SIZE];
    if (!cache_folder(s, folder)) {
        note(s,
             "no cache folder: neither $XDG_CACHE_HOME nor $HOME is an absolute path");
        return MNIST_OK;
    }
    bool complete = search_folder(s, folder) == MNIST_KINDS;
    mnist_status status = MNIST_OK;
    if (!complete) {
        note(s, "not in the cache (%s)", folder);
        status = fill_cache(s, folder, &complete);
    }
    *ended = complete;
    return complete ? read_found(out, s) : status;
}

static mnist_status open_synthetic(mnist_dataset **out, const search *s)
{
    bool training = s->split == MNIST_TRAIN;
    size_t count = s->source->synthetic_count;
    if (count == 0)
        count = training ? TRAIN_COUNT : TEST_COUNT;
    return mnist_dataset_synthetic(out, count, training ? TRAIN_SEED : TEST_SEED);
}

mnist_status mnist_source_open(mnist_dataset **out, const mnist_entry *entry,
                               const mnist_source *source, mnist_split split)
{
    search s = {
        .entry = entry, .files = entry->files[split], .source = source, .split = split};
    *out = NULL;
    if (source->directory)
        return open_directory(out, &s, source->directory);
    bool ended = false;
    mnist_status status = open_environment(out, &s, &ended);
    if (!ended)
        status = open_cache(out, &s, &ended);
    if (ended || status == MNIST_OUT_OF_MEMORY)
        return status;
    bool synthetic = entry->is_mnist && !source->no_synthetic;
    /* Callers read this message after a fallback to synthetic digits, too. */
    status = mnist_fail(status == MNIST_NETWORK_ERROR ? status : MNIST_NOT_FOUND,
                        "%s: %s", entry->name, s.tried);
    return synthetic ? open_synthetic(out, &s) : status;
}

mnist_status mnist_dataset_open(mnist_dataset **out, const mnist_source *source,
                                mnist_split split)
{
    static const mnist_source defaults = {0};
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: out is NULL");
    *out = NULL;
    source = source ? source : &defaults;
    mnist_status status = mnist_check_reserved("dataset", source->reserved);
    if (status)
        return status;
    if (split != MNIST_TRAIN && split != MNIST_TEST)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: split is %d, expected 0 (train) or 1 (test)",
                          (int)split);
    const char *name = source->name ? source->name : "mnist";
    const mnist_entry *entry = mnist_catalogue_find(name);
    if (!entry)
        return mnist_fail(MNIST_INVALID_ARGUMENT,
                          "dataset: name is \"%s\", expected one of %s", name,
                          mnist_catalogue_names());
    return mnist_source_open(out, entry, source, split);
}
