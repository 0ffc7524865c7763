/*
 * Weight gradients: dW = sum over steps and rows of dgates^T [x, h], after the backward
 * pass through time.
 *
 * Each block of 16 rows of dW is a queue. Its tasks are chunks of steps. x and h of a
 * chunk stay in the second-level cache while all blocks of dgates are processed, so x,
 * h and dgates are each read from memory once. Between chunks the tiles are in memory.
 * They start at zero and are added to the gradient at the end, so that the sums do not
 * depend on the previous gradient.
 */
#include "lib/lstm/nn/pass.h"

/* The right factor of a product, and the gradient to which the product is added. */
typedef struct {
    lstm_operand b;
    /** The first step: 1 when b is an initial state of zeros at step 0. */
    size_t start;
    float *to;
} factor;

/* Products of the gradients a with factors of the same steps and rows of the batch. */
typedef struct {
    const lstm_batch *batch;
    lstm_operand a;
    factor factors[2];
    size_t count;
    /** The direction whose biases get gradients; NULL without biases. */
    const lstm_direction *bias;
    /** For each block of rows: the tiles of the first factor, the tiles of the second
     * factor, and the sums for the bias. */
    float *tiles;
    size_t tile_stride;
} gradient;

/* Maximum number of bytes of x and h of a chunk, and minimum number of rows of a chunk,
 * so that loading and storing the tiles takes little time. */
enum { CHUNK_BYTES = 480 << 10, LEAST_ROWS = 320, TILE = LSTM_BLOCK * LSTM_BLOCK };

static size_t blocks_of(lstm_operand s)
{
    return s.segments * lstm_blocks(s.channels);
}

/* Number of blocks of columns of the factors before this one. */
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

