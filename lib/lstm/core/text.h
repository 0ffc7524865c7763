/**
 * @file
 * Numbers as text. The locale of the host changes nothing here: the decimal point is
 * always ".".
 */
#ifndef LSTM_CORE_TEXT_H
#define LSTM_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/** Room for any double as text, its end included. */
enum { LSTM_DOUBLE_TEXT = 32 };

/** vsnprintf() in the C locale; 0 or more, as vsnprintf(). */
int lstm_vformat(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/** Writes the shortest decimal text that reads back as value, which is finite. */
void lstm_double_text(char text[LSTM_DOUBLE_TEXT], double value);

/** Reads the decimal number at the beginning of text, as strtod() in the C locale. */
double lstm_double_read(const char *text);

#endif
