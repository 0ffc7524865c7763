#include <libdeflate.h>

#include "lib/mnist/inflate.h"

/* A larger file is read in pieces, so that it is not in memory beside its content. */
static const uint64_t largest = 1u << 28;

bool mnist_inflate_takes(uint64_t size)
{
    return size > 0 && size <= largest;
}

bool mnist_inflate(const uint8_t *file, size_t file_size, uint8_t *data, size_t size)
{
    size_t taken = 0;
    struct libdeflate_decompressor *engine = libdeflate_alloc_decompressor();
    if (!engine)
        return false;
    /* Without a pointer for the size of the content it must be size. */
    enum libdeflate_result result = libdeflate_gzip_decompress_ex(
        engine, file, file_size, data, size, &taken, NULL);
    libdeflate_free_decompressor(engine);
    return result == LIBDEFLATE_SUCCESS && taken == file_size;
}
