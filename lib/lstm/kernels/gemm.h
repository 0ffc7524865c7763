/**
 * @file
 * Products of matrices, for all that has no kernel of its own.
 */
#ifndef LSTM_KERNELS_GEMM_H
#define LSTM_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/** A product: c = a b, or c += a b. Sizes and distances are in elements. */
typedef struct lstm_product {
    /** c is [rows, columns], a [rows, depth], b [depth, columns]; depth is at least 1.
     */
    size_t rows, columns, depth;
    /** Element (i, k) of a is a[i * a_row + k * a_step]: a transposed a costs nothing.
     */
    const float *a;
    size_t a_row, a_step;
    /** Element (k, j) of b is b[k * b_row + j]. */
    const float *b;
    size_t b_row;
    /** Element (i, j) of c is c[i * c_row + j]. It overlaps neither a nor b. */
    float *c;
    size_t c_row;
    /** Start each sum at what c holds, else at 0. */
    bool add;
} lstm_product;

/**
 * Computes a product. Each element of c is one chain over the depth, in its order, of
 * multiplications and additions that are rounded one by one: the same bits from every
 * set of kernels and for any number of threads.
 */
void lstm_gemm(const lstm_product *product);

#endif
