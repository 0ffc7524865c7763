#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ending.h"
#include "tests/verify/part.h"

void part_line(bool passed, const char *check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s\t%s\t", passed ? "passed" : "failed", check);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    va_end(arguments);
}

void part_must(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "%s\n", lstm_last_error());
    exit(status == LSTM_OUT_OF_MEMORY ? ENDING_WITHOUT_MEMORY : EXIT_FAILURE);
}
