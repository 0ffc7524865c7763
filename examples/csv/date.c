/*
 * Dates in the forms of many countries and programs.
 */
#include <string.h>

#include "examples/csv/date.h"

/* Sets the year of two digits: from 1969 to 2068. */
static long full_year(int value)
{
    return value + (value < 69 ? 2000 : 1900);
}

/* Reads a year of four digits, or of two. */
static const char *read_year(const char *text, csv_date *d)
{
    int value = 0;
    const char *end = csv_read_digits(text, 2, 4, &value);
    if (!end || end - text == 3)
        return NULL;
    d->year = end - text == 4 ? value : full_year(value);
    d->short_year = end - text == 2;
    return end;
}

/* 2024-366, the 366th day. */
static const char *day_of_year(const char *text, csv_date *d)
{
    int day, found;
    long year;
    const char *end = csv_read_digits(text, 3, 3, &day);
    if (!end || day < 1)
        return NULL;
    csv_date_of_days(csv_days_of_date(d->year, 1, 1) + day - 1, &year, &d->month,
                     &found);
    d->day = found;
    return year == d->year ? end : NULL;
}

/* 2024-12-31, 2024/12/31, 2024.12.31, 2024-12, 2024-Dec-31, 2024 Dec 31, 2024-366. */
static const char *year_first(const char *text, csv_order order, csv_date *d)
{
    int year;
    (void)order;
    text = csv_read_digits(text, 4, 4, &year);
    if (!text || !*text || !strchr("-/. ", *text))
        return NULL;
    d->year = year;
    const char *end = csv_read_digits(text + 1, 1, 2, &d->month);
    if (!end && *text == '-' && (end = day_of_year(text + 1, d)))
        return end;
    bool named = !end;
    if (named)
        end = csv_read_month(text + 1, &d->month);
    /* "2024 12" is not a date. */
    if (!end || (!named && *text == ' '))
        return NULL;
    if (*end == *text)
        return csv_read_digits(end + 1, 1, 2, &d->day);
    /* 2024.12 is a number. */
    return *text == '.' && !named ? NULL : end;
}

/* 31.12.2024, 12/31/2024, 31-12-2024, 24-12-31, also with a year of two digits;
 * 12/2024. */
static const char *numbers(const char *text, csv_order order, csv_date *d)
{
    int first, second, year;
    char separator;
    const char *begin = text;
    text = csv_read_digits(text, 1, 2, &first);
    if (!text || !*text || !strchr("-/.", *text))
        return NULL;
    separator = *text;
    const char *end = csv_read_digits(text + 1, 1, 2, &second);
    if (!end) {
        end = csv_read_digits(text + 1, 4, 4, &year);
        d->year = year;
        d->month = first;
        /* 12.2024 is a number. */
        return separator == '.' ? NULL : end;
    }
    if (*end != separator)
        return NULL;
    d->separator = separator;
    if (order == CSV_YMD) {
        d->year = full_year(first);
        d->short_year = true;
        d->month = second;
        return text - begin == 2 ? csv_read_digits(end + 1, 1, 2, &d->day) : NULL;
    }
    d->day = order == CSV_DMY ? first : second;
    d->month = order == CSV_DMY ? second : first;
    return read_year(end + 1, d);
}

/* 31 Dec 2024, 31. Dezember 2024, 31-Dec-24. */
static const char *day_and_name(const char *text, csv_order order, csv_date *d)
{
    (void)order;
    const char *end = csv_read_digits(text, 1, 2, &d->day);
    end = end ? csv_read_month(csv_skip(end, ". -/"), &d->month) : NULL;
    return end ? read_year(csv_skip(end, "., -/"), d) : NULL;
}

/* Dec 31, 2024, Dec 2024, Dec-24. */
static const char *name_first(const char *text, csv_order order, csv_date *d)
{
    int day;
    (void)order;
    const char *month = csv_read_month(text, &d->month);
    if (!month)
        return NULL;
    month = csv_skip(month, "., -/");
    const char *end = csv_read_digits(month, 1, 2, &day);
    if (end && *end && strchr(", ", *end)) {
        const char *year = csv_skip(end, ", ");
        if (strspn(year, "0123456789") == 4 && year[4] != ':') {
            d->day = day;
            return read_year(year, d);
        }
    }
    return read_year(month, d);
}

