#include <stdlib.h>
#include <string.h>

#include "examples/csv/field.h"

/* Numbers of a date; month 0 if there is none, day 0 likewise. */
typedef struct date {
    long year;
    int month, day;
    bool ambiguous;
} date;

enum { SECONDS_OF_DAY = 86400, LONGEST_WORD = 16 };

/* The civil calendar in days, after eras of 400 years of 146,097 days that begin in
 * March. */
long csv_days_of_date(long year, int month, int day)
{
    year -= month <= 2;
    long era = (year >= 0 ? year : year - 399) / 400;
    long of_era = year - era * 400;
    long of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void csv_date_of_days(long days, long *year, int *month, int *day)
{
    days += 719468;
    long era = (days >= 0 ? days : days - 146096) / 146097;
    long rest = days - era * 146097;
    long of_era = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    long of_year = rest - (365 * of_era + of_era / 4 - of_era / 100);
    long from_march = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = era * 400 + of_era + (*month <= 2);
}

static bool is_date(const date *d)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (d->year % 4 == 0 && d->year % 100 != 0) || d->year % 400 == 0;
    if (d->year < 1 || d->month < 1 || d->month > 12 || d->day < 1)
        return false;
    return d->day <= days[d->month - 1] && (d->month != 2 || d->day < 29 || leap);
}

static const char *skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

/* Reads a number of low to high digits; NULL for another number of digits. */
static const char *digits(const char *text, size_t low, size_t high, int *value)
{
    size_t length = strspn(text, "0123456789");
    if (length < low || length > high)
        return NULL;
    *value = 0;
    for (size_t i = 0; i < length; i++)
        *value = 10 * *value + (text[i] - '0');
    return text + length;
}

/* Reads a year of four digits, or of two: from 1969 to 2068. */
static const char *read_year(const char *text, long *year)
{
    int value = 0;
    const char *end = digits(text, 2, 4, &value);
    if (!end || end - text == 3)
        return NULL;
    *year = end - text == 4 ? value : value + (value < 69 ? 2000 : 1900);
    return end;
}

/* Reads a word, in small letters, and what may follow it; NULL without one. */
static const char *read_word(const char *text, char *word)
{
    size_t length = 0;
    for (;; text++) {
        char letter = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (!((letter >= 'a' && letter <= 'z') || letter & '\x80'))
            break;
        if (length == LONGEST_WORD)
            return NULL;
        word[length++] = letter;
    }
    word[length] = '\0';
    return length > 0 ? text : NULL;
}

/* Whether a word is a name or at least its first three letters. */
static bool abbreviates(const char *word, const char *name)
{
    size_t length = strlen(word);
    return length >= 3 && strncmp(word, name, length) == 0;
}

/* Reads the name of a month. */
static const char *read_month(const char *text, int *month)
{
    static const char *const names[][3] = {{"january", "januar", "jaenner"},
                                           {"february", "februar", "feb"},
                                           {"march", "m\xc3\xa4rz", "maerz"},
                                           {"april", "april", "apr"},
                                           {"may", "mai", "may"},
                                           {"june", "juni", "jun"},
                                           {"july", "juli", "jul"},
                                           {"august", "august", "aug"},
                                           {"september", "sept", "sep"},
                                           {"october", "oktober", "oct"},
                                           {"november", "november", "nov"},
                                           {"december", "dezember", "dec"}};
    char word[LONGEST_WORD + 1];
    const char *end = read_word(text, word);
    for (int i = 0; end && i < 12; i++)
        for (int j = 0; j < 3; j++)
            if (abbreviates(word, names[i][j])) {
                *month = i + 1;
                return end;
            }
    return NULL;
}

/* Skips a day of the week. */
static const char *skip_weekday(const char *text)
{
    static const char *const names[] = {
        "monday",     "tuesday", "wednesday", "thursday", "friday",
        "saturday",   "sunday",  "montag",    "dienstag", "mittwoch",
        "donnerstag", "freitag", "samstag",   "sonntag"};
    char word[LONGEST_WORD + 1];
    const char *end = read_word(text, word);
    for (size_t i = 0; end && i < sizeof(names) / sizeof(*names); i++)
        if (abbreviates(word, names[i]))
            return skip(end, "., ");
    return text;
}

