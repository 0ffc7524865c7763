#define KERNEL_SET    avx512bf16
#define KERNEL_SIMD   "lib/lstm/kernels/simd_avx512bf16.h"
#define KERNEL_TABLES (PAIRS | BYTES)
#include "lib/lstm/kernels/set.h"
