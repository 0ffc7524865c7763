#include <math.h>
#include <stdlib.h>

#include "examples/common/message.h"
#include "examples/forecast/baseline.h"

double baseline_error(const double *values, size_t first, size_t count, size_t lag)
{
    double squares = 0;
    if (first < lag)
        return NAN;
    for (size_t i = first; i < count; i++)
        squares += pow(values[i] - values[i - lag], 2);
    return sqrt(squares / (double)(count - first));
}

double baseline_change_error(const double *values, size_t first, size_t count,
                             size_t lag)
{
    double squares = 0;
    if (first < lag + 1)
        return NAN;
    for (size_t i = first; i < count; i++)
        squares +=
            pow(values[i] - values[i - 1] - (values[i - lag] - values[i - lag - 1]), 2);
    return sqrt(squares / (double)(count - first));
}

/* Correlation of the changes with those some steps before; 0 for constant ones. */
static double correlation(const double *values, size_t count, size_t lag, double mean)
{
    double product = 0, now = 0, before = 0;
    for (size_t i = lag + 1; i < count; i++) {
        double one = values[i] - values[i - 1] - mean;
        double other = values[i - lag] - values[i - lag - 1] - mean;
        product += one * other;
        now += one * one;
        before += other * other;
    }
    return now > 0 && before > 0 ? product / sqrt(now * before) : 0;
}

/* Whether the changes repeat at a lag better than at its neighbours and than chance,
 * which some of many lags exceed by four standard deviations at most. */
static bool repeats(const double *found, size_t count, size_t lag)
{
    const double least = 0.3;
    double chance = 4 / sqrt((double)(count - lag));
    return found[lag] > found[lag - 1] && found[lag] >= found[lag + 1] &&
           found[lag] > fmax(least, chance);
}

bool baseline_season(const double *values, size_t count, size_t *season)
{
    /* Three seasons are needed to see one; longer ones than this take too long. */
    enum { LONGEST = 1000 };
    const double nearly = 0.9;
    size_t longest = count / 3 < LONGEST ? count / 3 : LONGEST;
    double best = 0, mean = (values[count - 1] - values[0]) / (double)(count - 1);
    double *found = calloc(longest + 2, sizeof(*found));
    *season = 0;
    if (!found)
        return message_error("no memory");
    for (size_t lag = 1; lag <= longest + 1; lag++)
        found[lag] = correlation(values, count, lag, mean);
    for (size_t lag = 2; lag <= longest; lag++)
        if (repeats(found, count, lag))
            best = fmax(best, found[lag]);
    for (size_t lag = longest; lag >= 2; lag--)
        if (repeats(found, count, lag) && found[lag] >= nearly * best)
            *season = lag;
    free(found);
    return true;
}
