/*
 * Weight gradients: dW = sum over steps and rows of dgates^T [x, h], after the sweep
 * back.
 *
 * Blocks of 16 rows of dW are chains that threads take in turns. Time goes in pieces of
 * so many steps that x and h of a piece stay in the second level cache, while one block
 * of dgates after the other meets all of them: each comes from memory once. Between
 * pieces tiles wait in memory. They start at zero and are added to the gradient at the
 * end, so what was there before does not enter the sums.
 */
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* A blocked sequence. */
typedef struct {
    const float *data;
    size_t segments, channels;
} sequence;

/* The right factor of a product, and the matrix of the caller's that it is added to. */
typedef struct {
    sequence b;
    /** First step that counts: 1 when b is an initial state of zeros there. */
    size_t start;
    float *to;
} factor;

/* Products of gradients a [rows in segments] with factors that have these rows. */
typedef struct {
    const lstm_run *run;
    sequence a;
    factor factors[2];
    size_t count;
    /** NULL where there is no bias. */
    const lstm_direction *bias;
    /** For each block of rows its tiles, those of the first factor first, and its sums
     * for the bias. */
    float *tiles;
    size_t tile_stride;
} gradient;

/* What x and h of a piece of time take, and the rows of the batch that are worth a load
 * and a store of the tiles. */
enum { PIECE_BYTES = 480 << 10, LEAST_ROWS = 320, TILE = LSTM_BLOCK * LSTM_BLOCK };

static size_t blocks_of(sequence s)
{
    return s.segments * lstm_blocks(s.channels);
}

/* Blocks of columns of the factors before this one. */
static size_t first_block(const gradient *g, const factor *f)
{
    return f == g->factors ? 0 : blocks_of(g->factors[0].b);
}

static float *tile_of(const gradient *g, const factor *f, size_t a_block,
                      size_t b_block)
{
    return g->tiles + a_block * g->tile_stride + (first_block(g, f) + b_block) * TILE;
}

static float *sums_of(const gradient *g, size_t a_block)
{
    return tile_of(g, &g->factors[g->count - 1], a_block,
                   blocks_of(g->factors[g->count - 1].b));
}

/* First row of the caller's matrix in a block of a, and how many of the block are no
 * padding. */
static size_t row_of(const gradient *g, size_t a_block)
{
    size_t each = lstm_blocks(g->a.channels);
    return a_block / each * g->a.channels + a_block % each * LSTM_BLOCK;
}

static size_t rows_of(const gradient *g, size_t a_block)
{
    size_t left = g->a.channels - a_block % lstm_blocks(g->a.channels) * LSTM_BLOCK;
    return left < LSTM_BLOCK ? left : LSTM_BLOCK;
}

static lstm_outer outer_job(const gradient *g, const factor *f, size_t a_block,
                            size_t b_block, size_t start, size_t end)
{
    const lstm_run *run = g->run;
    size_t a_blocks = blocks_of(g->a), b_blocks = blocks_of(f->b);
    size_t stride = lstm_run_stride(run), unit = g->run->kernels->outer_blocks;
    lstm_outer job = {
        .steps = end - start,
        .rows = run->active + start,
        .group_rows = run->group_rows,
        .stride = stride,
        .a_step_stride = lstm_run_step(run, a_blocks),
        .b_step_stride = lstm_run_step(run, b_blocks),
        .a_group_stride = a_blocks * stride,
        .b_group_stride = b_blocks * stride,
        .tile_rows = rows_of(g, a_block),
        .blocks = b_blocks - b_block < unit ? b_blocks - b_block : unit,
        .tile = tile_of(g, f, a_block, b_block),
        .first = start == f->start,
    };
    job.a = g->a.data + start * job.a_step_stride + a_block * stride;
    job.b = f->b.data + start * job.b_step_stride + b_block * stride;
    return job;
}

/* Where a block of a tile goes in a row of the caller's matrix, and how wide it is
 * without padding. */
