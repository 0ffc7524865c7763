#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/lstm/core/text.h"

/* C libraries have one object for the C locale and allocate nothing for it, so this
 * call does not fail. If it did, the locale of the program would remain in use. */
static locale_t c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Restores the locale of the thread. */
static void leave(locale_t locale, locale_t before)
{
    uselocale(before);
    if (locale)
        freelocale(locale);
}

int lstm_vformat(char *text, size_t size, const char *format, va_list arguments)
{
    locale_t locale = c_locale(), before = uselocale(locale);
    int length = vsnprintf(text, size, format, arguments);
    leave(locale, before);
    return length;
}

void lstm_double_text(char text[LSTM_DOUBLE_TEXT], double value)
{
    /* Any 15 digits survive conversion to double; 17 distinguish any two doubles. */
    enum { FEWEST = 15, MOST = 17 };
    locale_t locale = c_locale(), before = uselocale(locale);
    for (int digits = FEWEST; digits <= MOST; digits++) {
        snprintf(text, LSTM_DOUBLE_TEXT, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    leave(locale, before);
}

double lstm_double_read(const char *text)
{
    locale_t locale = c_locale(), before = uselocale(locale);
    double value = strtod(text, NULL);
    leave(locale, before);
    return value;
}
