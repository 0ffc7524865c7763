#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/number.h"

bool number_count(const char *text, uint64_t *value)
{
    enum { MAX_DIGITS = 20 };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > MAX_DIGITS || text[digits] != '\0')
        return false;
    *value = strtoull(text, NULL, 10);
    /* Twenty digits may exceed 2^64 - 1. For strings of equal length, strcmp() compares
     * the numbers. */
    return digits < MAX_DIGITS || strcmp(text, "18446744073709551615") <= 0;
}

bool number_real(const char *text, double *value)
{
    char *end;
    if (text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    *value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*value))
        return false;
    /* Only a number whose digits are all 0 is 0; others are too small. */
    size_t first = strcspn(text, "123456789eE");
    return fabs(*value) > 0 || !text[first] || strchr("eE", text[first]);
}

const char *number_plural(size_t count)
{
    return count == 1 ? "" : "s";
}