static float *place(const factor *f, size_t row, size_t b_block, size_t *width)
{
    size_t each = lstm_blocks(f->b.channels), channel = b_block % each * LSTM_BLOCK;
    size_t left = f->b.channels - channel;
    *width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
    return f->to + (row * f->b.segments + b_block / each) * f->b.channels + channel;
}

/* Asks for the caller's lines before the products of a tile that will be added. */
static void fetch_place(const gradient *g, const factor *f, size_t a_block,
                        size_t b_block, size_t blocks)
{
    size_t first = row_of(g, a_block), width;
    for (size_t r = 0; r < rows_of(g, a_block); r++)
        for (size_t i = 0; i < blocks; i++)
            __builtin_prefetch(place(f, first + r, b_block + i, &width), 1, 2);
}

static void add_tile(const gradient *g, const factor *f, size_t a_block, size_t b_block,
                     size_t blocks)
{
    size_t first = row_of(g, a_block), width;
    const float *tile = tile_of(g, f, a_block, b_block);
    for (size_t r = 0; r < rows_of(g, a_block); r++)
        for (size_t i = 0; i < blocks; i++, tile += LSTM_BLOCK) {
            float *to = place(f, first + r, b_block + i, &width);
            if (width == LSTM_BLOCK)
                for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
                    to[lane] += tile[lane];
            else
                for (size_t lane = 0; lane < width; lane++)
                    to[lane] += tile[lane];
        }
}

/* The tiles of a block of rows with one factor over a piece of time. */
static void add_factor(const gradient *g, const factor *f, size_t a_block, size_t start,
                       size_t end, bool more)
{
    size_t blocks = blocks_of(f->b), unit = g->run->kernels->outer_blocks;
    start = start < f->start ? f->start : start;
    if (start == end)
        return;
    for (size_t b = 0; b < blocks; b += unit) {
        lstm_outer job = outer_job(g, f, a_block, b, start, end);
        /* The block of rows that follows is brought in meanwhile. */
        if (f == g->factors && b == 0 && more)
            job.prefetch = job.stride;
        if (end == g->run->steps)
            fetch_place(g, f, a_block, b, job.blocks);
        g->run->kernels->outer(&job);
        if (end == g->run->steps)
            add_tile(g, f, a_block, b, job.blocks);
    }
}

/* Both biases get the sum of dgates. */
static void add_bias(const gradient *g, size_t a_block, size_t start, size_t end)
{
    float *sums = sums_of(g, a_block);
    lstm_outer job = outer_job(g, g->factors, a_block, 0, start, end);
    g->run->kernels->outer_bias(&job, sums);
    if (end < g->run->steps)
        return;
    float *ih = g->bias->bias_ih->grad->data, *hh = g->bias->bias_hh->grad->data;
    size_t first = row_of(g, a_block);
    for (size_t r = 0; r < rows_of(g, a_block); r++) {
        ih[first + r] += sums[r];
        hh[first + r] += sums[r];
    }
}

/* A block of rows over a piece of time; the last one adds to the caller's gradients. */
static void add_block(const gradient *g, size_t a_block, size_t start, size_t end,
                      bool more)
{
    for (size_t i = 0; i < g->count; i++)
        add_factor(g, &g->factors[i], a_block, start, end, more);
    if (g->bias)
        add_bias(g, a_block, start, end);
}

/* Steps of a piece. */
static size_t piece_of(const gradient *g)
{
    size_t row_bytes = 0;
    for (size_t i = 0; i < g->count; i++)
        row_bytes += blocks_of(g->factors[i].b) * LSTM_BLOCK * sizeof(float);
    size_t rows = PIECE_BYTES / row_bytes;
    rows = rows < LEAST_ROWS ? LEAST_ROWS : rows;
    size_t all = g->run->steps, most = rows / g->run->batch;
    size_t pieces = most ? (all + most - 1) / most : all;
    return (all + pieces - 1) / pieces;
}

static size_t pieces_of(const gradient *g)
{
    size_t piece = piece_of(g);
    return (g->run->steps + piece - 1) / piece;
}

