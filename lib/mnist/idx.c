#include <inttypes.h>

#include "lib/common/memory.h"
#include "lib/mnist/idx.h"
#include "lib/mnist/status.h"

enum { UNSIGNED_BYTE = 0x08, WORD = 4 };

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

static mnist_status parse(mnist_idx *idx, const char *path, const uint8_t *header,
                          unsigned rank)
{
    uint32_t magic = big_endian(header), expected = UNSIGNED_BYTE << 8 | rank;
    if (magic != expected)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: magic number is 0x%08" PRIx32 ", expected 0x%08" PRIx32
                          " (IDX of bytes, rank %u)",
                          path, magic, expected, rank);
    idx->bytes = 1;
    for (unsigned axis = 0; axis < rank; axis++) {
        uint32_t extent = big_endian(header + WORD * (axis + 1));
        idx->extents[axis] = extent;
        if (extent == 0)
            return mnist_fail(MNIST_BAD_FILE,
                              "%s: extent of axis %u is 0, expected at least 1", path,
                              axis);
        if (!common_multiply(idx->bytes, extent, &idx->bytes) ||
            idx->bytes > PTRDIFF_MAX)
            return mnist_fail(MNIST_BAD_FILE,
                              "%s: extent of axis %u is %" PRIu32
                              ", expected a product of extents below 2^%zu",
                              path, axis, extent, sizeof(size_t) * 8 - 1);
    }
    return MNIST_OK;
}

mnist_status mnist_idx_open(mnist_idx *idx, const char *path, unsigned rank)
{
    uint8_t header[WORD * (MNIST_IDX_MAX_RANK + 1)];
    size_t size = (size_t)WORD * (rank + 1);
    *idx = (mnist_idx){0};
    mnist_status status = mnist_stream_open(&idx->stream, path, size);
    if (!status)
        status = mnist_stream_read(idx->stream, header, size);
    if (!status)
        status = parse(idx, path, header, rank);
    if (!status)
        status = mnist_stream_expect(idx->stream, size + (uint64_t)idx->bytes);
    return status;
}

mnist_status mnist_idx_read(mnist_idx *idx, uint8_t *data)
{
    mnist_status status = mnist_stream_read(idx->stream, data, idx->bytes);
    return status ? status : mnist_stream_finish(idx->stream);
}

void mnist_idx_close(mnist_idx *idx)
{
    mnist_stream_close(&idx->stream);
}
