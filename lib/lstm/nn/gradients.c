/*
 * Weight gradients: dW = sum over steps and rows of dgates^T [x, h], after the backward
 * pass through time.
 *
 * Each block of 16 rows of dW is a queue. Its tasks are chunks of steps. x and h of a
 * chunk stay in the second-level cache while all blocks of dgates are processed, so x,
 * h and dgates are each read from memory once. Between chunks the tiles are in memory.
 *
 * Float32 sums of many terms lose digits: the error of one chain grows like the square
 * root of its length. A chain therefore has at most CHAIN_ROWS terms: the rows of a few
 * steps, or a part of the rows of one step. It consists of one or more chunks, starts
 * at zero, and is added to the gradient at its end. Chains depend only on the sizes.
 */
#include "lib/common/extremes.h"
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

/* Maximum number of terms of a chain. 2,048 keep the errors near 2e-6 of the largest
 * element, and adding a tile takes less than 1 multiply-add in 1,000. */
enum { CHAIN_ROWS = 2048 };
_Static_assert(CHAIN_ROWS % LSTM_GROUP_ROWS == 0, "a chain has whole groups of rows");

/* A chunk: steps start to end - 1 of the chain of steps first to last - 1. A step of
 * more than CHAIN_ROWS rows has several chains, each of one chunk. */
typedef struct {
    size_t start, end, first, last;
    /** The first row, and with several chains in a step the number of rows, else 0. */
    size_t row, rows;
} chunk;

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
    return common_smaller(left, LSTM_BLOCK);
}

static lstm_outer outer_job(const gradient *g, const factor *f, size_t a_block,
                            size_t b_block, const chunk *c)
{
    const lstm_blocked *blocked = &g->batch->blocked;
    size_t a_blocks = blocks_of(g->a), b_blocks = blocks_of(f->b);
    size_t stride = lstm_blocked_stride(blocked), unit = blocked->kernels->outer_blocks;
    size_t start = common_larger(c->start, f->start),
           group = c->row / blocked->group_rows;
    lstm_outer job = {
        .steps = c->end - start,
        .rows = c->rows ? &c->rows : g->batch->active + start,
        .group_rows = blocked->group_rows,
        .stride = stride,
        .a_step_stride = lstm_blocked_step(blocked, a_blocks),
        .b_step_stride = lstm_blocked_step(blocked, b_blocks),
        .a_group_stride = a_blocks * stride,
        .b_group_stride = b_blocks * stride,
        .tile_rows = rows_of(g, a_block),
        .blocks = common_smaller(b_blocks - b_block, unit),
        .tile = tile_of(g, f, a_block, b_block),
        .first = start == common_larger(c->first, f->start),
    };
    job.a = g->a.data + start * job.a_step_stride + group * job.a_group_stride +
            a_block * stride;
    job.b = f->b.data + start * job.b_step_stride + group * job.b_group_stride +
            b_block * stride;
    return job;
}

/* The address of a block of a tile in a row of the gradient, and its width without
 * padding. */
