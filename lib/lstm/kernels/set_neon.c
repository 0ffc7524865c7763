#define KERNEL_SET  neon
#define KERNEL_SIMD "lib/lstm/kernels/simd_neon.h"
#include "lib/lstm/kernels/set.h"
