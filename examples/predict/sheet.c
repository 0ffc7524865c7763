#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/predict/doubt.h"
#include "examples/predict/labels.h"
#include "examples/predict/sheet.h"

enum {
    /* Largest file of a picture. */
    LARGEST_FILE = 1 << 28,
    /* Labels of IDX files are bytes. */
    MOST_CLASSES = 256
};

/* Copies a message of libmnist, which names a temporary file by its own path. */
static bool explain(const char *own, const char *shown, char *why, size_t size)
{
    char text[2048];
    message_with_limit(mnist_last_error(), text, sizeof(text));
    const char *at = strstr(text, own);
    if (at)
        snprintf(why, size, "%.*s%s%s", (int)(at - text), text, shown,
                 at + strlen(own));
    else
        snprintf(why, size, "%s", text);
    return false;
}

/* IDX files of bytes begin with 0, 0, 8 and the rank, 1 to 4; gzip files with 0x1f8b.
 */
static bool is_idx(const unsigned char *head, size_t size)
{
    return (size >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 8 &&
            head[2] <= 14 && head[3] >= 1 && head[3] <= 4) ||
           (size >= 2 && head[0] == 0x1f && head[1] == 0x8b);
}

/* Whether a path is a regular file that looks like an IDX file. Other files, such as
 * pipes, can be read only once. */
static bool begins_as_idx(const char *path)
{
    unsigned char head[4];
    struct stat facts;
    if (strcmp(path, INPUT_STDIN) == 0 || stat(path, &facts) || !S_ISREG(facts.st_mode))
        return false;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(head, 1, sizeof(head), file) : 0;
    if (file)
        fclose(file);
    return is_idx(head, size);
}

/* Reads labels only if they are given or found. Those that are found and damaged do not
 * stop the images. */
static bool read_dataset(sheet *s, const char *path, const predict_options *options,
                         char *why, size_t size)
{
    const char *given = options->labels;
    char *found = NULL;
    if (!given && !labels_find(path, &found)) {
        snprintf(why, size, "%s: no memory to look for labels", input_name(s->path));
        return false;
    }
    const char *labels = given ? given : found;
    mnist_status status = mnist_dataset_read_limited(&s->dataset, path, labels,
                                                     MOST_CLASSES, options->limit);
    s->has_labels = status == MNIST_OK && labels;
    if (status != MNIST_OK && found) {
        char reason[2048];
        message_with_limit(mnist_last_error(), reason, sizeof(reason));
        status = mnist_dataset_read_limited(&s->dataset, path, NULL, MOST_CLASSES,
                                            options->limit);
        if (status == MNIST_OK)
            message_warning("%s: not used: %s", found, reason);
    } else if (found) {
        message_info("%s: labels from %s", s->path, found);
    }
    free(found);
    return status == MNIST_OK || explain(path, input_name(s->path), why, size);
}

/* Writes what was read from a pipe to a temporary file, whose path libmnist reads. */
static bool read_copy(sheet *s, const input *content, const predict_options *options,
                      char *why, size_t size)
{
    char path[32];
    FILE *copy = tmpfile();
    bool done = copy &&
                fwrite(content->bytes, 1, content->size, copy) == content->size &&
                fflush(copy) == 0;
    if (done) {
        snprintf(path, sizeof(path), "/dev/fd/%d", fileno(copy));
        done = read_dataset(s, path, options, why, size);
    } else {
        snprintf(why, size, "%s: temporary copy: %s", input_name(s->path),
                 message_errno());
    }
    if (copy)
        fclose(copy);
    return done;
}

static bool read_picture(sheet *s, const input *content, char *why, size_t size)
{
    char reason[2048];
    const char *path = strcmp(s->path, INPUT_STDIN) == 0 ? NULL : s->path;
    if (picture_read(&s->page, content->bytes, content->size, path, reason,
                     sizeof(reason)))
        return true;
    snprintf(why, size, "%s: %s", input_name(s->path), reason);
    return false;
}

static bool read_content(sheet *s, const predict_options *options, char *why,
                         size_t size)
{
    input content;
    if (begins_as_idx(s->path))
        return read_dataset(s, s->path, options, why, size);
    if (!input_try(&content, s->path, LARGEST_FILE, why, size))
        return false;
    bool done = is_idx(content.bytes, content.size)
                    ? read_copy(s, &content, options, why, size)
                    : read_picture(s, &content, why, size);
    input_free(&content);
    return done;
}

