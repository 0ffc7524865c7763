/*
 * Data sets in IDX files, plain or in a valid gzip file. What is read has the bytes of
 * the input.
 *
 * Input: a byte of flags, the number of classes, the size of the images as 16 bits,
 * the file of images, the file of labels.
 */
#include <zlib.h>

#include <mnist/mnist.h>

#include "tests/fuzz/memory_file.h"

enum { LABELS = 1, GZIP = 2, PIPE = 4, PIECES = 8, IDX_HEADER = 16, ROOM = 1 << 17 };

/* Compresses data into to, [ROOM]; returns the size. */
static size_t compress_file(const uint8_t *data, size_t size, uint8_t *to)
{
    static z_stream zlib;
    if (!zlib.state)
        FUZZ_CHECK(deflateInit2(&zlib, 1, Z_DEFLATED, 15 + 16, 1, 0) == Z_OK);
    FUZZ_CHECK(deflateReset(&zlib) == Z_OK);
    zlib.next_in = (uint8_t *)(uintptr_t)data;
    zlib.avail_in = (unsigned)size;
    zlib.next_out = to;
    zlib.avail_out = ROOM;
    FUZZ_CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
    return zlib.total_out;
}

/* Whether the header declares much memory, which a pipe may fill and a file may not:
 * such inputs would only take time. */
static bool is_large(fuzz_input images)
{
    uint64_t bytes = 1;
    for (size_t axis = 1; axis < 4 && images.size >= IDX_HEADER; axis++)
        bytes *= (uint64_t)images.data[4 * axis] << 24 |
                 (uint64_t)images.data[4 * axis + 1] << 16 |
                 (uint64_t)images.data[4 * axis + 2] << 8 | images.data[4 * axis + 3];
    return bytes > ROOM;
}

/* The label of an image: a byte, or the first of the big-endian integers of a row. */
static uint32_t label_of(fuzz_input labels, size_t index)
{
    const uint8_t *header = labels.data;
    if (header[2] == 8)
        return header[8 + index];
    size_t rank = header[3], row = 4;
    if (rank == 2)
        row *= (size_t)header[8] << 24 | (size_t)header[9] << 16 |
               (size_t)header[10] << 8 | header[11];
    const uint8_t *at = header + 4 + 4 * rank + index * row;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void check(const mnist_dataset *dataset, fuzz_input images, fuzz_input labels)
{
    size_t count = mnist_dataset_count(dataset);
    size_t pixels = mnist_dataset_rows(dataset) * mnist_dataset_cols(dataset);
    FUZZ_CHECK(count >= 1 && pixels >= 1);
    FUZZ_CHECK(images.size == IDX_HEADER + count * pixels);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(memcmp(mnist_dataset_image(dataset, i),
                          images.data + IDX_HEADER + i * pixels, pixels) == 0);
        if (labels.data)
            FUZZ_CHECK((uint32_t)mnist_dataset_label(dataset, i) ==
                       label_of(labels, i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packed[ROOM];
    fuzz_input input = {data, size}, images, labels = {0};
    unsigned flags = fuzz_byte(&input);
    size_t classes = fuzz_byte(&input);
    size_t length = fuzz_byte(&input) << 8;
    length |= fuzz_byte(&input);
    images = (fuzz_input){input.data, length < input.size ? length : input.size};
    if (flags & LABELS)
        labels = (fuzz_input){input.data + images.size, input.size - images.size};
    fuzz_files_start();
    fuzz_files[0] = (fuzz_file){.data = images.data, .size = images.size};
    fuzz_files[1] = (fuzz_file){.data = labels.data, .size = labels.size};
    if (flags & GZIP) {
        fuzz_files[0].data = packed;
        fuzz_files[0].size = compress_file(images.data, images.size, packed);
    }
    fuzz_files[0].pipe = flags & PIPE && !is_large(images);
    fuzz_files[0].piece = flags & PIECES ? 1 + (flags >> 4) : 0;
    mnist_dataset *dataset;
    mnist_status status =
        mnist_dataset_read(&dataset, "0", flags & LABELS ? "1" : NULL, classes);
    FUZZ_CHECK(!dataset == (status != MNIST_OK));
    if (dataset)
        check(dataset, images, labels);
    else
        fuzz_check_message(mnist_last_error());
    mnist_dataset_destroy(&dataset);
    fuzz_files_end();
    return 0;
}