static float *destination(const factor *f, size_t row, size_t b_block, size_t *width)
{
    size_t each = lstm_blocks(f->b.channels), channel = b_block % each * LSTM_BLOCK;
    size_t left = f->b.channels - channel;
    *width = common_smaller(left, LSTM_BLOCK);
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

/* Computes the tiles of a block of rows with one factor over a chunk. The last chunk of
 * a chain adds them to the gradient. */
static void add_factor(const gradient *g, const factor *f, size_t a_block,
                       const chunk *c, bool more)
{
    size_t blocks = blocks_of(f->b), unit = g->batch->blocked.kernels->outer_blocks;
    if (common_larger(c->start, f->start) >= c->end)
        return;
    for (size_t b = 0; b < blocks; b += unit) {
        lstm_outer job = outer_job(g, f, a_block, b, c);
        /* Prefetches the next block of rows during the products. */
        if (f == g->factors && b == 0 && more)
            job.prefetch = job.stride;
        if (c->end == c->last)
            prefetch_destination(g, f, a_block, b, job.blocks);
        g->batch->blocked.kernels->outer(&job);
        if (c->end == c->last)
            add_tile(g, f, a_block, b, job.blocks);
    }
}

/* Sums dgates over a chunk. The last chunk of a chain adds the sums to the gradients of
 * both biases. */
static void add_bias(const gradient *g, size_t a_block, const chunk *c)
{
    float *sums = sums_of(g, a_block);
    lstm_outer job = outer_job(g, g->factors, a_block, 0, c);
    g->batch->blocked.kernels->outer_bias(&job, sums);
    if (c->end < c->last)
        return;
    float *ih = lstm_direction_grad(g->bias, LSTM_BIAS_IH),
          *hh = lstm_direction_grad(g->bias, LSTM_BIAS_HH);
    size_t first = row_of(g, a_block);
    for (size_t r = 0; r < rows_of(g, a_block); r++) {
        ih[first + r] += sums[r];
        hh[first + r] += sums[r];
    }
}

/* Computes a block of rows over a chunk. */
static void add_block(const gradient *g, size_t a_block, const chunk *c, bool more)
{
    for (size_t i = 0; i < g->count; i++)
        add_factor(g, &g->factors[i], a_block, c, more);
    if (g->bias)
        add_bias(g, a_block, c);
}

static size_t divide_up(size_t count, size_t by)
{
    return (count + by - 1) / by;
}

/* Steps of each part when steps are divided evenly into parts of at most most rows, but
 * at least one step. */
static size_t steps_of_part(const gradient *g, size_t steps, size_t most)
{
    size_t parts = divide_up(steps, common_larger(most / g->batch->blocked.rows, 1));
    return divide_up(steps, parts);
}

static size_t chain_steps(const gradient *g)
{
    return steps_of_part(g, g->batch->steps, CHAIN_ROWS);
}

static size_t chunk_steps(const gradient *g)
{
    size_t row_bytes = 0;
    for (size_t i = 0; i < g->count; i++)
        row_bytes += blocks_of(g->factors[i].b) * LSTM_BLOCK * sizeof(float);
    return steps_of_part(g, chain_steps(g),
                         common_larger(CHUNK_BYTES / row_bytes, LEAST_ROWS));
}

/* Number of chains of a step; 1 if a chain has all rows. */
static size_t chains_of_step(const gradient *g)
{
    return divide_up(g->batch->blocked.rows, CHAIN_ROWS);
}

static size_t chunks_of(const gradient *g)
{
    size_t steps = g->batch->steps, chain = chain_steps(g), each = chunk_steps(g);
    size_t chunks = steps / chain * divide_up(chain, each);
    return (chunks + divide_up(steps % chain, each)) * chains_of_step(g);
}

/* The chunk of a step with several chains; without steps if its rows are not active. */
static chunk chunk_of_rows(const gradient *g, size_t index)
{
    size_t chains = chains_of_step(g), step = index / chains;
    size_t row = index % chains * CHAIN_ROWS, active = g->batch->active[step];
    size_t rows = active > row ? common_smaller(active - row, CHAIN_ROWS) : 0;
    size_t end = rows ? step + 1 : step;
    return (chunk){step, end, step, end, row, rows};
}

static chunk chunk_of(const gradient *g, size_t index)
{
    if (chains_of_step(g) > 1)
        return chunk_of_rows(g, index);
    size_t chain = chain_steps(g), each = chunk_steps(g);
    size_t chunks = divide_up(chain, each);
    size_t first = index / chunks * chain, start = first + index % chunks * each;
    size_t last = common_smaller(first + chain, g->batch->steps);
    return (chunk){start, common_smaller(start + each, last), first, last, 0, 0};
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
        most = common_larger(blocks, most);
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
        size_t index = task.index;
        g = gradient_of_task(s, of, &index);
        chunk c = chunk_of(&g, index);
        if (c.start < c.end)
            add_block(&g, task.queue, &c, task.queue + 1 < task.last);
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
