/*
 * Makes the table of one instruction set. Its source defines
 *   KERNEL_SET   name of the set, such as avx2
 * and includes this file, which compiles all bodies under the flags of that source.
 */
#define KERNEL_JOIN2(a, b) a##_##b
#define KERNEL_JOIN(a, b)  KERNEL_JOIN2(a, b)
#define KERNEL_TEXT2(a)    #a
#define KERNEL_TEXT(a)     KERNEL_TEXT2(a)
#define BODY(name)         KERNEL_JOIN(name, KERNEL_SET)

#include "lib/lstm/kernels/gemm_body.c"
#include "lib/lstm/kernels/vector_body.c"

extern const lstm_kernels KERNEL_JOIN(lstm_kernels, KERNEL_SET);
const lstm_kernels KERNEL_JOIN(lstm_kernels, KERNEL_SET) = {
    .name = KERNEL_TEXT(KERNEL_SET),
    .adam_step = BODY(adam_step),
    .sum_squares = BODY(sum_squares),
    .scale = BODY(scale),
    .gemm = BODY(gemm),
};
