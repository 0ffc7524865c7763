/*
 * Linked to every test program. When LSTM_CPU names a set of kernels that this machine
 * cannot run, the library falls back to a lesser one, and the program would test that
 * one under a wrong name: it ends as skipped before main() instead.
 */
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "tests/support/test.h"

__attribute__((constructor)) static void skip_without_the_kernels(void)
{
    const char *wanted = getenv("LSTM_CPU");
    if (wanted && strcmp(wanted, lstm_kernels_name()) != 0)
        test_skip_all("this machine cannot run the kernels that LSTM_CPU names");
}
