/*
 * Products of matrices: on several threads, and with OpenBLAS where that is faster.
 *
 * The vector sets reach nine tenths of the speed of OpenBLAS or more, and give the same
 * bits on all processors, so they do not use it. Plain C, on machines without a vector
 * set, uses OpenBLAS for large products whose sums may have any order, because OpenBLAS
 * uses instructions that plain C does not.
 *
 * With its own threads OpenBLAS gives other bits, and these threads compete with the
 * pool for processors. It computes a product of up to 2^18 multiply-adds on the calling
 * thread, with any settings. Therefore all calls are tiles of at most that size. The
 * tiles are the same for any number of threads, and each element of c is summed over
 * the parts of the depth in order.
 */
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/core/pool.h"
#include "lib/lstm/kernels/blas.h"
#include "lib/lstm/kernels/kernels.h"

extern const lstm_kernels lstm_kernels_generic;

/* Number of multiply-adds for which another thread is useful: about 10 us. */
static const double worth_a_thread = 5e5;

typedef struct {
    const lstm_product *product;
    const lstm_kernels *kernels;
} job;

/* Rows start to end - 1 and columns from to to - 1 of a product. */
static lstm_product part_of(const lstm_product *p, size_t start, size_t end,
                            size_t from, size_t to)
{
    lstm_product part = *p;
    part.rows = end - start;
    part.columns = to - from;
    part.a += start * p->a_stride;
    part.b += from;
    part.c += start * p->c_stride + from;
    return part;
}

/* Threads own whole panels of columns, or tiles of rows if there are more rows. */
enum { COLUMN_UNIT = 32, ROW_UNIT = 8 };

static void run_kernel(void *context, lstm_team *team, size_t thread, size_t threads)
{
    const job *j = context;
    const lstm_product *p = j->product;
    (void)team;
    bool columns = p->columns >= p->rows;
    size_t count = columns ? p->columns : p->rows;
    size_t unit = columns ? COLUMN_UNIT : ROW_UNIT;
    size_t start = lstm_range_start(count, unit, thread, threads);
    size_t end = lstm_range_start(count, unit, thread + 1, threads);
    lstm_product part = columns ? part_of(p, 0, p->rows, start, end)
                                : part_of(p, start, end, 0, p->columns);
    if (start < end)
        j->kernels->gemm(&part);
}

static size_t useful_threads(const lstm_product *p)
{
    double work = (double)p->rows * (double)p->columns * (double)p->depth;
    return work / worth_a_thread < LSTM_MAX_THREADS
               ? 1 + (size_t)(work / worth_a_thread)
               : LSTM_MAX_THREADS;
}

static size_t tiles(size_t count)
{
    return (count + LSTM_BLAS_TILE - 1) / LSTM_BLAS_TILE;
}

static void run_blas(void *context, lstm_team *team, size_t thread, size_t threads)
{
    const size_t tile = LSTM_BLAS_TILE;
    const lstm_product *p = ((const job *)context)->product;
    (void)team;
    size_t across = tiles(p->columns), count = tiles(p->rows) * across;
    size_t end = lstm_range_start(count, 1, thread + 1, threads);
    for (size_t i = lstm_range_start(count, 1, thread, threads); i < end; i++) {
        size_t row = i / across * tile, column = i % across * tile;
        size_t rows = p->rows - row, columns = p->columns - column;
        lstm_product part = part_of(p, row, row + (rows < tile ? rows : tile), column,
                                    column + (columns < tile ? columns : tile));
        lstm_blas_multiply(&part);
    }
}

/* Whether to use OpenBLAS. This depends only on the sizes and on facts that do not
 * change while the process runs. */
static bool wants_blas(const job *j)
{
    /* With fewer multiply-adds OpenBLAS is not faster. This was measured with its
     * kernels for four generations of processors. */
    const double small = 1e5;
    const lstm_product *p = j->product;
    return p->any_order && j->kernels == &lstm_kernels_generic &&
           (double)p->rows * (double)p->columns * (double)p->depth >= small &&
           lstm_blas_can(p);
}

void lstm_gemm(const lstm_product *product)
{
    job work = {product, lstm_kernels_get()};
    lstm_pool_run(wants_blas(&work) ? run_blas : run_kernel, &work,
                  useful_threads(product));
}
