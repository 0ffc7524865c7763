/*
 * Arm's board MPS2 with a Cortex-M4 (AN386), as QEMU emulates it: 4 MB at 0 for the
 * program, 4 MB at 0x20000000 for data. There is no C library. Output goes through
 * semihosting.
 */
#include <stddef.h>
#include <stdint.h>

#include "tests/programs/standalone_target.h"

int main(void);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
void target_start(void);

enum { WRITE_TEXT = 4, EXIT = 0x18, EXIT_DONE = 0x20026, EXIT_FAULT = 0x20024 };

static volatile uint32_t *const coprocessors = (uint32_t *)0xe000ed88;
/* Control, reload value and current value of the timer; it counts down. */
static volatile uint32_t *const timer = (uint32_t *)0xe000e010;

static void call_host(uint32_t operation, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void stop_at_fault(void)
{
    call_host(EXIT, EXIT_FAULT);
    for (;;)
        ;
}

void target_start(void)
{
    *coprocessors |= 0xfu << 20;
    __asm__ volatile("dsb\n\tisb" : : : "memory");
    timer[1] = 0xffffff;
    timer[2] = 0;
    timer[0] = 5;
    main();
    call_host(EXIT, EXIT_DONE);
    stop_at_fault();
}

extern uint32_t stack_top[];
extern void (*const vectors[])(void);

__attribute__((section(".vectors"), used)) void (*const vectors[])(void) = {
    (void (*)(void))stack_top,
    target_start,
    stop_at_fault,
    stop_at_fault,
    stop_at_fault,
    stop_at_fault,
    stop_at_fault,
};

void target_print(uint32_t word)
{
    char text[10] = "";
    for (int i = 0; i < 8; i++, word <<= 4)
        text[i] = "0123456789abcdef"[word >> 28];
    text[8] = '\n';
    call_host(WRITE_TEXT, (uintptr_t)text);
}

uint32_t target_time(void)
{
    return 0xffffff - timer[2];
}

void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((volatile char *)to)[i] = (char)value;
    return to;
}
