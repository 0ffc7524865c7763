/*
 * Weight gradients: dW = sum over steps and rows of dgates^T [x, h], after the sweep
 * back.
 *
 * Threads own blocks of 16 rows of dW. Time goes in pieces of about as many rows as
 * keep a panel of dgates in the second level cache; within one, the tiles of a block of
 * rows follow each other, so that the panel is read from memory once. A tile starts at
 * zero and is added to the gradient at the end, so what was there before does not enter
 * the sums.
 */
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* A product of gradients a [rows in segments] and inputs b [columns in segments] that
 * is added to a matrix of the caller's. */
typedef struct {
    const lstm_run *run;
    const float *a, *b;
    size_t a_segments, a_channels, b_segments, b_channels;
    /** First step that counts: 1 when b is an initial state of zeros there. */
    size_t start;
    float *to;
    float *tile;
} gradient;

static lstm_outer outer_job(const gradient *g, size_t a_block, size_t b_block,
                            size_t start, size_t end)
{
    const lstm_run *run = g->run;
    size_t a_blocks = g->a_segments * lstm_blocks(g->a_channels);
    size_t b_blocks = g->b_segments * lstm_blocks(g->b_channels);
    size_t stride = lstm_run_stride(run), unit = lstm_kernels_get()->outer_blocks;
    lstm_outer job = {
        .steps = end - start,
        .rows = run->active + start,
        .group_rows = run->group_rows,
        .stride = stride,
        .a_step = lstm_run_step(run, a_blocks),
        .b_step = lstm_run_step(run, b_blocks),
        .a_group = a_blocks * stride,
        .b_group = b_blocks * stride,
        .blocks = b_blocks - b_block < unit ? b_blocks - b_block : unit,
        .tile = g->tile,
        .first = true,
    };
    job.a = g->a + start * job.a_step + a_block * stride;
    job.b = g->b + start * job.b_step + b_block * stride;
    return job;
}

/* Adds a tile to its place in the caller's matrix, without the padding. */
static void add_tile(const gradient *g, size_t a_block, size_t b_block, size_t blocks)
{
    size_t a_each = lstm_blocks(g->a_channels), b_each = lstm_blocks(g->b_channels);
    size_t first = a_block % a_each * LSTM_BLOCK,
           columns = g->b_segments * g->b_channels;
    for (size_t r = 0; r < LSTM_BLOCK && first + r < g->a_channels; r++) {
        size_t row = a_block / a_each * g->a_channels + first + r;
        for (size_t i = 0; i < blocks; i++) {
            size_t channel = (b_block + i) % b_each * LSTM_BLOCK;
            size_t left = g->b_channels - channel;
            size_t width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
            float *to = g->to + row * columns + (b_block + i) / b_each * g->b_channels +
                        channel;
            const float *from = g->tile + (r * blocks + i) * LSTM_BLOCK;
            for (size_t lane = 0; lane < width; lane++)
                to[lane] += from[lane];
        }
    }
}

/* The tiles of the share's blocks of rows. */
static void add_products(const gradient *g, size_t share, size_t shares)
{
    size_t a_blocks = g->a_segments * lstm_blocks(g->a_channels);
    size_t b_blocks = g->b_segments * lstm_blocks(g->b_channels);
    size_t unit = lstm_kernels_get()->outer_blocks;
    size_t end = lstm_share_start(a_blocks, 1, share + 1, shares);
    for (size_t a = lstm_share_start(a_blocks, 1, share, shares); a < end; a++)
        for (size_t b = 0; b < b_blocks; b += unit) {
            lstm_outer job = outer_job(g, a, b, g->start, g->run->steps);
            lstm_kernels_get()->outer(&job);
            add_tile(g, a, b, job.blocks);
        }
}

/* Both biases get the sum of dgates. */
static void add_bias(const gradient *g, const lstm_direction *direction, size_t share,
                     size_t shares)
{
    size_t each = lstm_blocks(g->a_channels), blocks = g->a_segments * each;
    size_t end = lstm_share_start(blocks, 1, share + 1, shares);
    for (size_t a = lstm_share_start(blocks, 1, share, shares); a < end; a++) {
        _Alignas(64) float sums[LSTM_BLOCK];
        lstm_outer job = outer_job(g, a, 0, 0, g->run->steps);
        lstm_kernels_get()->outer_bias(&job, sums);
        size_t first = a % each * LSTM_BLOCK;
        for (size_t r = 0; r < LSTM_BLOCK && first + r < g->a_channels; r++) {
            size_t row = a / each * g->a_channels + first + r;
            direction->bias_ih->grad->data[row] += sums[r];
            direction->bias_hh->grad->data[row] += sums[r];
        }
    }
}

void lstm_weight_gradients(const lstm_layer *layer, const lstm_run *run, size_t share,
                           size_t shares)
{
    size_t hidden = layer->config.hidden;
    size_t tile = LSTM_BLOCK * LSTM_BLOCK * lstm_kernels_get()->outer_blocks;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_direction *direction = &layer->direction[i];
        const lstm_activations *at = &run->at[i];
        gradient g = {.run = run,
                      .a = at->gates,
                      .b = at->x,
                      .a_segments = LSTM_GATES,
                      .a_channels = hidden,
                      .b_segments = direction->x_segments,
                      .b_channels = direction->x_channels,
                      .to = direction->weight_ih->grad->data,
                      .tile = run->tiles + share * tile};
        add_products(&g, share, shares);
        if (direction->bias_ih)
            add_bias(&g, direction, share, shares);
        g.b = at->h;
        g.b_segments = 1;
        g.b_channels = layer->state;
        g.start = run->has_h0 ? 0 : 1;
        g.to = direction->weight_hh->grad->data;
        if (g.start < run->steps)
            add_products(&g, share, shares);
        if (direction->weight_hr) {
            g = (gradient){.run = run,
                           .a = at->dp,
                           .b = at->u,
                           .a_segments = 1,
                           .a_channels = layer->state,
                           .b_segments = 1,
                           .b_channels = hidden,
                           .to = direction->weight_hr->grad->data,
                           .tile = run->tiles + share * tile};
            add_products(&g, share, shares);
        }
    }
}
