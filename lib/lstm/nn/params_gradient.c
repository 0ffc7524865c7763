/*
 * Computations over all gradients of a set: zeroing, norm, clipping.
 *
 * Gradients are processed in blocks of at most BLOCK elements. A block belongs to one
 * parameter. The blocks are divided among threads. For the norm, the blocks form at
 * most PIECES pieces; each piece is summed in order, then the pieces are summed in
 * order. The sum is the same for any number of threads.
 *
 * Only zeroing processes the gradients of frozen parameters. Parameters without a
 * gradient have no blocks.
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
    /** Blocks per thread: 256 KiB, about 10 us of work. */
    GRAIN = 16
};

/* One traversal of the gradients. */
typedef struct traversal traversal;
struct traversal {
    const lstm_params *params;
    /** Visit frozen parameters as well. */
    bool frozen;
    /** Called for each block of gradients; the block belongs to this piece. */
    void (*visit)(traversal *w, size_t piece, float *values, size_t count);
    size_t blocks, pieces;
    float factor;
    double sums[PIECES];
};

static size_t blocks_of(const traversal *w, size_t index)
{
    const lstm_tensor *grad = lstm_params_grad(w->params, index);
    if (!grad || !(w->frozen || lstm_params_trainable(w->params, index)))
        return 0;
    assert(lstm_tensor_is_contiguous(grad));
    return (lstm_tensor_count(grad) + BLOCK - 1) / BLOCK;
}

/* Index of the first block of a piece. */
static size_t piece_start(const traversal *w, size_t piece)
{
    return piece * w->blocks / w->pieces;
}

/* Visits the blocks of the thread's pieces. */
static void visit_pieces(void *context, lstm_team *team, size_t thread, size_t threads)
{
    traversal *w = context;
    size_t piece = lstm_range_start(w->pieces, 1, thread, threads);
    size_t end = piece_start(w, lstm_range_start(w->pieces, 1, thread + 1, threads));
    size_t at = piece_start(w, piece), first = 0;
    (void)team;
    for (size_t i = 0; at < end; i++) {
        size_t blocks = blocks_of(w, i);
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

static void run(traversal *w)
{
    for (size_t i = 0; i < lstm_params_size(w->params); i++)
        w->blocks += blocks_of(w, i);
    w->pieces = w->blocks < PIECES ? w->blocks : PIECES;
    if (w->blocks > 0)
        lstm_pool_run(visit_pieces, w, w->blocks / GRAIN + 1);
}

static void zero(traversal *w, size_t piece, float *values, size_t count)
{
    (void)w;
    (void)piece;
    memset(values, 0, count * sizeof(*values));
}

lstm_status lstm_params_zero_grad(lstm_params *params)
{
    if (!params)
        return lstm_fail_null("params", "params");
    run(&(traversal){.params = params, .frozen = true, .visit = zero});
    return LSTM_OK;
}

static void add_squares(traversal *w, size_t piece, float *values, size_t count)
{
    w->sums[piece] += lstm_kernels_get()->sum_squares(count, values);
}

static double sum_squares(const lstm_params *params)
{
    traversal w = {.params = params, .visit = add_squares};
    double sum = 0;
    run(&w);
    for (size_t piece = 0; piece < w.pieces; piece++)
        sum += w.sums[piece];
    return sum;
}

lstm_status lstm_params_check_finite(const lstm_params *params)
{
    /* A sum of squares of finite floats cannot overflow a double. */
    if (isfinite(sum_squares(params)))
        return LSTM_OK;
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        const lstm_tensor *grad = lstm_params_grad(params, i);
        size_t count = lstm_params_trainable(params, i) ? lstm_tensor_count(grad) : 0;
        for (size_t j = 0; j < count; j++)
            if (!isfinite(grad->data[j]))
                return lstm_fail(LSTM_NOT_FINITE,
                                 "params: gradient of %s is %g at element %zu, "
                                 "expected finite",
                                 lstm_params_name(params, i), (double)grad->data[j], j);
    }
    return LSTM_OK;
}

static void scale(traversal *w, size_t piece, float *values, size_t count)
{
    (void)piece;
    lstm_kernels_get()->scale(count, values, w->factor);
}

lstm_status lstm_params_clip_norm(lstm_params *params, double max_norm, double *norm)
{
    /* Added to the norm, as torch.nn.utils.clip_grad_norm_() does. */
    const double eps = 1e-6;
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
    float factor = (float)(max_norm / (total + eps));
    if (factor < 1)
        run(&(traversal){.params = params, .visit = scale, .factor = factor});
    return LSTM_OK;
}

static void clip(traversal *w, size_t piece, float *values, size_t count)
{
    (void)piece;
    const float high = w->factor;
    for (size_t i = 0; i < count; i++) {
        /* Comparisons with NaN are false, so NaN stays NaN. */
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
    run(&(traversal){.params = params, .visit = clip, .factor = (float)limit});
    return LSTM_OK;
}
