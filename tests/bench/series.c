#include "tests/bench/series.h"
#include "tests/bench/machine.h"

void series_destroy(series *s)
{
    samples_destroy(&s->wall);
    samples_destroy(&s->cpu);
    samples_destroy(&s->inverse_peak);
}

series series_measure(const plan *p, size_t threads, size_t repeats,
                      void (*work)(network *), network *net)
{
    const double interval = 50e-3, burst = 1e-3;
    enum { MIN_SAMPLES = 5 };
    series s = {0};
    double end = clock_wall() + p->seconds, next_burst = 0;
    while (s.wall.count < MIN_SAMPLES || clock_wall() < end) {
        if (clock_wall() >= next_burst) {
            const limit *peak =
                limit_of_kernels(lstm_kernels_name(), p->precision == LSTM_BFLOAT16);
            samples_add(&s.inverse_peak, 1 / limit_measure(peak, threads, burst));
            next_burst = clock_wall() + interval;
            /* Warms up the caches. */
            work(net);
        }
        double wall = clock_wall(), cpu = clock_cpu();
        for (size_t i = 0; i < repeats; i++)
            work(net);
        samples_add(&s.cpu, (clock_cpu() - cpu) / (double)repeats);
        samples_add(&s.wall, (clock_wall() - wall) / (double)repeats);
    }
    return s;
}

void series_report(const plan *p, const char *name, const network *net, size_t threads,
                   double flop, series *s)
{
    report_result(p->report,
                  &(result){.name = name,
                            .shape = net->shape,
                            .threads = threads,
                            .median = samples_median(&s->wall),
                            .p10 = samples_p10(&s->wall),
                            .cpu = threads == 1 ? samples_median(&s->cpu) : 0,
                            .flop = flop,
                            .peak = limit_typical(&s->inverse_peak, threads)});
}
