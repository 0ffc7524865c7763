#define KERNEL_SET generic
#include "lib/lstm/kernels/set.h"
