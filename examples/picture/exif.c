/* The orientation in EXIF data, which is a small TIFF file without a picture. */
#include "examples/picture/canvas.h"

enum { TIFF_HEADER = 8, ENTRY = 12, TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3 };

static uint32_t number(const uint8_t *at, unsigned bytes, bool big)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[big ? i : bytes - 1 - i];
    return value;
}

/* A damaged or unusual directory counts as none, as in other programs: the picture
 * itself is whole. */
unsigned canvas_exif_orientation(content tiff)
{
    if (tiff.size < TIFF_HEADER || tiff.bytes[0] != tiff.bytes[1] ||
        (tiff.bytes[0] != 'I' && tiff.bytes[0] != 'M'))
        return 1;
    bool big = tiff.bytes[0] == 'M';
    size_t directory = number(tiff.bytes + 4, 4, big);
    if (number(tiff.bytes + 2, 2, big) != 42 || directory > tiff.size - 2)
        return 1;
    size_t entries = number(tiff.bytes + directory, 2, big);
    size_t room = (tiff.size - directory - 2) / ENTRY;
    for (size_t i = 0; i < entries && i < room; i++) {
        const uint8_t *entry = tiff.bytes + directory + 2 + i * ENTRY;
        if (number(entry, 2, big) != TAG_ORIENTATION)
            continue;
        uint32_t value = number(entry + 8, 2, big);
        bool valid = number(entry + 2, 2, big) == TYPE_SHORT && value >= 1;
        return valid && value <= 8 ? value : 1;
    }
    return 1;
}
