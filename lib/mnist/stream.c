#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "lib/common/extremes.h"
#include "lib/common/file.h"
#include "lib/common/memory.h"
#include "lib/common/reason.h"
#include "lib/mnist/inflate.h"
#include "lib/mnist/status.h"
#include "lib/mnist/stream.h"

enum {
    BUFFER = 1 << 16,
    /* Bytes kept before the buffer: the end of its previous content, from which error
     * messages read the gzip trailer. */
    HISTORY = 8,
    /* zlib's windowBits: the largest window, 15, and gzip format, 16. */
    GZIP_WINDOW = 15 + 16,
    GZIP_FIRST = 0x1f,
    GZIP_SECOND = 0x8b,
    /* Deflate needs at least 2 bits for 258 bytes, so no file expands further. */
    DEFLATE_RATIO = 1032,
    /* Largest ratio and size of a gzip file, and of what is not a regular file, without
     * a limit of the caller. MNIST has the ratio 5. What is at most SMALL bytes harms
     * nobody, such as labels that are all equal. */
    USUAL_RATIO = 100,
    USUAL_SIZE = 1 << 30,
    SMALL = 1 << 16,
};

/* Largest output of one call of zlib, whose counts are unsigned int. */
static const size_t chunk_limit = 1u << 18;

struct mnist_stream {
    const mnist_input *input;
    const char *path;
    int file;
    mnist_sha256 sum;
    /* Bytes of the file on disk; 0 if it is not a regular file. */
    uint64_t size;
    bool regular;
    bool gzip;
    /* At the end of a gzip member, before the next one. */
    bool between;
    /* Bytes read from the file. */
    uint64_t taken;
    /* Decompressed bytes read so far, and the total expected. */
    uint64_t done;
    uint64_t expected;
    /* next_in and avail_in hold the unconsumed input, of plain files too. */
    z_stream zlib;
    bool zlib_ready;
    /* The whole file, if it is in memory. */
    uint8_t *file_bytes;
    uint8_t buffer[HISTORY + BUFFER];
};

static void *zlib_alloc(void *user, unsigned count, unsigned size)
{
    (void)user;
    return common_alloc(count, size);
}

static void zlib_free(void *user, void *memory)
{
    (void)user;
    common_free(memory);
}

/* Reads up to size bytes into the buffer; *count is 0 at the end of the file. */
static mnist_status read_bytes(mnist_stream *stream, uint8_t *data, size_t size,
                               size_t *count)
{
    ssize_t done;
    do {
        done = common_file_get_calls()->read(stream->file, data, size);
    } while (done < 0 && errno == EINTR);
    *count = done < 0 ? 0 : (size_t)done;
    if (done < 0)
        return mnist_fail(MNIST_IO_ERROR, "%s: cannot be read: %s", stream->path,
                          strerror(errno));
    stream->taken += *count;
    if (stream->input->sha256)
        mnist_sha256_add(&stream->sum, data, *count);
    return MNIST_OK;
}

/* Reads more input if none is left; avail_in stays 0 at the end of the file. */
static mnist_status refill(mnist_stream *stream)
{
    z_stream *zlib = &stream->zlib;
    if (zlib->avail_in > 0)
        return MNIST_OK;
    memmove(stream->buffer, zlib->next_in - HISTORY, HISTORY);
    zlib->next_in = stream->buffer + HISTORY;
    size_t count;
    mnist_status status = read_bytes(stream, stream->buffer + HISTORY, BUFFER, &count);
    zlib->avail_in = (unsigned)count;
    return status;
}

static mnist_status open_file(mnist_stream *stream)
{
    struct stat facts;
    char text[COMMON_REASON_SIZE];
    const common_file_calls *calls = common_file_get_calls();
    stream->file = stream->input->memory
                       ? stream->input->file
                       : common_file_open(stream->path, O_RDONLY | O_CLOEXEC);
    if (stream->file < 0 || calls->fstat(stream->file, &facts))
        return mnist_fail(MNIST_IO_ERROR, "%s: cannot be opened: %s", stream->path,
                          common_reason(text, stream->path, errno));
    if (S_ISDIR(facts.st_mode))
        return mnist_fail(MNIST_IO_ERROR, "%s: is a directory, expected a file",
                          stream->path);
    stream->regular = S_ISREG(facts.st_mode);
    stream->size = stream->regular ? (uint64_t)facts.st_size : 0;
    return MNIST_OK;
}

/* Reads the first two bytes, which a pipe may return one by one, and initialises zlib
 * if they are the magic number of gzip. */
static mnist_status detect_gzip(mnist_stream *stream)
{
    z_stream *zlib = &stream->zlib;
    zlib->next_in = stream->buffer + HISTORY;
    mnist_status status = refill(stream);
    if (status || zlib->avail_in == 0 || zlib->next_in[0] != GZIP_FIRST)
        return status;
    while (zlib->avail_in < 2) {
        size_t count;
        status = read_bytes(stream, stream->buffer + HISTORY + 1, 1, &count);
        if (status || count == 0)
            return status;
        zlib->avail_in++;
    }
    stream->gzip = zlib->next_in[1] == GZIP_SECOND;
    if (!stream->gzip)
        return MNIST_OK;
    zlib->zalloc = zlib_alloc;
    zlib->zfree = zlib_free;
    stream->zlib_ready = inflateInit2(zlib, GZIP_WINDOW) == Z_OK;
    return stream->zlib_ready
               ? MNIST_OK
               : mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to decompress it",
                            stream->path);
}