/* 2024-12-31, 2024/12/31, 2024.12.31, 2024-12. */
static const char *year_first(const char *text, date *d)
{
    int year;
    text = digits(text, 4, 4, &year);
    if (!text || !strchr("-/.", *text) || !*text)
        return NULL;
    d->year = year;
    const char *end = digits(text + 1, 1, 2, &d->month);
    if (!end)
        return NULL;
    if (*end == *text)
        return digits(end + 1, 1, 2, &d->day);
    /* 2024.12 is a number. */
    return *text == '.' ? NULL : end;
}

/* 31.12.2024, 12/31/2024, 31-12-2024, also with a year of two digits; 12/2024. */
static const char *year_last(const char *text, bool day_first, date *d)
{
    int first, second;
    text = digits(text, 1, 2, &first);
    if (!text || !*text || !strchr("-/.", *text))
        return NULL;
    const char *end = digits(text + 1, 1, 2, &second);
    if (!end) {
        int year;
        end = digits(text + 1, 4, 4, &year);
        d->year = year;
        d->month = first;
        /* 12.2024 is a number. */
        return *text == '.' ? NULL : end;
    }
    if (*end != *text)
        return NULL;
    bool exchanged = *text == '.' || day_first;
    d->day = exchanged ? first : second;
    d->month = exchanged ? second : first;
    d->ambiguous = *text != '.' && first <= 12 && second <= 12 && first != second;
    return read_year(end + 1, &d->year);
}

/* 31 Dec 2024, 31. Dezember 2024, 31-Dec-24. */
static const char *day_and_name(const char *text, date *d)
{
    const char *end = digits(text, 1, 2, &d->day);
    end = end ? read_month(skip(end, ". -"), &d->month) : NULL;
    return end ? read_year(skip(end, "., -"), &d->year) : NULL;
}

/* Dec 31, 2024, Dec 2024, Dec-24. */
static const char *name_first(const char *text, date *d)
{
    int day;
    const char *month = read_month(text, &d->month);
    if (!month)
        return NULL;
    month = skip(month, "., -");
    const char *end = digits(month, 1, 2, &day);
    if (end && *end && strchr(", ", *end)) {
        const char *year = skip(end, ", ");
        if (strspn(year, "0123456789") == 4 && year[4] != ':') {
            d->day = day;
            return read_year(year, &d->year);
        }
    }
    return read_year(month, &d->year);
}

/* 2024-Q4, 2024Q4, Q4 2024, Q4/2024. */
static const char *quarter(const char *text, date *d)
{
    int number, year;
    const char *end = digits(text, 4, 4, &year);
    bool before = end;
    end = skip(end ? end : text, before ? "- /" : "");
    if (*end != 'Q' && *end != 'q')
        return NULL;
    end = digits(end + 1, 1, 1, &number);
    if (end && !before)
        end = digits(skip(end, "- /"), 4, 4, &year);
    if (!end || number < 1 || number > 4)
        return NULL;
    d->year = year;
    d->month = 3 * number - 2;
    return end;
}

/* 20241231; the year from 1800 to 2199, because other numbers look the same. */
static const char *compact(const char *text, date *d)
{
    int value;
    const char *end = digits(text, 8, 8, &value);
    if (!end || value < 18000101 || value > 21991231)
        return NULL;
    *d = (date){.year = value / 10000, .month = value / 100 % 100, .day = value % 100};
    return end;
}

static const char *read_date(const char *text, bool day_first, date *d)
{
    const char *end;
    for (int form = 0; form < 6; form++) {
        *d = (date){0};
        end = form == 0   ? year_first(text, d)
              : form == 1 ? year_last(text, day_first, d)
              : form == 2 ? day_and_name(text, d)
              : form == 3 ? name_first(text, d)
              : form == 4 ? quarter(text, d)
                          : compact(text, d);
        if (end)
            return end;
    }
    return NULL;
}

