/**
 * @file
 * Products of matrices, for all computations that do not have their own kernel.
 */
#ifndef LSTM_KERNELS_GEMM_H
#define LSTM_KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/** A product: c = a b, or c += a b. Sizes and strides are in elements. */
typedef struct lstm_product {
    /** c is [rows, columns], a [rows, depth], b [depth, columns]; depth is at least 1.
     */
    size_t rows, columns, depth;
    /** Element (i, k) of a is a[i * a_stride + k * a_k_stride], so that a may be
     *  transposed. */
    const float *a;
    size_t a_stride, a_k_stride;
    /** Element (k, j) of b is b[k * b_stride + j]. */
    const float *b;
    size_t b_stride;
    /** Element (i, j) of c is c[i * c_stride + j]. It must not overlap a or b. */
    float *c;
    size_t c_stride;
    /** Adds to c: each sum starts with the value of c instead of 0. */
    bool add;
    /** Sums each part of the depth of 128 alone and then adds it to c, so that long
     * sums lose fewer digits. */
    bool parts;
    /** Allows OpenBLAS, whose sums may have another order. Set it only if no row must
     * have the same bits as in another product. */
    bool any_order;
} lstm_product;

/**
 * Computes a product, on several threads if it is large. Each element of c is one chain
 * of multiply-adds over the depth, in order, or with parts one chain for each part. All
 * sets with a fused multiply-add give the same bits, for any number of threads, and an
 * element does not depend on the other rows and columns. With any_order plain C uses
 * OpenBLAS for large products. The result then depends on the sizes, but not on the
 * number of threads.
 */
void lstm_gemm(const lstm_product *product);

#endif
