/**
 * @file
 * The C locale for a moment, so that numbers have "." as the decimal point in every
 * locale of the program.
 */
#ifndef COMMON_LOCALE_H
#define COMMON_LOCALE_H

#include <locale.h>

/** The C locale of this thread, and the locale to return to. */
typedef struct common_locale {
    locale_t c, before;
} common_locale;

/** Enters the C locale. C libraries have one object for it and allocate nothing, so
 *  this call does not fail. If it did, the locale of the program would remain in use.
 */
static inline common_locale common_locale_enter(void)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return (common_locale){c, uselocale(c)};
}

/** Returns to the locale of the thread. */
static inline void common_locale_leave(common_locale locale)
{
    uselocale(locale.before);
    if (locale.c)
        freelocale(locale.c);
}

#endif
