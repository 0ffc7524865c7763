/*
 * OpenBLAS, loaded by the first product that uses it.
 *
 * A process that links OpenBLAS has its threads from the start, and 60 KB less on each
 * stack for its thread-local variables, even if the vector kernels do all the work.
 * Therefore the library is loaded when plain C needs it, and stays loaded, because its
 * threads cannot be ended safely.
 */
#include "lib/lstm/kernels/blas.h"

#if LSTM_HAVE_OPENBLAS
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include <cblas.h>

static __typeof__(cblas_sgemm) *multiply;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* OpenBLAS reserves 128 MiB of address space for each thread that calls it. If that
 * fails, it tries again forever. */
static bool has_address_space(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

static void load(void)
{
    void *library =
        has_address_space() ? dlopen(LSTM_OPENBLAS, RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
    /* ISO C has no conversion from object pointers to function pointers. */
    memcpy(&multiply, &symbol, sizeof(symbol));
}

bool lstm_blas_can(const lstm_product *p)
{
    if ((p->a_k_stride != 1 && p->a_stride != 1) || p->a_stride > INT_MAX ||
        p->depth > INT_MAX || p->a_k_stride > INT_MAX || p->b_stride > INT_MAX ||
        p->c_stride > INT_MAX)
        return false;
    pthread_once(&once, load);
    return multiply != NULL;
}

void lstm_blas_multiply(const lstm_product *p)
{
    bool transposed = p->a_k_stride != 1;
    /* OpenBLAS checks the leading dimension of a single row, too. */
    size_t leading = transposed ? p->a_k_stride : p->rows > 1 ? p->a_stride : p->depth;
    for (size_t k = 0; k < p->depth; k += LSTM_BLAS_TILE) {
        size_t depth = p->depth - k < LSTM_BLAS_TILE ? p->depth - k : LSTM_BLAS_TILE;
        multiply(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans,
                 (int)p->rows, (int)p->columns, (int)depth, 1, p->a + k * p->a_k_stride,
                 (int)leading, p->b + k * p->b_stride, (int)p->b_stride,
                 p->add || k > 0 ? 1 : 0, p->c, (int)p->c_stride);
    }
}

#else

bool lstm_blas_can(const lstm_product *product)
{
    (void)product;
    return false;
}

void lstm_blas_multiply(const lstm_product *product)
{
    (void)product;
}

#endif
