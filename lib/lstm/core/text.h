/**
 * @file
 * Numbers as text, with "." as the decimal point in every locale of the program.
 */
#ifndef LSTM_CORE_TEXT_H
#define LSTM_CORE_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/** Size of any double as text, including the terminating zero. */
enum { LSTM_DOUBLE_TEXT = 32 };

/** vsnprintf() in the C locale. */
int lstm_vformat(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/** Writes the shortest decimal text that reads back as value, which must be finite. */
void lstm_double_text(char text[LSTM_DOUBLE_TEXT], double value);

/** strtod() in the C locale: the number at the start of text. */
double lstm_double_read(const char *text);

#endif
