/* The search for a data set, through the sources that mnist_dataset_open() documents.
 * Collects the reason of each failed source for the message. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/common/file.h"
#include "lib/mnist/download.h"
#include "lib/mnist/folder.h"
#include "lib/mnist/read.h"
#include "lib/mnist/source.h"
#include "lib/mnist/status.h"

enum {
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
    /* Files of the last folder searched. */
    mnist_found found;
    /* Downloaded files that could not be saved, or -1. */
    int memory[MNIST_KINDS];
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

/* Reads the files that were found. Those of the cache must be as published. */
static mnist_status read_found(mnist_dataset **out, const search *s, bool published)
{
    const mnist_entry *entry = s->entry;
    const mnist_label_form form = {entry->classes, entry->open, entry->first_label};
    mnist_input inputs[MNIST_KINDS];
    for (int kind = 0; kind < MNIST_KINDS; kind++)
        inputs[kind] = (mnist_input){
            .path = s->found.paths[kind],
            .memory = s->memory[kind] >= 0,
            .file = s->memory[kind],
            .limit = s->source->limit,
            .sha256 = published ? s->files[kind].sha256 : NULL,
            .content_sha256 = published ? s->files[kind].content_sha256 : NULL,
        };
    mnist_status status = mnist_dataset_read_inputs(out, &inputs[MNIST_IMAGES],
                                                    &inputs[MNIST_LABELS], &form);
    if (!status && entry->transposed)
        status = transpose(*out, inputs[MNIST_IMAGES].path);
    if (status)
        mnist_dataset_destroy(out);
    return status;
}

/* Opens the data set in a folder that somebody named, the only source then. */
static mnist_status open_folder(mnist_dataset **out, search *s, const char *folder,
                                const char *why)
{
    mnist_folder_search_all(&s->found, folder, s->entry, s->split);
    if (s->found.count < MNIST_KINDS)
        return mnist_folder_refuse(&s->found, folder, why, s->entry, s->split);
    return read_found(out, s, false);
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
    int size =
        snprintf(folder, MNIST_PATH_SIZE, "%s%s/%s", base, middle, s->entry->name);
    return size > 0 && size < MNIST_PATH_SIZE;
}

/* Downloads the missing files into the cache folder, or into memory if it is NULL or
 * cannot be written. */
static mnist_status download(search *s, const char *folder)
{
    mnist_download_request request = {
        .folder = folder,
        .entry = s->entry,
        .progress = s->source->progress,
        .user = s->source->user,
    };
    mnist_status status = MNIST_OK;
    mnist_download_start(&request, s->source->download_seconds);
    for (int kind = 0; !status && kind < MNIST_KINDS; kind++) {
        if (s->found.has[kind])
            continue;
        request.file = &s->files[kind];
        status = mnist_download(&request, s->found.paths[kind], &s->memory[kind]);
        if (!status && s->memory[kind] >= 0 && folder)
            note(s, "%s", mnist_last_error());
    }
    if (status)
        note(s, "%s", mnist_last_error());
    return status;
}

/* Opens the files of the cache, after a download of missing ones. */
static mnist_status open_cache(mnist_dataset **out, search *s)
{
    char folder[MNIST_PATH_SIZE];
    bool has_folder = cache_folder(s, folder);
    if (has_folder)
        mnist_folder_search(&s->found, folder, s->files);
    if (!has_folder)
        note(s, "no cache: neither $XDG_CACHE_HOME nor $HOME is an absolute path");
    else if (s->found.count < MNIST_KINDS)
        note(s, "not in the cache (%s)", folder);
    if (s->found.count == MNIST_KINDS)
        return read_found(out, s, true);
    if (!s->entry->mirrors[0] || s->source->offline) {
        note(s, s->source->offline ? "download disabled (offline)"
                                   : "no download available");
        return mnist_fail(MNIST_NOT_FOUND, "%s: %s", s->entry->name, s->tried);
    }
    mnist_status status = download(s, has_folder ? folder : NULL);
    return status ? mnist_fail(status, "%s: %s", s->entry->name, s->tried)
                  : read_found(out, s, true);
}

static mnist_status open_synthetic(mnist_dataset **out, const search *s)
{
    bool training = s->split == MNIST_TRAIN;
    size_t count = s->source->synthetic_count;
    if (count == 0)
        count = training ? TRAIN_COUNT : TEST_COUNT;
    return mnist_dataset_synthetic(out, count, training ? TRAIN_SEED : TEST_SEED);
}

/* Whether a failure means that there is neither data nor network. */
static bool nothing_there(mnist_status status)
{
    return status == MNIST_NOT_FOUND || status == MNIST_NETWORK_ERROR ||
           status == MNIST_UNSUPPORTED;
}

static void close_memory(search *s)
{
    for (int kind = 0; kind < MNIST_KINDS; kind++)
        if (s->memory[kind] >= 0)
            close(s->memory[kind]);
}

mnist_status mnist_source_open(mnist_dataset **out, const mnist_entry *entry,
                               const mnist_source *source, mnist_split split)
{
    search s = {
        .entry = entry,
        .files = entry->files[split],
        .source = source,
        .split = split,
        .memory = {COMMON_NO_FILE, COMMON_NO_FILE},
    };
    *out = NULL;
    const char *folder = entry->is_mnist ? getenv("MNIST_DIR") : NULL;
    if (source->directory)
        return open_folder(out, &s, source->directory, "");
    if (folder && *folder)
        return open_folder(out, &s, folder, " (MNIST_DIR)");
    mnist_status status = open_cache(out, &s);
    close_memory(&s);
    /* Callers read this message also after success. */
    if (status == MNIST_OK && s.memory[MNIST_IMAGES] >= 0)
        mnist_fail(status, "%s: %s", entry->name, s.tried);
    bool synthetic = source->synthetic && entry->is_mnist && nothing_there(status);
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
    mnist_status status =
        mnist_check_reserved("dataset", source->reserved,
                             sizeof(source->reserved) / sizeof(*source->reserved));
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
