#define KERNEL_SET avx2
#include "lib/lstm/kernels/set.h"
