/* The hashes of test-bits-bits --hash, in WebAssembly. */
#include "tests/support/bits.h"

int main(void)
{
    return bits_print_hashes(1);
}
