#include <math.h>

#include "examples/amp/delay.h"

/* Samples that are compared: a second or more, and at most 100 million products. */
enum { WINDOW = 1 << 15 };

static double energy(const float *samples, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)samples[i] * (double)samples[i];
    return sum;
}

/* The start of the loudest window of dry, in steps of half a window. */
static size_t loudest(const float *dry, size_t first, size_t last, size_t window)
{
    size_t best = first;
    double most = -1;
    for (size_t start = first; start + window <= last; start += (window + 1) / 2) {
        double found = energy(dry + start, window);
        if (found > most) {
            most = found;
            best = start;
        }
    }
    return best;
}

/* The correlation coefficient at a delay, without sign. */
static double correlation(const float *dry, const float *wet, size_t window)
{
    double sum = 0, scale = sqrt(energy(dry, window) * energy(wet, window));
    for (size_t i = 0; i < window; i++)
        sum += (double)dry[i] * (double)wet[i];
    return scale > 0 ? fabs(sum) / scale : 0;
}

int64_t delay_find(const float *dry, const float *wet, size_t count, size_t most)
{
    /* So much better must a delay be than none. A smaller one that is about as good is
     * preferred: filters of a device move the best one, and an output that comes before
     * its input cannot be learned. */
    const double clearly = 1.05, about = 0.98;
    if (count < 4)
        return 0;
    most = most < count / 4 ? most : count / 4;
    size_t left = count - 2 * most, window = left < WINDOW ? left : WINDOW;
    size_t start = loudest(dry, most, count - most, window);
    double best = correlation(dry + start, wet + start, window) * clearly;
    int64_t found = 0;
    for (size_t distance = 1; distance <= most; distance++) {
        double late = correlation(dry + start, wet + start + distance, window);
        double early = correlation(dry + start, wet + start - distance, window);
        if (late > best || early > best) {
            best = late > early ? late : early;
            found = late > early ? (int64_t)distance : -(int64_t)distance;
        }
    }
    while (found && found > -(int64_t)most &&
           correlation(dry + start, wet + start + found - 1, window) > about * best)
        found--;
    return found;
}
