/*
 * The embedding: y[..] = table[indices[..]].
 *
 * Forward divides the rows of y among threads. Backward divides the columns of the
 * table: each thread adds its columns of all rows of dy in order, so that the sums do
 * not depend on the number of threads.
 */
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/parameter.h"
#include "lib/lstm/tensor/tensor.h"

#include <lstm/embedding.h>

enum {
    /** Elements of a cache line. */
    LINE = COMMON_ALIGNMENT / sizeof(float),
    /** Elements per thread: about 10 us of work. */
    GRAIN = 16384
};

struct lstm_embedding {
    lstm_embedding_config config;
    lstm_parameter table;
    uint64_t version;
    /** [capacity] the first rows are the indices of the last forward. */
    int64_t *indices;
    size_t rows, capacity;
    /** Shape of y in the last forward; rank 0 before the first one. */
    size_t rank, shape[LSTM_MAX_RANK];
};

static lstm_status check_config(const lstm_embedding_config *config)
{
    lstm_status status = lstm_check_reserved("embedding", config->reserved);
    if (status)
        return status;
    if (config->count < 1 || config->size < 1)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "embedding: %s is 0, expected at least 1",
                         config->count ? "size" : "count");
    if (!config->padding && config->padding_index != 0)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "embedding: padding_index is %zu, expected 0 without padding",
                         config->padding_index);
    if (config->padding && config->padding_index >= config->count)
        return lstm_fail(LSTM_INVALID_ARGUMENT,
                         "embedding: padding_index is %zu, expected below %zu",
                         config->padding_index, config->count);
    return LSTM_OK;
}

static lstm_status create_table(lstm_embedding *embedding)
{
    size_t shape[] = {embedding->config.count, embedding->config.size};
    lstm_parameter *table = &embedding->table;
    memcpy(table->name, "weight", sizeof("weight"));
    table->version = &embedding->version;
    lstm_status status = lstm_tensor_create(&table->value, 2, shape);
    return status ? status : lstm_tensor_create(&table->grad, 2, shape);
}

static lstm_status draw_table(lstm_embedding *embedding, lstm_rng *rng)
{
    const lstm_embedding_config *config = &embedding->config;
    lstm_status status = lstm_rng_normal(rng, embedding->table.value, 0, 1);
    if (!status && config->padding)
        memset(embedding->table.value->data + config->padding_index * config->size, 0,
               config->size * sizeof(float));
    return status;
}

lstm_status lstm_embedding_create(lstm_embedding **out,
                                  const lstm_embedding_config *config, lstm_rng *rng)
{
    if (!out)
        return lstm_fail_null("embedding", "out");
    *out = NULL;
    if (!config)
        return lstm_fail_null("embedding", "config");
    lstm_status status = check_config(config);
    if (status)
        return status;
    lstm_embedding *embedding = common_alloc_bytes(sizeof(*embedding));
    if (!embedding)
        return lstm_fail_memory("embedding");
    embedding->config = *config;
    status = create_table(embedding);
    if (!status && rng)
        status = draw_table(embedding, rng);
    if (status)
        lstm_embedding_destroy(&embedding);
    *out = embedding;
    return status;
}

void lstm_embedding_destroy(lstm_embedding **embedding)
{
    if (!embedding || !*embedding)
        return;
    lstm_tensor_destroy(&(*embedding)->table.value);
    lstm_tensor_destroy(&(*embedding)->table.grad);
    common_free((*embedding)->indices);
    common_free(*embedding);
    *embedding = NULL;
}

lstm_parameter *lstm_embedding_parameters(lstm_embedding *embedding, size_t *count)
{
    *count = 1;
    return &embedding->table;
}

static lstm_status check_y(const lstm_embedding *embedding, const lstm_tensor *y)
{
    char text[LSTM_SHAPE_TEXT];
    if (y->shape[y->rank - 1] == embedding->config.size)
        return LSTM_OK;
    return lstm_fail(LSTM_SHAPE_MISMATCH, "embedding: y is %s, expected [.., %zu]",
                     lstm_shape_text(text, y->rank, y->shape), embedding->config.size);
}

