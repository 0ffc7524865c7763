#include <math.h>
#include <stdio.h>
#include <time.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/stream/latency.h"

enum { INTERVALS = LATENCY_PER_OCTAVE * LATENCY_OCTAVES, FIRST_OCTAVE = -10 };

double latency_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

void latency_add(latencies *all, double value)
{
    double place = (log2(fmax(value, 1e-3)) - FIRST_OCTAVE) * LATENCY_PER_OCTAVE;
    size_t interval = (size_t)fmax(place, 0);
    all->counts[interval < INTERVALS ? interval : INTERVALS - 1]++;
    all->total++;
}

/* The middle of the interval that contains a quantile. */
static double quantile(const latencies *all, double share)
{
    size_t interval = 0, before = 0;
    size_t rank = (size_t)((double)(all->total - 1) * share);
    while ((before += all->counts[interval]) <= rank)
        interval++;
    return exp2(((double)interval + 0.5) / LATENCY_PER_OCTAVE + FIRST_OCTAVE);
}

void latency_report(const latencies *all)
{
    if (all->total > 0)
        message_info("%s: %zu step%s, microseconds: p50 %.2f p90 %.2f p99 %.2f "
                     "p99.9 %.2f",
                     message_program(), all->total, number_plural(all->total),
                     quantile(all, 0.5), quantile(all, 0.9), quantile(all, 0.99),
                     quantile(all, 0.999));
}
