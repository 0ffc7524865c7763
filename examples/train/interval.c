#include <stdio.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/train/interval.h"

bool interval_parse(void *field, const char *text, char *why, size_t size)
{
    char digits[24] = "";
    train_interval *interval = field;
    uint64_t count;
    size_t length = strspn(text, "0123456789");
    const char *unit = text + length;
    snprintf(why, size, "expected steps such as 1000, or a time such as 600s or 10m");
    if (length >= sizeof(digits))
        return false;
    memcpy(digits, text, length);
    if (!number_count(digits, &count) || count == 0 || count > 1000000000)
        return false;
    *interval = (train_interval){0};
    if (*unit == '\0')
        interval->steps = count;
    else if (strcmp(unit, "s") == 0 || strcmp(unit, "m") == 0)
        interval->seconds = (double)count * (*unit == 'm' ? 60 : 1);
    else
        return false;
    return true;
}
