#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mnist/mnist.h>

#include "examples/pgm.h"
#include "examples/predict/model.h"
#include "examples/predict/picture.h"

const char *const picture_stdin = "-";

enum {
    PIXELS = MODEL_SIDE * MODEL_SIDE,
    /* Largest size of a PGM file. */
    LARGEST_FILE = 1 << 28,
    /* Pixels below 1 / PAPER of the contrast belong to the background. */
    PAPER = 4
};

/* Number of bytes from which the format is detected. */
enum { HEAD = 2 };

/* Reads the rest of a file after its head. Returns NULL with errno set on failure,
 * EFBIG if the file is too large. */
static uint8_t *read_all(FILE *file, const uint8_t *head, size_t *size)
{
    size_t room = 1 << 16;
    uint8_t *bytes = malloc(room);
    if (bytes)
        memcpy(bytes, head, HEAD);
    *size = HEAD;
    while (bytes) {
        *size += fread(bytes + *size, 1, room - *size, file);
        if (*size < room)
            break;
        errno = EFBIG;
        uint8_t *larger = room < LARGEST_FILE ? realloc(bytes, room *= 2) : NULL;
        if (!larger)
            free(bytes);
        bytes = larger;
    }
    if (bytes && ferror(file)) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

/* Brings one picture to the form of MNIST. */
static bool convert(const uint8_t *pixels, size_t rows, size_t cols, uint8_t *out,
                    const char **why)
{
    if (mnist_image_fit(pixels, rows, cols, NULL, out) == MNIST_OK)
        return true;
    *why = mnist_last_error();
    return false;
}

static bool read_idx(pictures *read, const char *path, char *why, size_t why_size)
{
    mnist_dataset *dataset;
    if (mnist_dataset_read(&dataset, path, NULL, 1) != MNIST_OK) {
        snprintf(why, why_size, "%s", mnist_last_error());
        return false;
    }
    size_t count = mnist_dataset_count(dataset);
    size_t rows = mnist_dataset_rows(dataset), cols = mnist_dataset_cols(dataset);
    uint8_t *copy = malloc(rows * cols);
    const char *reason = "no memory for the images";
    read->indexed = true;
    read->images = copy ? calloc(count, PIXELS) : NULL;
    bool done = read->images != NULL;
    for (; done && read->count < count; read->count += done) {
        memcpy(copy, mnist_dataset_image(dataset, read->count), rows * cols);
        done = convert(copy, rows, cols, read->images + read->count * PIXELS, &reason);
    }
    if (!done) {
        snprintf(why, why_size, "%s: image %zu: %s", path, read->count, reason);
        free(read->images);
    }
    free(copy);
    mnist_dataset_destroy(&dataset);
    return done;
}

static bool convert_pgm(pictures *read, const char *name, const uint8_t *bytes,
                        size_t size, char *why, size_t why_size)
{
    pgm picture;
    char detail[256];
    const char *reason = detail;
    bool done = pgm_read(&picture, bytes, size, detail, sizeof(detail));
    if (done) {
        reason = "no memory for the image";
        read->images = malloc(PIXELS);
        done = read->images && convert(picture.pixels, picture.rows, picture.cols,
                                       read->images, &reason);
    }
    if (!done) {
        snprintf(why, why_size, "%s: %s", name, reason);
        free(read->images);
    }
    free(picture.pixels);
    read->count = 1;
    return done;
}

static bool read_pgm(pictures *read, FILE *file, const uint8_t *head, const char *name,
                     char *why, size_t why_size)
{
    size_t size;
    uint8_t *bytes = read_all(file, head, &size);
    if (!bytes) {
        snprintf(why, why_size, "%s: %s", name, strerror(errno));
        return false;
    }
    bool done = convert_pgm(read, name, bytes, size, why, why_size);
    free(bytes);
    return done;
}

/* An IDX file of images begins with 0x00000803, a gzip file with 0x1f8b. */
static bool looks_like_idx(const uint8_t *head)
{
    return (head[0] == 0 && head[1] == 0) || (head[0] == 0x1f && head[1] == 0x8b);
}

static bool looks_like_netpbm(const uint8_t *head)
{
    return head[0] == 'P' && head[1] >= '1' && head[1] <= '7';
}

static bool read_open(pictures *read, FILE *file, const char *path, const char *name,
                      char *why, size_t why_size)
{
    uint8_t head[HEAD];
    errno = 0;
    size_t size = fread(head, 1, HEAD, file);
    if (ferror(file))
        snprintf(why, why_size, "%s: %s", name, strerror(errno));
    else if (size < HEAD)
        snprintf(why, why_size,
                 "%s: has %zu bytes, expected a PGM picture or an IDX file", name,
                 size);
    else if (looks_like_netpbm(head))
        return read_pgm(read, file, head, name, why, why_size);
    else if (looks_like_idx(head) && file != stdin)
        return read_idx(read, path, why, why_size);
    else
        snprintf(why, why_size,
                 "%s: begins with the bytes 0x%02x 0x%02x, expected a PGM picture (P2 "
                 "or P5)%s",
                 name, head[0], head[1], file == stdin ? "" : " or an IDX file");
    return false;
}

bool pictures_read(pictures *read, const char *path, char *why, size_t why_size)
{
    *read = (pictures){0};
    if (strcmp(path, picture_stdin) == 0)
        return read_open(read, stdin, path, "standard input", why, why_size);
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(why, why_size, "%s: %s", path, strerror(errno));
        return false;
    }
    bool done = read_open(read, file, path, path, why, why_size);
    fclose(file);
    return done;
}
