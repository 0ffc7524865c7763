/*
 * What is computed over all gradients of a set: zeroing, norm, clipping.
 *
 * They are walked in blocks of at most BLOCK elements that never cross the end of a
 * parameter, and threads share the blocks. The norm adds up the blocks of each of at
 * most PIECES pieces in order, then the pieces: the same chain for any number of
 * threads.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/params.h>

enum {
    BLOCK = 4096,
    PIECES = 256,
    /** Blocks that are worth a thread: 256 KiB, some 10 us. */
    GRAIN = 16
};

/* What is done to a block of gradients; piece is the one that the block is in. */
typedef struct walk walk;
struct walk {
    const lstm_params *params;
    void (*visit)(walk *w, size_t piece, float *values, size_t count);
    size_t blocks, pieces;
    float factor;
    double sums[PIECES];
};

static size_t blocks_of(const lstm_params *params, size_t index)
{
    const lstm_tensor *grad = lstm_params_grad(params, index);
    assert(lstm_tensor_is_contiguous(grad));
    return (lstm_tensor_count(grad) + BLOCK - 1) / BLOCK;
}

/* First block of a piece. */
static size_t piece_start(const walk *w, size_t piece)
{
    return piece * w->blocks / w->pieces;
}

/* Visits the blocks of the share's pieces. */
static void walk_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    walk *w = work;
    size_t piece = lstm_range_start(w->pieces, 1, share, shares);
    size_t end = piece_start(w, lstm_range_start(w->pieces, 1, share + 1, shares));
    size_t at = piece_start(w, piece), first = 0;
    (void)team;
    for (size_t i = 0; at < end; i++) {
        size_t blocks = blocks_of(w->params, i);
        const lstm_tensor *grad = lstm_params_grad(w->params, i);
        for (; at < end && at < first + blocks; at++) {
            size_t start = (at - first) * BLOCK;
            size_t left = lstm_tensor_count(grad) - start;
            while (at >= piece_start(w, piece + 1))
                piece++;
            w->visit(w, piece, grad->data + start, left < BLOCK ? left : BLOCK);
        }
        first += blocks;
    }
}

static void run(walk *w)
{
    for (size_t i = 0; i < lstm_params_size(w->params); i++)
        w->blocks += blocks_of(w->params, i);
    w->pieces = w->blocks < PIECES ? w->blocks : PIECES;
    if (w->blocks > 0)
        lstm_pool_run(walk_share, w, w->blocks / GRAIN + 1);
}

static void zero(walk *w, size_t piece, float *values, size_t count)
{
    (void)w;
    (void)piece;
    memset(values, 0, count * sizeof(*values));
}

lstm_status lstm_params_zero_grad(lstm_params *params)
{
    if (!params)
        return lstm_fail_null("params", "params");
    run(&(walk){.params = params, .visit = zero});
    return LSTM_OK;
}

static void add_squares(walk *w, size_t piece, float *values, size_t count)
{
    w->sums[piece] += lstm_kernels_get()->sum_squares(count, values);
}

static double sum_squares(const lstm_params *params)
{
    walk w = {.params = params, .visit = add_squares};
    double sum = 0;
    run(&w);
    for (size_t piece = 0; piece < w.pieces; piece++)
        sum += w.sums[piece];
    return sum;
}

lstm_status lstm_params_check_finite(const lstm_params *params)
{
    /* No sum of squares of floats reaches the end of double: it is finite when all of
     * them are. */
    if (isfinite(sum_squares(params)))
        return LSTM_OK;
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const lstm_tensor *grad = lstm_params_grad(params, i);
        for (size_t j = 0; j < lstm_tensor_count(grad); j++)
            if (!isfinite(grad->data[j]))
                return lstm_fail(LSTM_NOT_FINITE,
                                 "params: gradient of %s is %g at element %zu, "
                                 "expected finite",
                                 lstm_params_name(params, i), (double)grad->data[j], j);
    }
    return LSTM_OK;
}

static void scale(walk *w, size_t piece, float *values, size_t count)
{
    (void)piece;
    lstm_kernels_get()->scale(count, values, w->factor);
}

lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm)
{
    /* torch.nn.utils.clip_grad_norm_() adds this to the norm. */
    const double guard = 1e-6;
    if (!params)
        return lstm_fail_null("params", "params");
    if (!(max_norm > 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: max_norm is %g, expected above 0", max_norm);
    double total = sqrt(sum_squares(params));
    if (norm)
        *norm = total;
    if (!isfinite(total))
        return lstm_params_check_finite(params);
    float factor = (float)(max_norm / (total + guard));
    if (factor < 1)
        run(&(walk){.params = params, .visit = scale, .factor = factor});
    return LSTM_OK;
}

static void clip(walk *w, size_t piece, float *values, size_t count)
{
    (void)piece;
    const float high = w->factor;
    for (size_t i = 0; i < count; i++) {
        /* A NaN is neither above nor below, and stays. */
        float value = values[i] > high ? high : values[i];
        values[i] = value < -high ? -high : value;
    }
}

lstm_status lstm_params_clip_value(lstm_params *params, double limit)
{
    if (!params)
        return lstm_fail_null("params", "params");
    if (!(limit >= 0))
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "params: limit is %g, expected at least 0", limit);
    run(&(walk){.params = params, .visit = clip, .factor = (float)limit});
    return LSTM_OK;
}