/* Sets the date of a part of a year; false if there is no such part. */
static bool set_part(csv_date *d, const char *word, int number, size_t length,
                     int weekday)
{
    static const struct {
        const char *word;
        /* Months in a part, 0 for weeks; digits of its number. */
        int months;
        size_t digits;
    } units[] = {{"q", 3, 1}, {"t", 3, 1}, {"h", 6, 1}, {"s", 6, 1},
                 {"m", 1, 2}, {"w", 0, 2}, {"kw", 0, 2}};
    size_t i = 0;
    long year;
    int week;
    while (i < sizeof(units) / sizeof(*units) && strcmp(word, units[i].word) != 0)
        i++;
    if (i == sizeof(units) / sizeof(*units) || number < 1 || length > units[i].digits)
        return false;
    int months = units[i].months;
    if (months) {
        d->month = months * (number - 1) + 1;
        d->precision = months == 6 ? CSV_HALF : months == 3 ? CSV_QUARTER : CSV_MONTH;
        return d->month <= 12;
    }
    long days = csv_days_of_week(d->year, number);
    csv_week_of_days(days, &year, &week);
    d->precision = weekday ? CSV_DAY : CSV_WEEK;
    /* After the last week of a year comes the first of the next one. */
    bool exists = year == d->year;
    csv_date_of_days(days + (weekday ? weekday - 1 : 0), &d->year, &d->month, &d->day);
    return exists && weekday <= 7;
}

/* 2024-Q4, 2024Q4, Q4 2024, Q4/2024; with T for Q, H or S for halves of a year, M for
 * months, W or KW for weeks; 2024-W52-7 has a day of the week. */
static const char *part_of_year(const char *text, csv_order order, csv_date *d)
{
    int number, year, weekday = 0;
    char word[CSV_LONGEST_WORD + 1];
    (void)order;
    const char *end = csv_read_digits(text, 4, 4, &year);
    bool before = end;
    end = csv_read_word(csv_skip(end ? end : text, before ? "- /" : ""), word);
    const char *digits = end ? csv_skip(end, before ? "" : ". ") : NULL;
    end = digits ? csv_read_digits(digits, 1, 2, &number) : NULL;
    size_t length = end ? (size_t)(end - digits) : 0;
    if (end && before && *word == 'w' && *end == '-')
        end = csv_read_digits(end + 1, 1, 1, &weekday);
    else if (end && !before)
        end = csv_read_digits(csv_skip(end, "- /"), 4, 4, &year);
    d->year = year;
    return end && year > 0 && set_part(d, word, number, length, weekday) ? end : NULL;
}

/* 20241231, 202412; the year from 1800 to 2199, because other numbers look the same. */
static const char *compact(const char *text, csv_order order, csv_date *d)
{
    int value;
    (void)order;
    const char *end = csv_read_digits(text, 6, 8, &value);
    if (!end || end - text == 7)
        return NULL;
    if (end - text == 6)
        value = 100 * value;
    d->year = value / 10000;
    d->month = value / 100 % 100;
    if (end - text == 8)
        d->day = value % 100;
    return d->year >= 1800 && d->year < 2200 ? end : NULL;
}

/* Whether a date exists. */
static bool is_date(const csv_date *d)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    if (d->year < 1 || d->month < 1 || d->month > 12)
        return false;
    return d->day <= days[d->month - 1] && (d->month != 2 || d->day < 29 || leap);
}

const char *csv_read_date(const char *text, csv_order order, csv_date *d)
{
    static const char *(*const forms[])(const char *, csv_order, csv_date *) = {
        year_first, numbers, day_and_name, name_first, part_of_year, compact};
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        /* A day that is not written is 0, but a written 0 is not a day. */
        *d = (csv_date){.precision = CSV_CLOCK, .day = -1};
        const char *end = forms[i](text, order, d);
        if (!end)
            continue;
        bool exists = d->day != 0;
        if (d->precision == CSV_CLOCK)
            d->precision = d->day < 0 ? CSV_MONTH : CSV_DAY;
        if (d->day < 0)
            d->day = 1;
        return exists && is_date(d) ? end : NULL;
    }
    return NULL;
}
