#include <string.h>

#include "examples/csv/date.h"

/* Reads Z, UTC, GMT or an offset such as +01:00; what follows it. */
static const char *read_offset(const char *text, csv_time *time)
{
    int hours, minutes = 0;
    const char *sign = csv_skip(text, " ");
    time->zoned = *sign != '\0';
    if (*sign == 'Z' || *sign == 'z')
        return sign + 1;
    if (strncmp(sign, "UTC", 3) == 0 || strncmp(sign, "GMT", 3) == 0)
        sign += 3;
    if (*sign != '+' && *sign != '-')
        return sign;
    const char *end = csv_read_digits(sign + 1, 4, 4, &hours);
    if (end) {
        minutes = hours % 100;
        hours /= 100;
    } else if (!(end = csv_read_digits(sign + 1, 2, 2, &hours)) ||
               (*end == ':' && !(end = csv_read_digits(end + 1, 2, 2, &minutes)))) {
        return NULL;
    }
    if (hours > 15 || minutes > 59)
        return NULL;
    time->offset = (*sign == '-' ? -60 : 60) * (60.0 * hours + minutes);
    time->seconds -= time->offset;
    return end;
}

/* Reads AM or PM, which change the hours. */
static const char *read_half(const char *text, int *hours)
{
    char word[CSV_LONGEST_WORD + 1];
    const char *end = csv_read_word(csv_skip(text, " "), word);
    bool am = end && strcmp(word, "am") == 0, pm = end && strcmp(word, "pm") == 0;
    if (!am && !pm)
        return text;
    if (*hours < 1 || *hours > 12)
        return NULL;
    *hours = *hours % 12 + (pm ? 12 : 0);
    return end;
}

/* Reads the digits of a fraction of a second. */
static const char *read_fraction(const char *text, csv_time *time)
{
    double unit = 1e9;
    if ((*text != '.' && *text != ',') || text[1] < '0' || text[1] > '9')
        return text;
    for (text++; *text >= '0' && *text <= '9'; text++)
        if (time->digits++ < CSV_MOST_DIGITS)
            time->nanoseconds += (*text - '0') * (unit /= 10);
    return text;
}

/* Reads 23:59, 23:59:59 or 23:59:59.999. */
static const char *read_clock(const char *text, csv_time *time)
{
    int hours, minutes, whole = 0;
    text = csv_read_digits(text, 1, 2, &hours);
    if (!text || *text != ':' || !(text = csv_read_digits(text + 1, 2, 2, &minutes)))
        return NULL;
    if (*text == ':' && !(text = csv_read_digits(text + 1, 2, 2, &whole)))
        return NULL;
    text = read_half(read_fraction(text, time), &hours);
    /* The second 60 is a leap second. */
    if (!text || hours > 24 || minutes > 59 || whole > 60 ||
        (hours == 24 && minutes + whole > 0))
        return NULL;
    time->seconds = 3600.0 * hours + 60.0 * minutes + whole;
    return read_offset(text, time);
}

/* What follows a date before its time; NULL if nothing does. */
static const char *before_clock(const char *text)
{
    if (*text == 'T' || *text == 't')
        return text + 1;
    return *csv_skip(text, " ,") && strchr(" ,", *text) ? csv_skip(text, " ,") : NULL;
}

bool csv_parse_time(const char *field, csv_order order, csv_time *time)
{
    enum { SECONDS_OF_DAY = 86400 };
    csv_date d;
    const char *text = csv_skip(field, " \t"), *clock;
    *time = (csv_time){.precision = CSV_CLOCK};
    const char *end = csv_read_date(csv_skip_weekday(text), order, &d);
    if (!end) {
        end = read_clock(text, time);
        return end && *csv_skip(end, " \t") == '\0';
    }
    time->precision = d.precision;
    time->separator = d.separator;
    time->short_year = d.short_year;
    if ((clock = before_clock(end))) {
        time->precision = CSV_SECOND;
        end = read_clock(clock, time);
    }
    time->seconds +=
        (double)SECONDS_OF_DAY * (double)csv_days_of_date(d.year, d.month, d.day);
    return end && *csv_skip(end, " \t") == '\0';
}

bool csv_is_time(const char *field)
{
    csv_time time;
    for (csv_order order = CSV_MDY; order <= CSV_YMD; order++)
        if (csv_parse_time(field, order, &time))
            return true;
    return false;
}

bool csv_starts_with_month(const char *text, int *month)
{
    return csv_read_month(text, month);
}

bool csv_parse_month_name(const char *field, int *month)
{
    const char *end = csv_read_month(csv_skip(field, " \t"), month);
    return end && *csv_skip(end, ". \t") == '\0';
}
