/* What standalone_main.c needs of the machine that it runs on. */
#ifndef TESTS_PROGRAMS_STANDALONE_TARGET_H
#define TESTS_PROGRAMS_STANDALONE_TARGET_H

#include <stdint.h>

/* Prints a number as a line of 8 hexadecimal digits. */
void target_print(uint32_t word);

/* A clock in ticks of 40 ns, of 24 bits; 0 without one. */
uint32_t target_time(void);

#endif
