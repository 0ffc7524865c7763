#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/mnist/idx.h"
#include "lib/mnist/status.h"

enum { UNSIGNED_BYTE = 0x08, INTEGER = 0x0c, WORD = 4 };

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Name of an IDX type; NULL if there is no such type. */
static const char *type_name(unsigned type)
{
    switch (type) {
    case UNSIGNED_BYTE:
        return "bytes";
    case 0x09:
        return "signed bytes";
    case 0x0b:
        return "16-bit integers";
    case INTEGER:
        return "32-bit integers";
    case 0x0d:
        return "float32";
    case 0x0e:
        return "float64";
    default:
        return NULL;
    }
}

/* Names of other formats that are found under the names of IDX files. */
static const char *format_name(const uint8_t *bytes)
{
    static const struct {
        const char *beginning, *name;
    } formats[] = {
        {"PK\3\4", "a ZIP archive"},
        {"\xfd"
         "7zX",
         "an xz file"},
        {"BZh", "a bzip2 file"},
        {"\x89PNG", "a PNG picture"},
        {"\xff\xd8\xff", "a JPEG picture"},
        {"\x93NUM", "a NumPy array"},
        {"vers", "perhaps a Git LFS pointer"},
        {"<!DO", "a web page"},
        {"<htm", "a web page"},
        {"<HTM", "a web page"},
    };
    for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
        if (memcmp(bytes, formats[i].beginning, strlen(formats[i].beginning)) == 0)
            return formats[i].name;
    return NULL;
}

static mnist_status refuse_magic(const mnist_idx *idx, mnist_idx_use use)
{
    static const char *const expected[] = {
        "0x00000803 (IDX of bytes, rank 3)",
        "0x00000801 (IDX of bytes, rank 1) or 0x00000c02 (32-bit integers, rank 2)",
    };
    const uint8_t *header = idx->header;
    const char *type = header[0] || header[1] ? NULL : type_name(header[2]);
    const char *reversed =
        header[2] || header[3] || header[0] > 8 ? NULL : type_name(header[1]);
    const char *other = format_name(header);
    char found[64] = "";
    if (type)
        snprintf(found, sizeof(found), " (IDX of %s, rank %u)", type,
                 (unsigned)header[3]);
    else if (reversed)
        snprintf(found, sizeof(found), " (IDX of %s, little-endian)", reversed);
    else if (other)
        snprintf(found, sizeof(found), " (%s)", other);
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: magic number is 0x%08" PRIx32 "%s, expected %s",
                      idx->input->path, big_endian(header), found, expected[use]);
}

static mnist_status parse_magic(mnist_idx *idx, mnist_idx_use use)
{
    const uint8_t *header = idx->header;
    unsigned type = header[2], rank = header[3];
    bool images = type == UNSIGNED_BYTE && rank == 3;
    bool labels = (type == UNSIGNED_BYTE && rank == 1) ||
                  (type == INTEGER && (rank == 1 || rank == 2));
    if (header[0] || header[1] || !(use == MNIST_IDX_IMAGES ? images : labels))
        return refuse_magic(idx, use);
    idx->rank = rank;
    idx->element = type == INTEGER ? 4 : 1;
    return MNIST_OK;
}

static mnist_status parse_extents(mnist_idx *idx)
{
    const char *path = idx->input->path;
    idx->bytes = idx->element;
    for (unsigned axis = 0; axis < MNIST_IDX_RANK; axis++) {
        uint32_t extent =
            axis < idx->rank ? big_endian(idx->header + (size_t)WORD * (axis + 1)) : 1;
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

static size_t header_size(const mnist_idx *idx)
{
    return (size_t)WORD * (1 + idx->rank);
}

mnist_status mnist_idx_open(mnist_idx *idx, const mnist_input *input, mnist_idx_use use)
{
    size_t least = (size_t)WORD * (use == MNIST_IDX_IMAGES ? 4 : 2);
    *idx = (mnist_idx){.input = input};
    mnist_status status = mnist_stream_open(&idx->stream, input, least);
    if (!status)
        status = mnist_stream_read(idx->stream, idx->header, WORD);
    if (!status)
        status = parse_magic(idx, use);
    if (!status)
        status =
            mnist_stream_read(idx->stream, idx->header + WORD, header_size(idx) - WORD);
    if (!status)
        status = parse_extents(idx);
    if (!status)
        status =
            mnist_stream_expect(idx->stream, header_size(idx) + (uint64_t)idx->bytes);
    return status;
}

/* Checks the sum of the file; if it is another one, for example because the file was
 * decompressed, that of its content. data is NULL if the content is not in memory. */
static mnist_status check_sum(mnist_idx *idx, const uint8_t *data)
{
    const mnist_input *input = idx->input;
    char found[MNIST_SHA256_TEXT], text[MNIST_SHA256_TEXT];
    if (!input->sha256)
        return MNIST_OK;
    mnist_stream_sum(idx->stream, found);
    if (strcmp(found, input->sha256) == 0)
        return MNIST_OK;
    if (input->content_sha256 && data) {
        mnist_sha256 sum;
        mnist_sha256_start(&sum);
        mnist_sha256_add(&sum, idx->header, header_size(idx));
        mnist_sha256_add(&sum, data, idx->bytes);
        mnist_sha256_end(&sum, text);
        if (strcmp(text, input->content_sha256) == 0)
            return MNIST_OK;
    }
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: SHA-256 is %s, expected %s as published; delete it to "
                      "download it again",
                      input->path, found, input->sha256);
}

static mnist_status finish(mnist_idx *idx, const uint8_t *data)
{
    mnist_status status = mnist_stream_finish(idx->stream);
    return status ? status : check_sum(idx, data);
}

mnist_status mnist_idx_read(mnist_idx *idx, uint8_t *data)
{
    mnist_status status = mnist_stream_read_rest(idx->stream, data - header_size(idx));
    return status ? status : finish(idx, data);
}

static mnist_status out_of_range(const mnist_idx *idx, size_t index, int32_t label,
                                 unsigned first)
{
    return mnist_fail(MNIST_BAD_FILE, "%s: label %zu is %" PRId32 ", expected %u to %u",
                      idx->input->path, index, label, first, first + UINT8_MAX);
}

/* Reads the first of the integers of each row. */
static mnist_status read_integers(mnist_idx *idx, unsigned first, uint8_t *data)
{
    uint8_t word[WORD];
    mnist_status status = MNIST_OK;
    for (size_t i = 0; !status && i < idx->extents[0]; i++) {
        int32_t label = 0;
        for (uint32_t col = 0; !status && col < idx->extents[1]; col++) {
            status = mnist_stream_read(idx->stream, word, WORD);
            if (!status && col == 0)
                label = (int32_t)big_endian(word);
        }
        if (!status && (label < (int32_t)first || label > (int32_t)first + UINT8_MAX))
            return out_of_range(idx, i, label, first);
        data[i] = (uint8_t)(label - (int32_t)first);
    }
    return status ? status : finish(idx, NULL);
}

mnist_status mnist_idx_read_labels(mnist_idx *idx, unsigned first, uint8_t *data)
{
    if (idx->element != 1)
        return read_integers(idx, first, data);
    mnist_status status = mnist_idx_read(idx, data);
    for (size_t i = 0; !status && first > 0 && i < idx->bytes; i++) {
        if (data[i] < first)
            return out_of_range(idx, i, data[i], first);
        data[i] = (uint8_t)(data[i] - first);
    }
    return status;
}

void mnist_idx_close(mnist_idx *idx)
{
    mnist_stream_close(&idx->stream);
}
