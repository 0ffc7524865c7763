/**
 * @file
 * Reads picture files as grey pixels: PNG, JPEG, PBM, PGM, PPM, PAM, BMP, QOI and
 * farbfeld.
 *
 * PNG and JPEG need libpng and libjpeg, without which the readers name what is missing.
 */
#ifndef EXAMPLES_PICTURE_PICTURE_H
#define EXAMPLES_PICTURE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A grey picture; pixels [rows, cols], 0 black to 255 white. */
typedef struct picture {
    uint8_t *pixels;
    size_t rows, cols;
} picture;

enum {
    /** Largest number of rows and of columns. */
    PICTURE_LARGEST_SIDE = 65535,
    /** Largest number of pixels, 134,217,728. It is checked before memory is allocated
     *  for them. */
    PICTURE_MOST_PIXELS = 1 << 27
};

/**
 * Reads a picture in memory. The content decides the format.
 *
 * Colours become their luma of Rec. 601, 0.299 R + 0.587 G + 0.114 B, as in JPEG.
 * Colour profiles and gamma are ignored. Transparent pixels are blended with white;
 * with black if a quarter of the picture is transparent and the rest would hardly show
 * on white, like white ink. 16 bits are rounded to 8. The picture is turned and
 * mirrored as its EXIF orientation says.
 *
 * @param[out] out the picture, freed with picture_free(); all zeros on failure
 * @param bytes [size] content of the file
 * @param path of the file, for the command that converts it; NULL if it has none
 * @param[out] why [why_size] on failure, one line that follows the name of the file:
 *        what it is and the command that converts it, if this is another kind of file;
 *        or what is damaged
 * @return false if the bytes are not a whole picture that can be read
 */
bool picture_read(picture *out, const uint8_t *bytes, size_t size, const char *path,
                  char *why, size_t why_size);

/** Frees the pixels; accepts a picture that is all zeros. */
void picture_free(picture *p);

/** The formats that this build reads, for example "PNG, JPEG, PBM, ...". */
const char *picture_formats(void);

#endif
