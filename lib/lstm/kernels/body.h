/*
 * The header of each body of kernels: the table, the vectors, and names that contain
 * the name of the set.
 *
 * The source of a set defines KERNEL_SET and KERNEL_SIMD (see set.h) and includes the
 * bodies. A function that the table points to is BODY(name), so that debuggers and
 * profilers show name_avx2 and so on.
 */
#ifndef LSTM_KERNELS_BODY_H
#define LSTM_KERNELS_BODY_H

#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"

#define KERNEL_JOIN2(a, b) a##_##b
#define KERNEL_JOIN(a, b)  KERNEL_JOIN2(a, b)
#define BODY(name)         KERNEL_JOIN(name, KERNEL_SET)

/* The tables of a set: float32, bfloat16 as pairs, int8, bfloat16 as wide values, or
 * some of them. Wide values are for sets without an instruction for pairs. */
#define FLOATS 1
#define PAIRS  2
#define BYTES  4
#define WIDE   8
#ifndef KERNEL_TABLES
#define KERNEL_TABLES (FLOATS | PAIRS | BYTES | (HAS_PAIR_DOT ? 0 : WIDE))
#endif

#endif
