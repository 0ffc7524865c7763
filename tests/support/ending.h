/**
 * @file
 * Ends of a process for which something is missing.
 */
#ifndef TESTS_SUPPORT_ENDING_H
#define TESTS_SUPPORT_ENDING_H

#include <stdio.h>
#include <stdlib.h>

/** Exit status of a process that had too little memory. */
enum { ENDING_WITHOUT_MEMORY = 3 };

/** Ends the process with a message if memory is NULL, else returns it. */
static inline void *ending_unless(void *memory)
{
    if (memory)
        return memory;
    fputs("out of memory\n", stderr);
    exit(ENDING_WITHOUT_MEMORY);
}

#endif
