/*
 * Picture files of all formats. What is accepted is within the limits, and is read the
 * same way again; what is refused has a message of one line.
 *
 * Input: a byte of flags, then the file.
 */
#include <zlib.h>

#include "examples/picture/picture.h"
#include "tests/fuzz/fuzz.h"

enum {
    /* Gives each chunk of a PNG picture its checksum: libpng refuses all others. */
    MEND = 1,
    /* The file has a name, for the command that converts it. */
    NAMED = 2,
    PNG_MARK = 8,
    ROOM = 1024
};

static uint32_t word(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void mend_checksums(uint8_t *file, size_t size)
{
    size_t at = PNG_MARK;
    while (size >= at + 12 && word(file + at) <= size - at - 12) {
        uint8_t *end = file + at + 8 + word(file + at);
        uint32_t sum = (uint32_t)crc32(0, file + at + 4, (uInt)(end - file - at - 4));
        for (int i = 0; i < 4; i++)
            end[i] = (uint8_t)(sum >> (24 - 8 * i));
        at = (size_t)(end - file) + 4;
    }
}

static void check(const picture *one, const picture *other)
{
    size_t pixels = one->rows * one->cols;
    FUZZ_CHECK(one->rows >= 1 && one->rows <= PICTURE_LARGEST_SIDE);
    FUZZ_CHECK(one->cols >= 1 && one->cols <= PICTURE_LARGEST_SIDE);
    FUZZ_CHECK(pixels <= PICTURE_MOST_PIXELS);
    FUZZ_CHECK(other->rows == one->rows && other->cols == one->cols);
    FUZZ_CHECK(memcmp(one->pixels, other->pixels, pixels) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    unsigned flags = fuzz_byte(&input);
    uint8_t *file = malloc(input.size ? input.size : 1);
    char why[ROOM] = "", again[ROOM] = "";
    const char *path = flags & NAMED ? "a 'b'\n.webp" : NULL;
    picture one, other;
    FUZZ_CHECK(file);
    if (input.size)
        memcpy(file, input.data, input.size);
    if (flags & MEND)
        mend_checksums(file, input.size);
    bool done = picture_read(&one, file, input.size, path, why, sizeof(why));
    FUZZ_CHECK(done ==
               picture_read(&other, file, input.size, path, again, sizeof(again)));
    if (done) {
        check(&one, &other);
    } else {
        FUZZ_CHECK(!one.pixels && !other.pixels && strcmp(why, again) == 0);
        fuzz_check_message(why);
    }
    picture_free(&one);
    picture_free(&other);
    free(file);
    return 0;
}
