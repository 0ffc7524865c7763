/*
 * Weight gradients: dW = sum over steps and rows of dgates^T [x, h], after the sweep
 * back.
 *
 * Threads own blocks of 16 rows of dW. Time goes in pieces of so many steps that a
 * block of dgates stays in the first level cache and all of x and h in the second,
 * while the tiles of a block of rows follow each other; between pieces tiles wait in
 * memory. They start at zero and are added to the gradient at the end, so what was
 * there before does not enter the sums.
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
    /** Tiles of all blocks of rows, each with room for tile_blocks blocks of columns.
     */
    float *tiles;
    size_t tile_blocks;
} gradient;

/* Rows of the batch in a piece of time: 28 KiB of a block of dgates. */
enum { PIECE_ROWS = 256 };

static float *tile_of(const gradient *g, size_t a_block, size_t b_block)
{
    return g->tiles + (a_block * g->tile_blocks + b_block) * LSTM_BLOCK * LSTM_BLOCK;
}

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
        .tile = tile_of(g, a_block, b_block),
        .first = start == g->start,
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
    const float *tile = tile_of(g, a_block, b_block);
    for (size_t r = 0; r < LSTM_BLOCK && first + r < g->a_channels; r++) {
        size_t row = a_block / a_each * g->a_channels + first + r;
        for (size_t i = 0; i < blocks; i++) {
            size_t channel = (b_block + i) % b_each * LSTM_BLOCK;
            size_t left = g->b_channels - channel;
            size_t width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
            float *to = g->to + row * columns + (b_block + i) / b_each * g->b_channels +
                        channel;
            const float *from = tile + (r * blocks + i) * LSTM_BLOCK;
            for (size_t lane = 0; lane < width; lane++)
                to[lane] += from[lane];
        }
    }
}

/* The tiles of the share's blocks of rows over a piece of time; the last one adds them.
 */
static void add_piece(const gradient *g, size_t share, size_t shares, size_t start,
                      size_t end)
{
    size_t a_blocks = g->a_segments * lstm_blocks(g->a_channels);
    size_t b_blocks = g->b_segments * lstm_blocks(g->b_channels);
    size_t unit = lstm_kernels_get()->outer_blocks;
    size_t a_end = lstm_share_start(a_blocks, 1, share + 1, shares);
    for (size_t a = lstm_share_start(a_blocks, 1, share, shares); a < a_end; a++)
        for (size_t b = 0; b < b_blocks; b += unit) {
            lstm_outer job = outer_job(g, a, b, start, end);
            lstm_kernels_get()->outer(&job);
            if (end == g->run->steps)
                add_tile(g, a, b, job.blocks);
        }
}

static void add_products(const gradient *g, size_t share, size_t shares)
{
    size_t steps = PIECE_ROWS / g->run->batch;
    steps = steps ? steps : 1;
    for (size_t start = g->start; start < g->run->steps; start += steps) {
        size_t left = g->run->steps - start;
        add_piece(g, share, shares, start, start + (left < steps ? left : steps));
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

size_t lstm_gradient_tiles(const lstm_layer *layer, size_t *tile_blocks)
{
    size_t hidden = lstm_blocks(layer->config.hidden), most = 0;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_direction *direction = &layer->direction[i];
        size_t blocks = direction->x_segments * lstm_blocks(direction->x_channels);
        most = blocks > most ? blocks : most;
    }
    most = hidden > most ? hidden : most;
    *tile_blocks = most;
    size_t rows = LSTM_GATES * hidden;
    if (layer->config.proj_size)
        rows += lstm_blocks(layer->state);
    return rows * most * LSTM_BLOCK * LSTM_BLOCK;
}

void lstm_weight_gradients(const lstm_layer *layer, const lstm_run *run, size_t share,
                           size_t shares)
{
    size_t hidden = layer->config.hidden, tile_blocks;
    lstm_gradient_tiles(layer, &tile_blocks);
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
                      .tiles = run->tiles,
                      .tile_blocks = tile_blocks};
        add_products(&g, share, shares);
        if (direction->bias_ih)
            add_bias(&g, direction, share, shares);
        g.b = at->h;
        g.b_segments = 1;
        g.b_channels = layer->state;
        g.start = run->has_h0 ? 0 : 1;
        g.to = direction->weight_hh->grad->data;
        add_products(&g, share, shares);
        if (!direction->weight_hr)
            continue;
        /* Its rows are dealt out differently, so it has tiles of its own. */
        g.tiles = tile_of(&g, LSTM_GATES * lstm_blocks(hidden), 0);
        g.a = at->dp;
        g.b = at->u;
        g.a_segments = 1;
        g.a_channels = layer->state;
        g.b_channels = hidden;
        g.start = 0;
        g.to = direction->weight_hr->grad->data;
        add_products(&g, share, shares);
    }
}