/* Reads Z, UTC, GMT or an offset such as +01:00; what follows it. */
static const char *read_offset(const char *text, csv_time *time)
{
    int hours, minutes = 0;
    const char *sign = skip(text, " ");
    time->zoned = *sign != '\0';
    if (*sign == 'Z' || *sign == 'z')
        return sign + 1;
    if (strncmp(sign, "UTC", 3) == 0 || strncmp(sign, "GMT", 3) == 0)
        sign += 3;
    if (*sign != '+' && *sign != '-')
        return sign;
    const char *end = digits(sign + 1, 4, 4, &hours);
    if (end) {
        minutes = hours % 100;
        hours /= 100;
    } else if (!(end = digits(sign + 1, 2, 2, &hours)) ||
               (*end == ':' && !(end = digits(end + 1, 2, 2, &minutes)))) {
        return NULL;
    }
    if (hours > 15 || minutes > 59)
        return NULL;
    time->seconds -= (*sign == '-' ? -60 : 60) * (60.0 * hours + minutes);
    return end;
}

/* Reads AM or PM, which change the hours. */
static const char *read_half(const char *text, int *hours)
{
    char word[LONGEST_WORD + 1];
    const char *end = read_word(skip(text, " "), word);
    bool am = end && strcmp(word, "am") == 0, pm = end && strcmp(word, "pm") == 0;
    if (!am && !pm)
        return text;
    if (*hours < 1 || *hours > 12)
        return NULL;
    *hours = *hours % 12 + (pm ? 12 : 0);
    return end;
}

/* Reads 23:59, 23:59:59 or 23:59:59.999. */
static const char *read_clock(const char *text, csv_time *time)
{
    int hours, minutes, whole = 0;
    double fraction = 0, unit = 1;
    text = digits(text, 1, 2, &hours);
    if (!text || *text != ':' || !(text = digits(text + 1, 2, 2, &minutes)))
        return NULL;
    if (*text == ':' && !(text = digits(text + 1, 2, 2, &whole)))
        return NULL;
    if ((*text == '.' || *text == ',') && text[1] >= '0' && text[1] <= '9')
        for (text++; *text >= '0' && *text <= '9'; text++)
            fraction += (*text - '0') * (unit /= 10);
    text = read_half(text, &hours);
    /* The second 60 is a leap second. */
    if (!text || hours > 24 || minutes > 59 || whole > 60 ||
        (hours == 24 && minutes + whole > 0))
        return NULL;
    time->seconds = 3600.0 * hours + 60.0 * minutes + whole + fraction;
    return read_offset(text, time);
}

/* What follows a date before its time; NULL if nothing does. */
static const char *before_clock(const char *text)
{
    if (*text == 'T' || *text == 't')
        return text + 1;
    return *skip(text, " ,") && strchr(" ,", *text) ? skip(text, " ,") : NULL;
}

bool csv_parse_time(const char *field, bool day_first, csv_time *time)
{
    date d;
    const char *text = skip(field, " \t"), *clock;
    *time = (csv_time){.precision = CSV_CLOCK};
    const char *end = read_date(skip_weekday(text), day_first, &d);
    if (!end) {
        end = read_clock(text, time);
        return end && *skip(end, " \t") == '\0';
    }
    time->precision = d.day ? CSV_DAY : CSV_MONTH;
    time->ambiguous = d.ambiguous;
    if (!d.day)
        d.day = 1;
    if (!is_date(&d))
        return false;
    if ((clock = before_clock(end))) {
        time->precision = CSV_SECOND;
        end = read_clock(clock, time);
    }
    time->seconds +=
        (double)SECONDS_OF_DAY * (double)csv_days_of_date(d.year, d.month, d.day);
    return end && *skip(end, " \t") == '\0';
}
