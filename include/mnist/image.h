/**
 * @file
 * Pictures of any size in the form of MNIST.
 */
#ifndef MNIST_IMAGE_H
#define MNIST_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <mnist/dataset.h>
#include <mnist/export.h>
#include <mnist/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef begin */

/** The paper of pictures. */
typedef enum mnist_paper {
    /** Found from the picture: the side from which its extremes lie farther away than
     *  from the median of its border. */
    MNIST_PAPER_AUTO = 0,
    /** Light strokes on dark paper, as in MNIST. */
    MNIST_PAPER_DARK = 1,
    /** Dark strokes on light paper. */
    MNIST_PAPER_LIGHT = 2
} mnist_paper;

/** Options of fitting. Zero selects the default of each option. */
typedef struct mnist_fit_config {
    /** The paper (default MNIST_PAPER_AUTO). */
    mnist_paper paper;
    /** Reserved for options of later versions; must be zero. Other values fail with
     * MNIST_UNSUPPORTED. */
    uint64_t reserved[8];
} mnist_fit_config;

/** A rectangle of pixels. */
typedef struct mnist_box {
    /** First row. */
    size_t top;
    /** First column. */
    size_t left;
    /** Number of rows. */
    size_t rows;
    /** Number of columns. */
    size_t cols;
} mnist_box;

/**
 * Brings a picture of a digit to the form of MNIST's images.
 *
 * The picture may have any size, paper of any grey, uneven light, shadows, noise, and
 * strokes of any width. The call finds the paper and what is drawn on it, leaves out
 * specks, frames, printed boxes and the lines of ruled and squared paper, scales the
 * digit to fit into 20 by 20 pixels with its aspect ratio kept, brings its strokes to
 * the width of MNIST's, and places it into 28 by 28 pixels so that its centre of mass
 * is at pixel [14, 14], or as near as the border allows. A picture of 28 by 28 pixels
 * that has this form changes only its place: nearly all images of MNIST stay as they
 * are.
 *
 * The result is the same on every machine.
 *
 * @param pixels [rows, cols] bytes
 * @param rows 1 to 65,535
 * @param cols 1 to 65,535
 * @param config options; NULL for the defaults
 * @param[out] out [28, 28] bytes, light on 0; not written on failure
 * @retval MNIST_OK out was written
 * @retval MNIST_BLANK nothing stands out from the paper, or it has fewer than 10
 *         pixels
 * @retval MNIST_SEVERAL_DIGITS the picture has several digits
 * @retval MNIST_INVALID_ARGUMENT a pointer is NULL, a size is 0 or above 65,535, or
 *         paper is unknown
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_image_fit(const uint8_t *pixels, size_t rows, size_t cols,
                             const mnist_fit_config *config, uint8_t *out);

/**
 * Brings each digit of a picture to the form of MNIST's images, as mnist_image_fit()
 * does: lines from top to bottom, in each line from left to right. Lines may rise or
 * fall. Lines drawn under, over or through digits are left out, a dash beside them is a
 * drawing of its own.
 *
 * @param pixels [rows, cols] bytes
 * @param rows 1 to 65,535
 * @param cols 1 to 65,535
 * @param config options; NULL for the defaults
 * @param capacity most digits to write
 * @param[out] out [capacity, 28, 28] bytes, light on 0
 * @param[out] boxes [capacity] where the digits are in the picture; NULL to skip
 * @param[out] count number of digits found, which may be above capacity
 * @retval MNIST_OK the first digits, up to capacity, and count were written
 * @retval MNIST_BLANK nothing stands out from the paper, or it has fewer than 10
 *         pixels; or capacity is above 1 and something touches the border or the edge
 *         of a shadow and may hide a digit
 * @retval MNIST_INVALID_ARGUMENT pixels, out or count is NULL, a size is 0 or above
 *         65,535, or paper is unknown
 * @retval MNIST_OUT_OF_MEMORY a memory allocation failed
 * @retval MNIST_UNSUPPORTED reserved has a value other than 0; the message names it
 * @since 1.0
 */
MNIST_API
MNIST_NODISCARD
mnist_status mnist_image_fit_digits(const uint8_t *pixels, size_t rows, size_t cols,
                                    const mnist_fit_config *config, size_t capacity,
                                    uint8_t *out, mnist_box *boxes, size_t *count);

/**
 * The paper of all images of a data set together; MNIST_PAPER_DARK for NULL. One blank
 * or odd image does not change it.
 * @since 1.0
 */
MNIST_API
mnist_paper mnist_dataset_paper(const mnist_dataset *dataset);

/* cdef end */

#ifdef __cplusplus
}
#endif

#endif
