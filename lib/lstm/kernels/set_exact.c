/* Plain C with the fused multiply-add of the vector sets, for the reproducible mode. */
#define KERNEL_SET  exact
#define KERNEL_NAME "generic"
#define KERNEL_SIMD "lib/lstm/kernels/simd_generic.h"
#define EXACT_FMA   1
#include "lib/lstm/kernels/set.h"
