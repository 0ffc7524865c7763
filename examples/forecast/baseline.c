#include <math.h>

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

size_t baseline_season(const double *values, size_t count)
{
    /* Three seasons are needed to see one; longer ones than this take too long. */
    enum { LONGEST = 1000 };
    /* A longer season must be better by more than chance. */
    const double nearly = 1.25;
    size_t longest = count / 3 < LONGEST ? count / 3 : LONGEST;
    double before = baseline_error(values, longest, count, 1), least = before;
    for (size_t lag = 2; lag <= longest; lag++)
        least = fmin(least, baseline_error(values, longest, count, lag));
    if (!(least < before))
        return 0;
    size_t lag = 2;
    while (!(baseline_error(values, longest, count, lag) <= nearly * least))
        lag++;
    return lag;
}
