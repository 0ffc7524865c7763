#include <stdio.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/csv/field.h"
#include "examples/forecast/parts.h"

/* Whether the first word of a name, in any case of letters, is one of some words, which
 * blanks separate. */
static bool is_one_of(const char *name, const char *words)
{
    char word[20];
    size_t length = strcspn(name, " _([");
    if (length == 0 || length + 3 > sizeof(word))
        return false;
    word[0] = ' ';
    for (size_t i = 0; i < length; i++)
        word[i + 1] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    snprintf(word + length + 1, 2, " ");
    return strstr(words, word);
}

static const struct {
    const char *words;
    int low, high;
} parts[PARTS] = {
    [PART_YEAR] = {" year years jahr ann\xc3\xa9"
                   "e annee ano a\xc3\xb1o anno jaar yr yyyy ",
                   1000, 2999},
    [PART_QUARTER] = {" quarter quartal trimestre qtr ", 1, 4},
    [PART_MONTH] = {" month monat mois mes mese maand mm mon mo ", 1, 12},
    [PART_WEEK] = {" week woche kw semaine semana settimana ", 1, 53},
    [PART_DAY] = {" day tag jour d\xc3\xad"
                  "a dia giorno dag dd ",
                  1, 31},
    [PART_HOUR] = {" hour stunde heure hora ora uur hh hr ", 0, 24},
    [PART_MINUTE] = {" minute minuten minutes ", 0, 59},
};

part part_of_name(const char *name)
{
    for (part kind = PART_YEAR; kind < PARTS; kind++)
        if (is_one_of(name, parts[kind].words))
            return kind;
    return PART_NONE;
}

bool part_read(part kind, const char *field, int *value)
{
    char digits[8];
    uint64_t number;
    if (kind == PART_MONTH && csv_parse_month_name(field, value))
        return true;
    field += strspn(field, " ");
    field += kind == PART_QUARTER && *field && strchr("QqTt", *field);
    size_t length = strspn(field, "0123456789");
    if (length == 0 || length >= sizeof(digits) ||
        field[length + strspn(field + length, " ")])
        return false;
    snprintf(digits, sizeof(digits), "%.*s", (int)length, field);
    *value = number_count(digits, &number) ? (int)number : -1;
    return *value >= parts[kind].low && *value <= parts[kind].high;
}

bool part_is_time_name(const char *name)
{
    return part_of_name(name) != PART_NONE ||
           is_one_of(name, " date datum fecha data dates datetime time zeit temps hora "
                           "timestamp period periode zeitraum when ds ");
}

bool part_looks_like_time(const char *text)
{
    enum { FEWEST_GROUPS = 3, FEWEST_DIGITS = 5 };
    size_t groups = 0, digits = 0;
    int month;
    for (const char *at = text; *at; at++)
        if ((at == text || strchr(" -/.0123456789", at[-1])) &&
            csv_starts_with_month(at, &month) && strpbrk(text, "0123456789"))
            return true;
    /* Numbers with a sign between them. */
    for (size_t length; (length = strspn(text, "0123456789")) > 0; text += length + 1) {
        groups++;
        digits += length;
        if (!text[length] || !strchr("-/.:_", text[length]))
            break;
    }
    return groups >= FEWEST_GROUPS && digits >= FEWEST_DIGITS;
}

bool part_is_counter_name(const char *name)
{
    return is_one_of(name, " id index idx no nr nr. no. # row n t time zeit timestamp "
                           "epoch unix date datum year jahr step seq number nummer sec "
                           "seconds ms i ");
}
