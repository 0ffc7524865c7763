/* Where a data set comes from: the places of the header, in their order. What was tried
 * in vain is collected for the message. */
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
    /* What was found in the folder that was looked at last. */
    char paths[MNIST_KINDS][PATH_SIZE];
    bool found[MNIST_KINDS];
    char tried[TRIED_SIZE];
} search;

/* Adds to what was tried in vain. */
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

/* A file is there unless the operating system says that it is not: one that may not be
 * looked at is an error later, and not passed over. */
static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Looks for a file under the four names that are in use: with and without .gz, and
 * with a dot in place of the hyphen before idx. */
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

/* Number of the split's files that folder has. */
static int look_in(search *s, const char *folder)
{
    int count = 0;
    for (int kind = 0; kind < MNIST_KINDS; kind++) {
        s->found[kind] = find_file(folder, s->files[kind].name, s->paths[kind]);
        count += s->found[kind];
    }
    return count;
}

/* Exchanges rows and columns of each image, which are equally many in all that need
 * it. */
static mnist_status transpose(mnist_dataset *dataset, const char *path)
{
    size_t side = dataset->rows;
    if (dataset->cols != side)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: images are %zu by %zu, expected square ones", path,
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
        return mnist_fail(MNIST_NOT_FOUND, "%s: no folder with %s data: %s", folder,
                          s->entry->name, strerror(errno));
    const char *name = s->files[s->found[MNIST_IMAGES] ? MNIST_LABELS : 0].name;
    return mnist_fail(MNIST_NOT_FOUND, "%s: has no %s, with or without .gz", folder,
                      name);
}

/* The folder that the caller names: it has the files, or nothing else is tried. */
static mnist_status open_directory(mnist_dataset **out, search *s, const char *folder)
{
    if (look_in(s, folder) < MNIST_KINDS)
        return fail_missing(s, folder);
    return read_found(out, s);
}

/* $MNIST_DIR; *ended tells whether the search ends here, with out or a failure. */
static mnist_status open_environment(mnist_dataset **out, search *s, bool *ended)
{
    const char *folder = getenv("MNIST_DIR");
    if (!s->entry->is_mnist || !folder || !*folder)
        return MNIST_OK;
    int count = look_in(s, folder);
    *ended = count > 0;
    if (count == 0)
        note(s, "not in $MNIST_DIR (%s)", folder);
    if (count == 0)
        return MNIST_OK;
    return count < MNIST_KINDS ? fail_missing(s, folder) : read_found(out, s);
}

/* Writes the cache folder of the data set; false when the environment names none.
 * Relative paths do not count, as the XDG specification demands. */
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

/* Fetches what the cache lacks; *complete tells whether both files are there now. */
static mnist_status fill_cache(search *s, const char *folder, bool *complete)
{
    const mnist_source *source = s->source;
    *complete = false;
    if (!s->entry->mirrors[0])
        note(s, "no download is known");
    else if (source->offline)
        note(s, "no download when offline");
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
    *complete = look_in(s, folder) == MNIST_KINDS;
    return MNIST_OK;
}

/* The cache, filled by a download if need be; as open_environment(). A download that
 * fails is noted and does not end the search: its status comes back. */
static mnist_status open_cache(mnist_dataset **out, search *s, bool *ended)
{
    char folder[PATH_SIZE];
    if (!cache_folder(s, folder)) {
        note(s, "no cache without $HOME or $XDG_CACHE_HOME");
        return MNIST_OK;
    }
    bool complete = look_in(s, folder) == MNIST_KINDS;
    mnist_status status = MNIST_OK;
    if (!complete) {
        note(s, "not in the cache (%s)", folder);
        status = fill_cache(s, folder, &complete);
    }
    *ended = complete;
    return complete ? read_found(out, s) : status;
}

static mnist_status draw(mnist_dataset **out, const search *s)
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
    /* This message stands also when synthetic digits are drawn: it tells why. */
    status = mnist_fail(status == MNIST_NETWORK_ERROR ? status : MNIST_NOT_FOUND,
                        "%s: %s", entry->name, s.tried);
    return synthetic ? draw(out, &s) : status;
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
