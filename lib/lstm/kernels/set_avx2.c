#define KERNEL_SET  avx2
#define KERNEL_SIMD "lib/lstm/kernels/simd_avx2.h"
#include "lib/lstm/kernels/set.h"
