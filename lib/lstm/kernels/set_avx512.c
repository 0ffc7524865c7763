#define KERNEL_SET  avx512
#define KERNEL_SIMD "lib/lstm/kernels/simd_avx512.h"
#include "lib/lstm/kernels/set.h"