/* First row of the gradient in a block of a. */
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
    const lstm_blocked *blocked = &g->batch->blocked;
    size_t a_blocks = blocks_of(g->a), b_blocks = blocks_of(f->b);
    size_t stride = lstm_blocked_stride(blocked), unit = blocked->kernels->outer_blocks;
    lstm_outer job = {
        .steps = end - start,
        .rows = g->batch->active + start,
        .group_rows = blocked->group_rows,
        .stride = stride,
        .a_step_stride = lstm_blocked_step(blocked, a_blocks),
        .b_step_stride = lstm_blocked_step(blocked, b_blocks),
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

/* The address of a block of a tile in a row of the gradient, and its width without
 * padding. */
static float *destination(const factor *f, size_t row, size_t b_block, size_t *width)
{
    size_t each = lstm_blocks(f->b.channels), channel = b_block % each * LSTM_BLOCK;
    size_t left = f->b.channels - channel;
    *width = left < LSTM_BLOCK ? left : LSTM_BLOCK;
    return f->to + (row * f->b.segments + b_block / each) * f->b.channels + channel;
}

/* Prefetches the part of the gradient to which a tile is added after its products. */
static void prefetch_destination(const gradient *g, const factor *f, size_t a_block,
                                 size_t b_block, size_t blocks)
{
    size_t first = row_of(g, a_block), width;
    for (size_t r = 0; r < rows_of(g, a_block); r++)
        for (size_t i = 0; i < blocks; i++)
            __builtin_prefetch(destination(f, first + r, b_block + i, &width), 1, 2);
}

static void add_tile(const gradient *g, const factor *f, size_t a_block, size_t b_block,
                     size_t blocks)
{
    size_t first = row_of(g, a_block), width;
    const float *tile = tile_of(g, f, a_block, b_block);
    for (size_t r = 0; r < rows_of(g, a_block); r++)
        for (size_t i = 0; i < blocks; i++, tile += LSTM_BLOCK) {
            float *to = destination(f, first + r, b_block + i, &width);
            if (width == LSTM_BLOCK)
                for (size_t lane = 0; lane < LSTM_BLOCK; lane++)
                    to[lane] += tile[lane];
            else
                for (size_t lane = 0; lane < width; lane++)
                    to[lane] += tile[lane];
        }
}

/* Computes the tiles of a block of rows with one factor over a chunk. */
static void add_factor(const gradient *g, const factor *f, size_t a_block, size_t start,
                       size_t end, bool more)
{
    size_t blocks = blocks_of(f->b), unit = g->batch->blocked.kernels->outer_blocks;
    start = start < f->start ? f->start : start;
    if (start == end)
        return;
    for (size_t b = 0; b < blocks; b += unit) {
        lstm_outer job = outer_job(g, f, a_block, b, start, end);
        /* Prefetches the next block of rows during the products. */
        if (f == g->factors && b == 0 && more)
            job.prefetch = job.stride;
        if (end == g->batch->steps)
            prefetch_destination(g, f, a_block, b, job.blocks);
        g->batch->blocked.kernels->outer(&job);
        if (end == g->batch->steps)
            add_tile(g, f, a_block, b, job.blocks);
    }
}

/* Adds the sum of dgates to the gradients of both biases. */
static void add_bias(const gradient *g, size_t a_block, size_t start, size_t end)
{
    float *sums = sums_of(g, a_block);
    lstm_outer job = outer_job(g, g->factors, a_block, 0, start, end);
    g->batch->blocked.kernels->outer_bias(&job, sums);
    if (end < g->batch->steps)
        return;
    float *ih = lstm_direction_grad(g->bias, LSTM_BIAS_IH),
          *hh = lstm_direction_grad(g->bias, LSTM_BIAS_HH);
    size_t first = row_of(g, a_block);
    for (size_t r = 0; r < rows_of(g, a_block); r++) {
        ih[first + r] += sums[r];
        hh[first + r] += sums[r];
    }
}

/* Computes a block of rows over a chunk; the last chunk adds the tiles to the
 * gradients. */
static void add_block(const gradient *g, size_t a_block, size_t start, size_t end,
                      bool more)
{
    for (size_t i = 0; i < g->count; i++)
        add_factor(g, &g->factors[i], a_block, start, end, more);
    if (g->bias)
        add_bias(g, a_block, start, end);
}

/* Number of steps of a chunk. */
static size_t chunk_of(const gradient *g)
{
    size_t row_bytes = 0;
    for (size_t i = 0; i < g->count; i++)
        row_bytes += blocks_of(g->factors[i].b) * LSTM_BLOCK * sizeof(float);
    size_t rows = CHUNK_BYTES / row_bytes;
    rows = rows < LEAST_ROWS ? LEAST_ROWS : rows;
    size_t all = g->batch->steps, most = rows / g->batch->blocked.rows;
    size_t chunks = most ? (all + most - 1) / most : all;
    return (all + chunks - 1) / chunks;
}

static size_t chunks_of(const gradient *g)
{
    size_t chunk = chunk_of(g);
    return (g->batch->steps + chunk - 1) / chunk;
}

size_t lstm_gradient_queues(const lstm_weights *weights)
{
    size_t hidden = lstm_blocks(weights->config.hidden);
    size_t projected = weights->config.proj_size ? lstm_blocks(weights->state) : 0;
    return LSTM_GATES * hidden + projected;
}

size_t lstm_gradient_tiles(const lstm_weights *weights, size_t *stride)
{
    size_t hidden = lstm_blocks(weights->config.hidden), most = 0;
    for (size_t i = 0; i < lstm_weights_count(weights); i++) {
        size_t blocks = lstm_direction_blocks(&weights->direction[i]);
        most = blocks > most ? blocks : most;
    }
    *stride = (most + hidden) * TILE + LSTM_BLOCK;
    return lstm_gradient_queues(weights) * *stride;
}

/* Arguments that the gradients of all directions have in common, and the queues of one
 * kind. */
typedef struct {
    const lstm_weights *weights;
    const lstm_tape *tape;
    const lstm_scratch *scratch;
    lstm_queue *queues;
} source;

/* The gradient of the weights that multiply x and h. */
static gradient cell_gradient(const source *s, size_t index)
{
    const lstm_direction *direction = &s->weights->direction[index];
    const lstm_activations *at = &s->tape->at[index];
    gradient g = {
        .batch = &s->tape->batch,
        .a = {at->gates, LSTM_GATES, s->weights->config.hidden},
        .factors = {{.b = {at->x, direction->x_segments, direction->x_channels},
                     .to = lstm_direction_grad(direction, LSTM_WEIGHT_IH)},
                    {.b = {at->h, 1, s->weights->state},
                     .start = s->tape->has_h0 ? 0 : 1,
                     .to = lstm_direction_grad(direction, LSTM_WEIGHT_HH)}},
        .count = 2,
        .bias = s->weights->config.no_bias ? NULL : direction,
        .tiles = s->scratch->tiles,
    };
    lstm_gradient_tiles(s->weights, &g.tile_stride);
    return g;
}

/* The gradient of the weights that project h. Its blocks of rows have other queues and
 * other tiles.
 */
static gradient projection_gradient(const source *s, size_t index)
{
    size_t hidden = s->weights->config.hidden;
    gradient g = {
        .batch = &s->tape->batch,
        .a = {s->scratch->at[index].dp, 1, s->weights->state},
        .factors = {{.b = {s->tape->at[index].u, 1, hidden},
                     .to = lstm_direction_grad(&s->weights->direction[index],
                                               LSTM_WEIGHT_HR)}},
        .count = 1,
    };
    lstm_gradient_tiles(s->weights, &g.tile_stride);
    g.tiles = s->scratch->tiles + LSTM_GATES * lstm_blocks(hidden) * g.tile_stride;
    return g;
}

typedef gradient (*gradient_of)(const source *, size_t index);

/* The gradient of a task; *task becomes the index of its chunk. */
static gradient gradient_of_task(const source *s, gradient_of of, size_t *task)
{
    gradient g = of(s, 0);
    for (size_t i = 1; *task >= chunks_of(&g); i++) {
        *task -= chunks_of(&g);
        g = of(s, i);
    }
    return g;
}

/* Computes gradients of one kind on a thread. A queue is a block of rows in all
 * directions of all layers, because these use the same tiles. */
static void add_gradients(const source *s, gradient_of of, size_t thread,
                          size_t threads)
{
    size_t length = 0;
    for (size_t i = 0; i < lstm_weights_count(s->weights); i++) {
        gradient g = of(s, i);
        length += chunks_of(&g);
    }
    gradient g = of(s, 0);
    lstm_task task =
        lstm_task_begin(s->queues, blocks_of(g.a), length, thread, threads);
    for (; lstm_task_take(&task); lstm_task_finish(&task)) {
        size_t chunk = task.index;
        g = gradient_of_task(s, of, &chunk);
        size_t steps = chunk_of(&g), start = chunk * steps;
        size_t left = g.batch->steps - start;
        add_block(&g, task.queue, start, start + (left < steps ? left : steps),
                  task.queue + 1 < task.last);
    }
}

void lstm_weight_gradients(const lstm_weights *weights, const lstm_tape *tape,
                           const lstm_scratch *scratch, size_t thread, size_t threads)
{
    source s = {weights, tape, scratch, scratch->queues};
    add_gradients(&s, cell_gradient, thread, threads);
    s.queues += LSTM_GATES * lstm_blocks(weights->config.hidden);
    if (weights->config.proj_size)
        add_gradients(&s, projection_gradient, thread, threads);
}