/* What the options say about IDX files. */
static bool prepare_dataset(sheet *s, const predict_options *options, char *why,
                            size_t size)
{
    if (options->digits) {
        snprintf(why, size, "%s: is an IDX file, expected a picture for --digits",
                 input_name(s->path));
        return false;
    }
    if (!options->paper)
        s->config.paper = mnist_dataset_paper(s->dataset);
    if (options->transpose)
        s->transposed =
            malloc(mnist_dataset_rows(s->dataset) * mnist_dataset_cols(s->dataset));
    if (s->transposed || !options->transpose)
        return true;
    snprintf(why, size, "%s: no memory for an image", input_name(s->path));
    return false;
}

bool sheet_open(sheet *s, const char *path, const predict_options *options, char *why,
                size_t size)
{
    *s = (sheet){.path = path, .config = {.paper = (mnist_paper)options->paper}};
    if (!read_content(s, options, why, size))
        return false;
    if (s->dataset)
        return prepare_dataset(s, options, why, size);
    if (!options->labels && !options->transpose)
        return true;
    snprintf(why, size, "%s: is a picture, expected an IDX file for --%s",
             input_name(path), options->labels ? "labels" : "transpose");
    return false;
}

void sheet_close(sheet *s)
{
    mnist_dataset_destroy(&s->dataset);
    picture_free(&s->page);
    free(s->transposed);
    s->transposed = NULL;
}

size_t sheet_count(const sheet *s)
{
    return s->dataset ? mnist_dataset_count(s->dataset) : 1;
}

int sheet_label(const sheet *s, size_t index)
{
    return s->has_labels ? mnist_dataset_label(s->dataset, index) : -1;
}

/* An image of the IDX file; swaps its axes if wanted. */
static picture image_of(sheet *s, size_t index)
{
    const uint8_t *from = mnist_dataset_image(s->dataset, index);
    size_t rows = mnist_dataset_rows(s->dataset), cols = mnist_dataset_cols(s->dataset);
    if (!s->transposed)
        return (picture){(uint8_t *)(uintptr_t)from, rows, cols};
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++)
            s->transposed[col * rows + row] = from[row * cols + col];
    return (picture){s->transposed, cols, rows};
}

static bool explain_fit(mnist_status status, char *why, size_t size)
{
    snprintf(why, size, "%s%s", mnist_last_error(),
             status == MNIST_SEVERAL_DIGITS ? "; --digits reads them all" : "");
    return false;
}

/* Reads a picture, and finds where its digit is. Of MNIST's size it may have MNIST's
 * form, which only mnist_image_fit() keeps. */
static mnist_status fit_page(const sheet *s, uint8_t *out, mnist_box *box)
{
    size_t count;
    const picture *p = &s->page;
    if (p->rows == MODEL_SIDE && p->cols == MODEL_SIDE)
        return mnist_image_fit(p->pixels, p->rows, p->cols, &s->config, out);
    mnist_status status = mnist_image_fit_digits(p->pixels, p->rows, p->cols,
                                                 &s->config, 1, out, box, &count);
    return status == MNIST_OK && count > 1
               ? mnist_image_fit(p->pixels, p->rows, p->cols, &s->config, out)
               : status;
}

bool sheet_read(sheet *s, size_t index, uint8_t *out, bool *cut, char *why, size_t size)
{
    mnist_status status;
    mnist_box box = {0};
    *cut = false;
    if (s->dataset) {
        picture from = image_of(s, index);
        status = mnist_image_fit(from.pixels, from.rows, from.cols, &s->config, out);
    } else {
        status = fit_page(s, out, &box);
        *cut = status == MNIST_OK && box.rows > 0 && sheet_cuts(s, &box);
    }
    return status == MNIST_OK || explain_fit(status, why, size);
}

bool sheet_cuts(const sheet *s, const mnist_box *box)
{
    return doubt_is_cut(box, s->page.rows, s->page.cols);
}

bool sheet_read_digits(sheet *s, size_t capacity, uint8_t *out, mnist_box *boxes,
                       size_t *count, char *why, size_t size)
{
    mnist_status status =
        mnist_image_fit_digits(s->page.pixels, s->page.rows, s->page.cols, &s->config,
                               capacity, out, boxes, count);
    if (status != MNIST_OK)
        return explain_fit(status, why, size);
    if (*count <= capacity)
        return true;
    snprintf(why, size, "has %zu digits, the limit is %zu", *count, capacity);
    return false;
}
