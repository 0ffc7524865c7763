/*
 * Linked to every test program. If LSTM_CPU names a set of kernels that this machine
 * cannot run, or that this build does not have, the library uses another set. The
 * program would then test this set under a wrong name, so it ends as skipped before
 * main().
 */
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "tests/support/test.h"

__attribute__((constructor)) static void skip_without_the_kernels(void)
{
    const char *limit = getenv("LSTM_CPU");
    if (limit && strcmp(limit, lstm_kernels_name()) != 0)
        test_skip_all("this machine cannot run, or this build does not have, the "
                      "kernels that LSTM_CPU names");
}
