/* The desk: a program of the operating system. */
#include <inttypes.h>
#include <stdio.h>

#include "tests/programs/standalone_target.h"

void target_print(uint32_t word)
{
    printf("%08" PRIx32 "\n", word);
}

uint32_t target_time(void)
{
    return 0;
}
