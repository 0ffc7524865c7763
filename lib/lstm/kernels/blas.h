/**
 * @file
 * OpenBLAS for products of plain C. A build without it, or a machine that lacks it, has
 * none: lstm_blas_can() is then false.
 */
#ifndef LSTM_KERNELS_BLAS_H
#define LSTM_KERNELS_BLAS_H

#include <stdbool.h>

#include "lib/lstm/kernels/gemm.h"

/** Most rows and columns of a product; 64^3 multiply-adds are 2^18. */
enum { LSTM_BLAS_TILE = 64 };

/**
 * Whether OpenBLAS can compute products with these strides. The first call with strides
 * that fit loads the library; the answer never changes while the process runs.
 */
bool lstm_blas_can(const lstm_product *product);

/** Computes a product that lstm_blas_can() accepts, on the calling thread. */
void lstm_blas_multiply(const lstm_product *product);

#endif
