/*
 * Products of matrices: on the pool, and with OpenBLAS where that is faster.
 *
 * The vector sets multiply within a tenth of OpenBLAS and give the same bits
 * everywhere, so they do without it. Plain C, on machines that have no vector set, has
 * it for products that are not small and need no order: its kernels use instructions
 * that plain C does not know of.
 *
 * OpenBLAS gives other bits when it uses its own threads, and those steal the
 * processors of the pool. It computes a product of up to 2^18 multiply-adds on the
 * calling thread alone, whatever its settings, so all calls are pieces of at most that
 * size: the same ones for any number of threads, each element of c summed over its
 * pieces in order.
 */
#if LSTM_HAVE_OPENBLAS
#include <limits.h>
#include <pthread.h>
#include <sys/resource.h>

#include <cblas.h>
#endif

#include "lib/lstm/core/pool.h"
#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/kernels.h"

#if LSTM_HAVE_OPENBLAS
extern const lstm_kernels lstm_kernels_generic;
#endif

/* Multiply-adds that are worth a thread: some 10 us. */
static const double worth_a_thread = 5e5;

typedef struct {
    const lstm_product *product;
    const lstm_kernels *kernels;
} job;

/* Rows start to end and columns from to to of a product. */
static lstm_product part_of(const lstm_product *p, size_t start, size_t end,
                            size_t from, size_t to)
{
    lstm_product part = *p;
    part.rows = end - start;
    part.columns = to - from;
    part.a += start * p->a_row;
    part.b += from;
    part.c += start * p->c_row + from;
    return part;
}

/* Shares own whole panels of columns, or tiles of rows where there are more of these.
 */
enum { COLUMN_UNIT = 32, ROW_UNIT = 8 };

static void own_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const job *j = work;
    const lstm_product *p = j->product;
    (void)team;
    bool columns = p->columns >= p->rows;
    size_t count = columns ? p->columns : p->rows;
    size_t unit = columns ? COLUMN_UNIT : ROW_UNIT;
    size_t start = lstm_range_start(count, unit, share, shares);
    size_t end = lstm_range_start(count, unit, share + 1, shares);
    lstm_product part = columns ? part_of(p, 0, p->rows, start, end)
                                : part_of(p, start, end, 0, p->columns);
    if (start < end)
        j->kernels->gemm(&part);
}

static size_t most_shares(const lstm_product *p)
{
    double work = (double)p->rows * (double)p->columns * (double)p->depth;
    return work / worth_a_thread < LSTM_MAX_THREADS
               ? 1 + (size_t)(work / worth_a_thread)
               : LSTM_MAX_THREADS;
}

#if LSTM_HAVE_OPENBLAS
/* Rows, columns and depth of a piece; 64^3 is 2^18. */
enum { PIECE = 64 };

static size_t pieces(size_t count)
{
    return (count + PIECE - 1) / PIECE;
}

static void multiply_piece(const lstm_product *p)
{
    bool turned = p->a_step != 1;
    /* A single row has no distance to the next one, but OpenBLAS looks at it. */
    size_t distance = turned ? p->a_step : p->rows > 1 ? p->a_row : p->depth;
    for (size_t k = 0; k < p->depth; k += PIECE) {
        size_t depth = p->depth - k < PIECE ? p->depth - k : PIECE;
        cblas_sgemm(CblasRowMajor, turned ? CblasTrans : CblasNoTrans, CblasNoTrans,
                    (int)p->rows, (int)p->columns, (int)depth, 1, p->a + k * p->a_step,
                    (int)distance, p->b + k * p->b_row, (int)p->b_row,
                    p->add || k > 0 ? 1 : 0, p->c, (int)p->c_row);
    }
}

static void blas_share(void *work, lstm_team *team, size_t share, size_t shares)
{
    const lstm_product *p = ((const job *)work)->product;
    (void)team;
    size_t across = pieces(p->columns), count = pieces(p->rows) * across;
    size_t end = lstm_range_start(count, 1, share + 1, shares);
    for (size_t i = lstm_range_start(count, 1, share, shares); i < end; i++) {
        size_t row = i / across * PIECE, column = i % across * PIECE;
        size_t rows = p->rows - row, columns = p->columns - column;
        lstm_product piece =
            part_of(p, row, row + (rows < PIECE ? rows : PIECE), column,
                    column + (columns < PIECE ? columns : PIECE));
        multiply_piece(&piece);
    }
}

static bool has_room;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* OpenBLAS takes 128 MiB of addresses for each thread that calls it, and tries for ever
 * when it does not get them. */
static void look_for_room(void)
{
    struct rlimit limit;
    has_room = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/* Decided by the sizes alone, and what does not change as long as the process lives. */
static bool wants_blas(const job *j)
{
    /* From about here on the call is worth it; measured with kernels of four
     * generations. */
    const double small = 1e5;
    const lstm_product *p = j->product;
    if (!p->any_order || j->kernels != &lstm_kernels_generic ||
        (double)p->rows * (double)p->columns * (double)p->depth < small ||
        (p->a_step != 1 && p->a_row != 1) || p->a_row > INT_MAX || p->depth > INT_MAX ||
        p->a_step > INT_MAX || p->b_row > INT_MAX || p->c_row > INT_MAX)
        return false;
    pthread_once(&once, look_for_room);
    return has_room;
}
#endif

void lstm_gemm(const lstm_product *product)
{
    job work = {product, lstm_kernels_get()};
    lstm_team_function share = own_share;
#if LSTM_HAVE_OPENBLAS
    if (wants_blas(&work))
        share = blas_share;
#endif
    lstm_pool_run(share, &work, most_shares(product));
}
