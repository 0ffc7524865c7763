/**
 * @file
 * The table of kernels: what differs from processor to processor.
 *
 * Kernels know raw float * and sizes, no tensor and no status. Each instruction set has
 * a table, filled from the same bodies compiled with its flags; the best one that the
 * machine can run is chosen once. All sets compute every element by the same chain of
 * operations, so they give the same bits.
 */
#ifndef LSTM_KERNELS_KERNELS_H
#define LSTM_KERNELS_KERNELS_H

#include <stddef.h>

#include "lib/lstm/kernels/gemm.h"

/** Coefficients of one Adam step, as float32; see vector_body.c. */
typedef struct lstm_adam_step_coefficients {
    /** 1 - beta1, beta2, 1 - beta2. */
    float one_minus_beta1, beta2, one_minus_beta2;
    /** lr / (1 - beta1^t), and sqrt(1 - beta2^t). */
    float step_size, bias_correction;
    float eps;
    /** Added to the gradient as decay * p; 0 when decoupled or none. */
    float decay;
    /** What p is multiplied with first: 1 - lr * weight_decay when decoupled, else 1.
     */
    float shrink;
} lstm_adam_step_coefficients;

typedef struct lstm_kernels {
    const char *name;

    /** One Adam step of count values: p, m and v change, g does not. */
    void (*adam_step)(size_t count, float *p, float *m, float *v, const float *g,
                      const lstm_adam_step_coefficients *coefficients);
    /** Sum of squares in double, in an order that is the same in every set. */
    double (*sum_squares)(size_t count, const float *x);
    /** x *= factor. */
    void (*scale)(size_t count, float *x, float factor);
    /** A product of matrices; see gemm.h. */
    void (*gemm)(const lstm_product *product);
} lstm_kernels;

/** The set in use; chosen at the first call. */
const lstm_kernels *lstm_kernels_get(void);

#endif
