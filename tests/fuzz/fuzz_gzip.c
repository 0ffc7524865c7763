/*
 * Plain and gzip streams, read to the end. The stream accepts what zlib's inflate()
 * reads completely, with the same bytes, and nothing else.
 *
 * Input: the expected size as 16 bits, a byte for the size of reads, of which 0 is all
 * after the first of the bytes at once, the file.
 */
#include <zlib.h>

#include "lib/mnist/stream.h"
#include "tests/fuzz/memory_file.h"

enum { MOST = 1 << 16, GZIP_WINDOW = 15 + 16 };

/* Decompresses all members with zlib alone. Returns the size; SIZE_MAX when the file is
 * not valid or larger than room. */
static size_t inflate_all(fuzz_input file, uint8_t *to, size_t room)
{
    z_stream zlib = {0};
    FUZZ_CHECK(inflateInit2(&zlib, GZIP_WINDOW) == Z_OK);
    zlib.next_in = (uint8_t *)(uintptr_t)file.data;
    zlib.avail_in = (unsigned)file.size;
    zlib.next_out = to;
    zlib.avail_out = (unsigned)room;
    int code = Z_STREAM_END;
    while (code == Z_STREAM_END && zlib.avail_in > 0) {
        inflateReset(&zlib);
        code = inflate(&zlib, Z_FINISH);
    }
    size_t size = room - zlib.avail_out;
    inflateEnd(&zlib);
    return code == Z_STREAM_END ? size : SIZE_MAX;
}

static mnist_status read_all(uint8_t *to, size_t expected, size_t piece)
{
    const mnist_input input = {.path = "0"};
    mnist_stream *stream;
    mnist_status status = mnist_stream_open(&stream, &input, expected);
    if (!status)
        status = mnist_stream_expect(stream, expected);
    if (!status && piece == 0 && expected > 0) {
        status = mnist_stream_read(stream, to, 1);
        if (!status)
            status = mnist_stream_read_rest(stream, to);
    }
    for (size_t done = 0; !status && piece > 0 && done < expected; done += piece) {
        piece = piece < expected - done ? piece : expected - done;
        status = mnist_stream_read(stream, to + done, piece);
    }
    if (!status)
        status = mnist_stream_finish(stream);
    if (stream)
        mnist_stream_close(&stream);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t found[MOST], right[MOST];
    fuzz_input input = {data, size};
    size_t expected = fuzz_byte(&input) << 8;
    expected |= fuzz_byte(&input);
    size_t piece = fuzz_byte(&input);
    fuzz_files_start();
    fuzz_files[0] =
        (fuzz_file){.data = input.data, .size = input.size, .piece = piece + 1};
    if (!input.data)
        fuzz_files[0].data = found;
    mnist_status status = read_all(found, expected, piece);
    if (status)
        fuzz_check_message(mnist_last_error());
    bool is_gzip = input.size >= 2 && input.data[0] == 0x1f && input.data[1] == 0x8b;
    if (is_gzip) {
        size_t count = inflate_all(input, right, MOST);
        /* Files of this size may have any ratio. */
        FUZZ_CHECK((status == MNIST_OK) == (count == expected));
        FUZZ_CHECK(status || memcmp(found, right, count) == 0);
    } else {
        FUZZ_CHECK((status == MNIST_OK) == (input.size == expected));
    }
    fuzz_files_end();
    return 0;
}
