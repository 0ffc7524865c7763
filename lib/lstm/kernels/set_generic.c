#define KERNEL_SET  generic
#define KERNEL_SIMD "lib/lstm/kernels/simd_generic.h"
#include "lib/lstm/kernels/set.h"
