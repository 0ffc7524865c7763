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
    size_t width = p->precision == LSTM_BFLOAT16 ? 2 : sizeof(float);
    double bytes = (double)(lstm_params_count(net->params) * width);
    double seconds = bytes / limit_run(reading(), 1, p->seconds / 4);
    report_result(p->report, &(result){.name = "(weights)",
                                       .shape = net->shape,
                                       .threads = 1,
                                       .median = seconds,
                                       .p10 = seconds});
}

void measure_streaming(const plan *p, const shape *s, size_t threads)
{
    /* Reading the CPU clock takes a tenth of the time of a step. */
    enum { REPEATS = 64 };
    if (lstm_set_threads(threads))
        return;
    network net = network_create(s, p->precision);
    must(lstm_layer_set_training(net.layer, false));
    must(lstm_stream_create(&net.stream, net.layer, net.head, s->batch));
    net.out = outputs(s, lstm_tensor_extent(net.logits, 1));
    /* A step of a stream has a recurrent product, unlike the first step of a forward.
     */
    shape longer = *s;
    longer.steps++;
    series steps = series_measure(p, threads, REPEATS, stream_step, &net);
    series_report(p, "stream", &net, threads,
                  shape_forward_flop(&longer) - shape_forward_flop(s), &steps);
    series_destroy(&steps);
    series single = series_measure(p, threads, 1, stream_step, &net);
    result tail = {.name = "(p99.9)", .shape = *s, .threads = threads};
    tail.median = tail.p10 = samples_quantile(&single.wall, 0.999);
    report_result(p->report, &tail);
    series_destroy(&single);
    report_weights(p, &net);
    lstm_tensor_destroy(&net.out);
    lstm_stream_destroy(&net.stream);
    network_destroy(&net);
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
    network net = network_create(s, p->precision);
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
