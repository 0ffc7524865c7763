#include <math.h>

#include <lstm/rng.h>

#include "lib/lstm/core/rng.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/tensor/tensor.h"

/* One draw per element, the last axis fastest. */
static void draw_axes(lstm_rng *rng, size_t rank, const size_t *shape,
                      const ptrdiff_t *strides, float *data, float low, float width)
{
    for (size_t i = 0; i < shape[0]; i++) {
        float *next = data + (ptrdiff_t)i * strides[0];
        if (rank == 1)
            *next = fmaf(lstm_rng_unit(rng), width, low);
        else
            draw_axes(rng, rank - 1, shape + 1, strides + 1, next, low, width);
    }
}

lstm_status lstm_rng_uniform(lstm_rng *rng, lstm_tensor *tensor, float low, float high)
{
    if (!rng)
        return lstm_fail_null("rng", "rng");
    if (!tensor)
        return lstm_fail_null("rng", "tensor");
    if (!isfinite(low) || !isfinite(high) || !(low <= high) || !isfinite(high - low))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "rng: range is %g to %g, expected finite and low <= high",
                         (double)low, (double)high);
    draw_axes(rng, tensor->rank, tensor->shape, tensor->strides, tensor->data, low,
              high - low);
    return LSTM_OK;
}
