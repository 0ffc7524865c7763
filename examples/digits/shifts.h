/**
 * @file
 * --tta: an image is read in several places, and the answer is the mean of the
 * probabilities.
 */
#ifndef EXAMPLES_DIGITS_SHIFTS_H
#define EXAMPLES_DIGITS_SHIFTS_H

#include <stddef.h>

/** Most places. */
enum { SHIFTS_MOST = 9 };

/** Rows down and columns to the right of each place: as it is; a pixel up, down, left
 *  and right; and a pixel in both axes. */
extern const int shifts_places[SHIFTS_MOST][2];

/** The numbers of places for options, ended by NULL, and that of an index. */
extern const char *const shifts_names[];
size_t shifts_count(unsigned index);

/**
 * Moves an image. What leaves it is lost.
 *
 * @param from [rows, cols] pixels of size bytes
 * @param place rows down and columns to the right
 * @param fill the pixel that enters
 * @param[out] to [rows, cols]
 */
void shifts_move(const void *from, size_t rows, size_t cols, size_t size,
                 const int place[2], const void *fill, void *to);

#endif
