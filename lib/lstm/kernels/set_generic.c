#define KERNEL_SET    generic
#define KERNEL_SIMD   "lib/lstm/kernels/simd_generic.h"
#define KERNEL_TABLES FLOATS
#include "lib/lstm/kernels/set.h"