mnist_status mnist_stream_open(mnist_stream **out, const mnist_input *input,
                               uint64_t expected)
{
    *out = NULL;
    mnist_stream *stream = common_alloc_bytes(sizeof(*stream));
    if (!stream)
        return mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to read it", input->path);
    stream->input = input;
    stream->path = input->path;
    stream->file = COMMON_NO_FILE;
    mnist_sha256_start(&stream->sum);
    stream->expected = expected;
    mnist_status status = open_file(stream);
    if (!status)
        status = detect_gzip(stream);
    if (status)
        mnist_stream_close(&stream);
    *out = stream;
    return status;
}

/* Fails if total bytes are more than the limit of the caller or the usual one. */
static mnist_status check_size(const mnist_stream *stream, uint64_t total)
{
    uint64_t given = stream->input->limit, most = given ? given : USUAL_SIZE;
    if ((stream->regular && !stream->gzip) || total <= most)
        return MNIST_OK;
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: header declares %" PRIu64 " bytes, expected at most %" PRIu64
                      "%s",
                      stream->path, total, most, given ? "" : "; limit can allow more");
}

/* Fails if a gzip file of size bytes becomes too many times as large. */
static mnist_status check_ratio(const mnist_stream *stream, uint64_t total,
                                uint64_t size)
{
    bool usual = stream->input->limit == 0 && total > SMALL;
    uint64_t ratio = usual ? USUAL_RATIO : DEFLATE_RATIO;
    if (!stream->gzip || total / ratio <= size)
        return MNIST_OK;
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: becomes %" PRIu64 " bytes, expected at most %" PRIu64
                      " times the %" PRIu64 " of the gzip file%s",
                      stream->path, total, ratio, size,
                      usual ? "; limit can allow more" : "");
}

mnist_status mnist_stream_expect(mnist_stream *stream, uint64_t expected)
{
    stream->expected = expected;
    if (stream->regular && !stream->gzip && expected != stream->size)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: has %" PRIu64 " bytes, expected %" PRIu64
                          " according to its header",
                          stream->path, stream->size, expected);
    mnist_status status = check_size(stream, expected);
    return status || !stream->regular ? status
                                      : check_ratio(stream, expected, stream->size);
}

static mnist_status too_short(const mnist_stream *stream)
{
    return mnist_fail(
        MNIST_BAD_FILE, "%s: %sends after %" PRIu64 " bytes, expected %" PRIu64,
        stream->path, stream->gzip ? "gzip data " : "", stream->done, stream->expected);
}

/* Reads up to size bytes of a plain file; *count is below size only at its end. */
static mnist_status read_plain(mnist_stream *stream, uint8_t *data, size_t size,
                               size_t *count)
{
    z_stream *zlib = &stream->zlib;
    mnist_status status = MNIST_OK;
    *count = 0;
    while (*count < size && !(status = refill(stream)) && zlib->avail_in > 0) {
        size_t left = size - *count;
        size_t bytes = common_smaller(left, zlib->avail_in);
        memcpy(data + *count, zlib->next_in, bytes);
        zlib->next_in += bytes;
        zlib->avail_in -= (unsigned)bytes;
        *count += bytes;
    }
    return status;
}

static uint32_t little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[1] << 8 | bytes[0];
}

/* Reports damaged gzip data. After a failed check, next_in is just past the four bytes
 * of the trailer that did not match. */
static mnist_status damaged(const mnist_stream *stream, int code)
{
    const z_stream *zlib = &stream->zlib;
    const char *reason = zlib->msg ? zlib->msg : "unknown reason";
    if (code == Z_MEM_ERROR)
        return mnist_fail(MNIST_OUT_OF_MEMORY, "%s: no memory to decompress it",
                          stream->path);
    if (strcmp(reason, "incorrect data check") == 0)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: gzip checksum is 0x%08lx, expected 0x%08" PRIx32,
                          stream->path, zlib->adler, little_endian(zlib->next_in - 4));
    if (strcmp(reason, "incorrect length check") == 0)
        return mnist_fail(MNIST_BAD_FILE, "%s: gzip length is %lu, expected %" PRIu32,
                          stream->path, zlib->total_out,
                          little_endian(zlib->next_in - 4));
    return mnist_fail(MNIST_BAD_FILE,
                      "%s: gzip data is damaged after %" PRIu64
                      " bytes, expected %" PRIu64 ": %s",
                      stream->path, stream->done, stream->expected, reason);
}

/* Starts the next member of a gzip file, which may have several. */
static mnist_status next_member(mnist_stream *stream)
{
    z_stream *zlib = &stream->zlib;
    if (zlib->next_in[0] != GZIP_FIRST)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: gzip data is followed by byte 0x%02x, expected end of "
                          "file",
                          stream->path, (unsigned)zlib->next_in[0]);
    inflateReset(zlib);
    stream->between = false;
    return MNIST_OK;
}

