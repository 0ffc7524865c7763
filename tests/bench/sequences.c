#include <stdlib.h>
#include <string.h>

#include "tests/bench/machine.h"
#include "tests/bench/series.h"
#include "tests/bench/suite.h"

static lstm_tensor *outputs(const shape *s, size_t width)
{
    lstm_tensor *out;
    must(lstm_tensor_create(&out, 3, (size_t[]){s->batch, s->steps, width}));
    return out;
}

static void stream_step(network *net)
{
    must(lstm_stream_step(net->stream, net->x, net->out));
}

/* The bandwidth of the L2 cache. */
static const limit *reading(void)
{
    const limit *l = limits;
    while (strcmp(l->name, "read L2") != 0 || !l->available())
        l++;
    return l;
}

/* Reports the time to read the weights from the L2 cache. Computes it from the
 * bandwidth, because the weights may be larger than the buffer of the limit. */
static void report_weights(const plan *p, const network *net)
{
    static const size_t widths[] = {
        [LSTM_FLOAT32] = 4, [LSTM_BFLOAT16] = 2, [LSTM_INT8] = 1};
    size_t width = widths[p->precision];
    double bytes = (double)(lstm_params_count(net->params) * width);
    double seconds = bytes / limit_run(reading(), 1, p->seconds / 4);
    report_result(p->report, &(result){.name = "(weights)",
                                       .shape = net->shape,
                                       .threads = 1,
                                       .median = seconds,
                                       .p10 = seconds});
}

static network streaming_network(const plan *p, const shape *s)
{
    network net = network_create(s, p->outputs, p->precision);
    must(lstm_layer_set_training(net.layer, false));
    must(lstm_stream_create(&net.stream, net.layer, net.head, s->batch));
    net.out = outputs(s, lstm_tensor_extent(net.logits, 1));
    return net;
}

static void streaming_destroy(network *net)
{
    lstm_tensor_destroy(&net->out);
    lstm_stream_destroy(&net->stream);
    network_destroy(net);
}

/* Number of calls that take so long together that reading the clocks, some 0.5 us, does
 * not matter. */
static size_t repeats_of(network *net)
{
    const double enough = 100e-6;
    size_t repeats = 1;
    for (double seconds = 0; seconds < enough; repeats *= 2) {
        double start = clock_wall();
        for (size_t i = 0; i < repeats; i++)
            stream_step(net);
        seconds = clock_wall() - start;
    }
    return repeats;
}

/* The times of single calls, with the time of reading the clock. */
static void report_latency(const plan *p, size_t threads, network *net)
{
    static const struct {
        const char *name;
        double quantile;
    } rows[] = {{"(p50)", 0.5}, {"(p99)", 0.99}, {"(p99.9)", 0.999}};
    samples calls = {0};
    for (double end = clock_wall() + p->seconds, now = 0; now < end;) {
        double start = clock_wall();
        stream_step(net);
        now = clock_wall();
        samples_add(&calls, now - start);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double value = samples_quantile(&calls, rows[i].quantile);
        report_result(p->report, &(result){.name = rows[i].name,
                                           .shape = net->shape,
                                           .threads = threads,
                                           .median = value,
                                           .p10 = value});
    }
    samples_destroy(&calls);
}

void measure_streaming(const plan *p, const shape *s, size_t threads)
{
    if (lstm_set_threads(threads))
        return;
    network net = streaming_network(p, s);
    /* A step of a stream has a recurrent product, unlike the first step of a forward.
     */
    shape longer = *s;
    longer.steps++;
    double flop = shape_forward_flop(&longer) - shape_forward_flop(s);
    series steps = series_measure(p, threads, repeats_of(&net), stream_step, &net);
    series_report(p, "stream", &net, threads, flop * (double)s->steps, &steps);
    series_destroy(&steps);
    if (p->latency)
        report_latency(p, threads, &net);
    report_weights(p, &net);
    streaming_destroy(&net);
}

static void forward_backward(network *net)
{
    if (net->lengths)
        must(lstm_layer_forward(net->layer, NULL, net->x, net->lengths, NULL, NULL,
                                net->out, NULL, NULL));
    else
        must(lstm_layer_forward(net->layer, NULL, net->x, NULL, NULL, NULL, net->out,
                                NULL, NULL));
    must(lstm_params_zero_grad(net->params));
    must(
        lstm_layer_backward(net->layer, NULL, net->dout, NULL, NULL, NULL, NULL, NULL));
}

/* Lengths spread evenly over 1 to T in an unsorted order: multiples of a prime modulo N
 * are a permutation of the sequences. */
static size_t *spread_lengths(const shape *s)
{
    const size_t prime = 1000003;
    size_t *lengths = must_allocate(s->batch, sizeof(*lengths));
    for (size_t n = 0; n < s->batch; n++)
        lengths[n] = 1 + n * prime % s->batch * s->steps / s->batch;
    return lengths;
}

void measure_lengths(const plan *p, const shape *s, size_t threads, bool lengths)
{
    if (lstm_set_threads(threads))
        return;
    network net = network_create(s, p->outputs, p->precision);
    net.out = outputs(s, s->hidden);
    net.dout = outputs(s, s->hidden);
    must(lstm_rng_uniform(net.rng, net.dout, -1, 1));
    net.lengths = lengths ? spread_lengths(s) : NULL;
    series steps = series_measure(p, threads, 1, forward_backward, &net);
    series_report(p, lengths ? "lengths" : "padded", &net, threads, 0, &steps);
    series_destroy(&steps);
    free(net.lengths);
    lstm_tensor_destroy(&net.dout);
    lstm_tensor_destroy(&net.out);
    network_destroy(&net);
}
