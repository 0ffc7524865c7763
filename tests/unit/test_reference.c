/* The double-precision LSTM that other tests trust, against golden data of PyTorch. */
#include "lib/common/mt19937.h"
#include "tests/support/golden.h"
#include "tests/support/reference.h"
#include "tests/support/test.h"

/* PyTorch computed in double and wrote float32: half a unit in the last place. */
static const double rounding = 0x1p-24;

static size_t size_of(const golden *file, const char *key)
{
    return (size_t)golden_number(file, key);
}

/* A tensor as doubles; one with batch first becomes time-major. NULL for none. */
static double *doubles(const golden_tensor *tensor, bool swap)
{
    if (!tensor)
        return NULL;
    double *to = malloc(tensor->count * sizeof(double));
    size_t rows = tensor->shape[0], columns = swap ? tensor->shape[1] : 1;
    size_t width = tensor->count / rows / columns;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            for (size_t i = 0; i < width; i++)
                to[(c * rows + r) * width + i] =
                    (double)tensor->data[(r * columns + c) * width + i];
    return to;
}

static double *all_parameters(const golden *file, const char *name, size_t count)
{
    double *all = malloc(count * sizeof(double)), *at = all;
    for (size_t k = 0; k < size_of(file, "parameters"); k++) {
        const golden_tensor *tensor = golden_at(file, name, k);
        for (size_t i = 0; i < tensor->count; i++)
            *at++ = (double)tensor->data[i];
    }
    assert_int_equal(at - all, count);
    return all;
}

static uint64_t draw(void *generator)
{
    return mt19937_next64(generator);
}

static double *masks_of(const golden *file, const reference_lstm *net,
                        const reference_input *input, size_t count)
{
    double probability = golden_number(file, "dropout");
    if (probability == 0)
        return NULL;
    mt19937 generator;
    mt19937_seed(&generator, (uint32_t)size_of(file, "seed"));
    for (size_t i = 0; i < reference_parameters(net); i++)
        mt19937_next32(&generator);
    double *masks = malloc((net->layers - 1) * count * sizeof(double));
    reference_masks(net, input, probability, draw, &generator, masks);
    return masks;
}

static void assert_same(const golden *file, const char *name, const double *actual,
                        bool swap)
{
    const golden_tensor *tensor = golden_find(file, name);
    double *expected = doubles(tensor, swap);
    for (size_t i = 0; i < tensor->count; i++)
        assert_close(actual[i], expected[i], rounding * fmax(1, fabs(expected[i])));
    free(expected);
}

static void the_outputs_equal_pytorch(void **state)
{
    golden *file = golden_read("layer", *state);
    bool swap = golden_number(file, "batch_first") != 0;
    reference_lstm net = {
        .inputs = size_of(file, "inputs"),
        .hidden = size_of(file, "hidden"),
        .layers = size_of(file, "layers"),
        .projection = size_of(file, "proj_size"),
        .directions = 1 + size_of(file, "bidirectional"),
        .bias = golden_number(file, "no_bias") == 0,
    };
    double *parameters = all_parameters(file, "p0", reference_parameters(&net));
    net.parameters = parameters;
    double *x = doubles(golden_find(file, "x"), swap);
    double *h0 = doubles(golden_find(file, "h0"), false);
    double *c0 = doubles(golden_find(file, "c0"), false);
    size_t count = golden_find(file, "out")->count;
    reference_input input = {size_of(file, "steps"),
                             size_of(file, "batch"),
                             file->length_count ? file->lengths : NULL,
                             x,
                             h0,
                             c0,
                             NULL,
                             NULL};
    double *masks = masks_of(file, &net, &input, count);
    input.masks = masks;
    double *out = malloc(count * sizeof(double));
    double *hn = malloc(golden_find(file, "hn")->count * sizeof(double));
    double *cn = malloc(golden_find(file, "cn")->count * sizeof(double));
    reference_forward(&net, &input, out, hn, cn);
    assert_same(file, "out", out, swap);
    assert_same(file, "hn", hn, false);
    assert_same(file, "cn", cn, false);
    double *owned[] = {parameters, x, h0, c0, masks, out, hn, cn};
    for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++)
        free(owned[i]);
    golden_free(file);
}

int main(void)
{
    return golden_run("layer", the_outputs_equal_pytorch);
}
