#include "lib/lstm/kernels/gemm.h"
#include "lib/lstm/kernels/kernels.h"

void lstm_gemm(const lstm_product *product)
{
    lstm_kernels_get()->gemm(product);
}