size_t lstm_gradient_chains(const lstm_layer *layer)
{
    size_t hidden = lstm_blocks(layer->config.hidden);
    size_t projected = layer->config.proj_size ? lstm_blocks(layer->state) : 0;
    return LSTM_GATES * hidden + projected;
}

size_t lstm_gradient_tiles(const lstm_layer *layer, size_t *stride)
{
    size_t hidden = lstm_blocks(layer->config.hidden), most = 0;
    for (size_t i = 0; i < layer->config.layers * layer->directions; i++) {
        const lstm_direction *direction = &layer->direction[i];
        size_t blocks = direction->x_segments * lstm_blocks(direction->x_channels);
        most = blocks > most ? blocks : most;
    }
    *stride = (most + hidden) * TILE + LSTM_BLOCK;
    return lstm_gradient_chains(layer) * *stride;
}

/* Of the weights that read x and h. */
static gradient cell_gradient(const lstm_layer *layer, const lstm_run *run,
                              size_t index)
{
    const lstm_direction *direction = &layer->direction[index];
    const lstm_activations *at = &run->at[index];
    gradient g = {
        .run = run,
        .a = {at->gates, LSTM_GATES, layer->config.hidden},
        .factors = {{.b = {at->x, direction->x_segments, direction->x_channels},
                     .to = direction->weight_ih->grad->data},
                    {.b = {at->h, 1, layer->state},
                     .start = run->has_h0 ? 0 : 1,
                     .to = direction->weight_hh->grad->data}},
        .count = 2,
        .bias = direction->bias_ih ? direction : NULL,
        .tiles = layer->scratch.tiles,
    };
    lstm_gradient_tiles(layer, &g.tile_stride);
    return g;
}

/* Of the weights that project h. Its blocks of rows are other chains, with tiles of
 * their own. */
static gradient projection_gradient(const lstm_layer *layer, const lstm_run *run,
                                    size_t index)
{
    const lstm_activations *at = &run->at[index];
    size_t hidden = layer->config.hidden;
    gradient g = {
        .run = run,
        .a = {layer->scratch.at[index].dp, 1, layer->state},
        .factors = {{.b = {at->u, 1, hidden},
                     .to = layer->direction[index].weight_hr->grad->data}},
        .count = 1,
    };
    lstm_gradient_tiles(layer, &g.tile_stride);
    g.tiles = layer->scratch.tiles + LSTM_GATES * lstm_blocks(hidden) * g.tile_stride;
    return g;
}

typedef gradient (*gradient_of)(const lstm_layer *, const lstm_run *, size_t index);

/* What the share does of one kind of gradients. A chain is a block of rows, in all
 * directions of all layers after each other: its tiles are used by one at a time. */
static void add_gradients(const lstm_layer *layer, const lstm_run *run, gradient_of of,
                          lstm_queue *chains, size_t share, size_t shares)
{
    size_t directions = layer->config.layers * layer->directions, slices = 0;
    for (size_t i = 0; i < directions; i++) {
        gradient g = of(layer, run, i);
        slices += pieces_of(&g);
    }
    gradient g = of(layer, run, 0);
    lstm_task task = lstm_task_begin(chains, blocks_of(g.a), slices, share, shares);
    for (; lstm_task_take(&task); lstm_task_finish(&task)) {
        size_t piece = task.index;
        g = of(layer, run, 0);
        for (size_t i = 1; piece >= pieces_of(&g); i++) {
            piece -= pieces_of(&g);
            g = of(layer, run, i);
        }
        size_t steps = piece_of(&g), start = piece * steps, left = run->steps - start;
        add_block(&g, task.queue, start, start + (left < steps ? left : steps),
                  task.queue + 1 < task.last);
    }
}

void lstm_weight_gradients(const lstm_layer *layer, const lstm_run *run, size_t share,
                           size_t shares)
{
    add_gradients(layer, run, cell_gradient, layer->scratch.chains, share, shares);
    if (layer->config.proj_size)
        add_gradients(layer, run, projection_gradient,
                      layer->scratch.chains +
                          LSTM_GATES * lstm_blocks(layer->config.hidden),
                      share, shares);
}
