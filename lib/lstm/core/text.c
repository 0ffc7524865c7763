#include <stdio.h>
#include <stdlib.h>

#include "lib/common/locale.h"
#include "lib/lstm/core/text.h"

int lstm_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    common_locale locale = common_locale_enter();
    int length = vsnprintf(text, size, format, arguments);
    common_locale_leave(locale);
    return length;
}

void lstm_double_text(char text[LSTM_DOUBLE_TEXT], double value)
{
    /* Any 15 digits survive conversion to double; 17 distinguish any two doubles. */
    enum { FEWEST = 15, MOST = 17 };
    common_locale locale = common_locale_enter();
    for (int digits = FEWEST; digits <= MOST; digits++) {
        snprintf(text, LSTM_DOUBLE_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    common_locale_leave(locale);
}

double lstm_double_read(const char *text)
{
    common_locale locale = common_locale_enter();
    double value = strtod(text, NULL);
    common_locale_leave(locale);
    return value;
}
