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
    /** Nobody compares the sums of a row with those of another product to the last bit:
     *  OpenBLAS may compute them. */
    bool any_order;
} lstm_product;

/**
 * Computes a product, on the pool when it is large. Each element of c is one chain of
 * multiply-adds over the depth, in its order, fused in the sets that fuse: the same
 * bits from all of these, for any number of threads, and whatever other rows and
 * columns there are. With any_order plain C has OpenBLAS for products that are not
 * small; what that gives depends on the sizes, but not on threads.
 */
void lstm_gemm(const lstm_product *product);

#endif