static lstm_status check_indices(const lstm_embedding *embedding,
                                 const int64_t *indices, size_t rows)
{
    size_t count = embedding->config.count;
    for (size_t row = 0; row < rows; row++)
        if (indices[row] < 0 || (uint64_t)indices[row] >= count)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "embedding: index at position %zu is %lld, expected 0 to "
                             "%zu",
                             row, (long long)indices[row], count - 1);
    return LSTM_OK;
}

/* Makes room for the indices of rows; a failure changes nothing. */
static lstm_status reserve(lstm_embedding *embedding, size_t rows)
{
    if (rows <= embedding->capacity)
        return LSTM_OK;
    int64_t *indices = common_alloc(rows, sizeof(*indices));
    if (!indices)
        return lstm_fail_memory("embedding");
    common_free(embedding->indices);
    embedding->indices = indices;
    embedding->capacity = rows;
    embedding->rank = 0;
    return LSTM_OK;
}

/* Arguments of a parallel call: rows is y or dy. */
typedef struct job {
    const lstm_embedding *embedding;
    const lstm_tensor *rows;
} job;

static void copy_rows(void *context, lstm_team *team, size_t thread, size_t threads)
{
    const job *j = context;
    const lstm_embedding *e = j->embedding;
    size_t size = e->config.size,
           end = lstm_range_start(e->rows, 1, thread + 1, threads);
    ptrdiff_t stride = j->rows->strides[e->rank - 1];
    (void)team;
    for (size_t row = lstm_range_start(e->rows, 1, thread, threads); row < end; row++) {
        const float *from = e->table.value->data + (size_t)e->indices[row] * size;
        float *to = j->rows->data + lstm_tensor_offset(j->rows, e->rank - 1, row);
        for (size_t i = 0; i < size; i++)
            to[(ptrdiff_t)i * stride] = from[i];
    }
}

lstm_status lstm_embedding_forward(lstm_embedding *embedding, const int64_t *indices,
                                   lstm_tensor *y)
{
    if (!embedding)
        return lstm_fail_null("embedding", "embedding");
    if (!indices)
        return lstm_fail_null("embedding", "indices");
    if (!y)
        return lstm_fail_null("embedding", "y");
    lstm_status status = check_y(embedding, y);
    size_t rows = lstm_tensor_count(y) / embedding->config.size;
    if (!status)
        status = check_indices(embedding, indices, rows);
    if (!status)
        status = reserve(embedding, rows);
    if (status)
        return status;
    embedding->rows = rows;
    embedding->rank = y->rank;
    memcpy(embedding->shape, y->shape, sizeof(embedding->shape));
    memcpy(embedding->indices, indices, rows * sizeof(*indices));
    lstm_pool_run(copy_rows, &(job){embedding, y}, lstm_tensor_count(y) / GRAIN + 1);
    return LSTM_OK;
}

static void add_columns(void *context, lstm_team *team, size_t thread, size_t threads)
{
    const job *j = context;
    const lstm_embedding *e = j->embedding;
    size_t size = e->config.size, start = lstm_range_start(size, LINE, thread, threads);
    size_t end = lstm_range_start(size, LINE, thread + 1, threads);
    ptrdiff_t stride = j->rows->strides[e->rank - 1];
    (void)team;
    for (size_t row = 0; row < e->rows; row++) {
        size_t index = (size_t)e->indices[row];
        if (e->config.padding && index == e->config.padding_index)
            continue;
        const float *from =
            j->rows->data + lstm_tensor_offset(j->rows, e->rank - 1, row);
        float *to = e->table.grad->data + index * size;
        for (size_t i = start; i < end; i++)
            to[i] += from[(ptrdiff_t)i * stride];
    }
}

lstm_status lstm_embedding_backward(lstm_embedding *embedding, const lstm_tensor *dy)
{
    if (!embedding)
        return lstm_fail_null("embedding", "embedding");
    if (!dy)
        return lstm_fail_null("embedding", "dy");
    if (!embedding->rank)
        return lstm_fail(LSTM_INVALID_STATE, "embedding: backward without a forward");
    lstm_status status =
        lstm_tensor_expect(dy, "embedding", "dy", embedding->rank, embedding->shape);
    if (status)
        return status;
    lstm_pool_run(add_columns, &(job){embedding, dy},
                  lstm_tensor_count(dy) / GRAIN + 1);
    return LSTM_OK;
}
