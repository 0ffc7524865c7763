#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "examples/digits/shifts.h"

const int shifts_places[SHIFTS_MOST][2] = {{0, 0},   {-1, 0}, {1, 0},  {0, -1}, {0, 1},
                                           {-1, -1}, {-1, 1}, {1, -1}, {1, 1}};

const char *const shifts_names[] = {"1", "5", "9", NULL};

size_t shifts_count(unsigned index)
{
    static const size_t counts[] = {1, 5, SHIFTS_MOST};
    return counts[index];
}

/* The pixel of an axis that moves to at, or SIZE_MAX for one outside. */
static size_t source(size_t at, int place, size_t extent)
{
    size_t distance = (size_t)(place < 0 ? -place : place);
    if (place < 0)
        return distance < extent - at ? at + distance : SIZE_MAX;
    return distance <= at ? at - distance : SIZE_MAX;
}

void shifts_move(const void *from, size_t rows, size_t cols, size_t size,
                 const int place[2], const void *fill, void *to)
{
    char *pixel = to;
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++, pixel += size) {
            size_t y = source(row, place[0], rows), x = source(col, place[1], cols);
            bool inside = y != SIZE_MAX && x != SIZE_MAX;
            memcpy(pixel, inside ? (const char *)from + (y * cols + x) * size : fill,
                   size);
        }
}