/* Decompresses available input into at most size bytes; sets *ended at the end of the
 * file. */
static mnist_status decompress(mnist_stream *stream, uint8_t *data, unsigned size,
                               size_t *count, bool *ended)
{
    z_stream *zlib = &stream->zlib;
    mnist_status status = refill(stream);
    *ended = zlib->avail_in == 0;
    if (!status && !*ended && stream->between)
        status = next_member(stream);
    if (status || *ended)
        return status;
    zlib->next_out = data;
    zlib->avail_out = size;
    int code = inflate(zlib, Z_NO_FLUSH);
    *count = size - zlib->avail_out;
    stream->between = code == Z_STREAM_END;
    if (code == Z_OK || code == Z_STREAM_END)
        return MNIST_OK;
    stream->done += *count;
    return damaged(stream, code);
}

/* Reads up to size bytes of a gzip file; *count is below size only at its end. */
static mnist_status read_gzip(mnist_stream *stream, uint8_t *data, size_t size,
                              size_t *count)
{
    mnist_status status = MNIST_OK;
    bool ended = false;
    *count = 0;
    while (!status && !ended && *count < size) {
        size_t left = size - *count, bytes = 0;
        unsigned limit = (unsigned)common_smaller(left, chunk_limit);
        status = decompress(stream, data + *count, limit, &bytes, &ended);
        *count += bytes;
        if (!status && !stream->regular)
            status = check_ratio(stream, stream->done + *count, stream->taken);
    }
    return status;
}

static mnist_status read_some(mnist_stream *stream, uint8_t *data, size_t size,
                              size_t *count)
{
    mnist_status status = stream->gzip ? read_gzip(stream, data, size, count)
                                       : read_plain(stream, data, size, count);
    stream->done += status ? 0 : *count;
    return status;
}

mnist_status mnist_stream_read(mnist_stream *stream, uint8_t *data, size_t size)
{
    size_t count;
    mnist_status status = read_some(stream, data, size, &count);
    return status || count == size ? status : too_short(stream);
}

/* Reads the whole gzip file into memory, if it can be decompressed at once. zlib's
 * input is then there, too. */
static mnist_status gather(mnist_stream *stream)
{
    z_stream *zlib = &stream->zlib;
    const uint8_t *first = stream->buffer + HISTORY;
    size_t size = (size_t)stream->size, used = (size_t)(zlib->next_in - first);
    bool in_buffer = stream->taken == used + zlib->avail_in;
    if (!stream->gzip || !in_buffer || !mnist_inflate_takes(stream->size) ||
        stream->taken > stream->size)
        return MNIST_OK;
    uint8_t *bytes = common_alloc_bytes(size);
    if (!bytes)
        return MNIST_OK;
    memcpy(bytes, first, (size_t)stream->taken);
    stream->file_bytes = bytes;
    mnist_status status = MNIST_OK;
    size_t count = 1;
    while (!status && count > 0 && stream->taken < size)
        status = read_bytes(stream, bytes + stream->taken, size - (size_t)stream->taken,
                            &count);
    zlib->next_in = bytes + used;
    zlib->avail_in = (unsigned)(stream->taken - used);
    return status;
}

mnist_status mnist_stream_read_rest(mnist_stream *stream, uint8_t *content)
{
    z_stream *zlib = &stream->zlib;
    size_t before = (size_t)stream->done, size = (size_t)stream->expected;
    mnist_status status = gather(stream);
    if (status || !stream->file_bytes ||
        !mnist_inflate(stream->file_bytes, (size_t)stream->taken, content, size))
        return status ? status
                      : mnist_stream_read(stream, content + before, size - before);
    zlib->next_in += zlib->avail_in;
    zlib->avail_in = 0;
    stream->between = true;
    stream->done = size;
    return MNIST_OK;
}

mnist_status mnist_stream_finish(mnist_stream *stream)
{
    uint8_t surplus;
    size_t count;
    mnist_status status = read_some(stream, &surplus, 1, &count);
    if (status)
        return status;
    if (count > 0)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: has data after %" PRIu64 " bytes, expected end of file",
                          stream->path, stream->expected);
    if (stream->gzip && !stream->between)
        return mnist_fail(MNIST_BAD_FILE,
                          "%s: gzip data ends before its checksum, expected one after "
                          "%" PRIu64 " bytes",
                          stream->path, stream->done);
    return MNIST_OK;
}

void mnist_stream_sum(mnist_stream *stream, char text[MNIST_SHA256_TEXT])
{
    mnist_sha256_end(&stream->sum, text);
}

void mnist_stream_close(mnist_stream **stream)
{
    if (!*stream)
        return;
    if ((*stream)->zlib_ready)
        inflateEnd(&(*stream)->zlib);
    if ((*stream)->file >= 0 && !(*stream)->input->memory)
        common_file_get_calls()->close((*stream)->file);
    common_free((*stream)->file_bytes);
    common_free(*stream);
    *stream = NULL;
}
