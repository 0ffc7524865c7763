#define KERNEL_SET avx512
#include "lib/lstm/kernels/set.h"
