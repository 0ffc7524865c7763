/*
 * Names of months and days in English, German, French, Spanish, Italian and Dutch.
 */
#include <string.h>

#include "examples/csv/date.h"

const char *csv_skip(const char *text, const char *set)
{
    return text + strspn(text, set);
}

const char *csv_read_digits(const char *text, size_t low, size_t high, int *value)
{
    size_t length = strspn(text, "0123456789");
    if (length < low || length > high)
        return NULL;
    *value = 0;
    for (size_t i = 0; i < length; i++)
        *value = 10 * *value + (text[i] - '0');
    return text + length;
}

const char *csv_read_word(const char *text, char word[CSV_LONGEST_WORD + 1])
{
    size_t length = 0;
    for (;; text++) {
        char letter = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (!((letter >= 'a' && letter <= 'z') || letter & '\x80'))
            break;
        if (length == CSV_LONGEST_WORD)
            return NULL;
        word[length++] = letter;
    }
    word[length] = '\0';
    return length > 0 ? text : NULL;
}

/* Whether a word is one of some names, which blanks separate, or at least the first
 * three letters of one. */
static bool abbreviates(const char *word, const char *names)
{
    size_t length = strlen(word);
    for (const char *name = names; *name; name = csv_skip(name, " ")) {
        size_t whole = strcspn(name, " ");
        if (length >= 3 && length <= whole && strncmp(word, name, length) == 0)
            return true;
        name += whole;
    }
    return false;
}

const char *csv_read_month(const char *text, int *month)
{
    static const char *const names[] = {
        "january januar jaenner janvier januari enero gennaio",
        "february februar f\xc3\xa9vrier fevrier februari febrero febbraio",
        "march m\xc3\xa4rz maerz mars maart marzo mrz mrt",
        "april avril abril aprile",
        "may mai mei mayo maggio",
        "june juni juin junio giugno",
        "july juli juillet julio luglio",
        "august ao\xc3\xbbt aout augustus agosto",
        "september sept septembre septiembre settembre",
        "october oktober octobre octubre ottobre",
        "november novembre noviembre",
        "december dezember decembre diciembre dicembre d\xc3\xa9\143embre"};
    char word[CSV_LONGEST_WORD + 1];
    const char *end = csv_read_word(text, word);
    /* Juin and juillet begin alike. */
    if (!end || strcmp(word, "jui") == 0)
        return NULL;
    for (int i = 0; i < 12; i++)
        if (abbreviates(word, names[i])) {
            *month = i + 1;
            return end;
        }
    return NULL;
}

const char *csv_skip_weekday(const char *text)
{
    static const char names[] =
        "monday tuesday wednesday thursday friday saturday sunday montag dienstag "
        "mittwoch donnerstag freitag samstag sonntag lundi mardi mercredi jeudi "
        "vendredi samedi dimanche";
    char word[CSV_LONGEST_WORD + 1];
    int month;
    const char *end = csv_read_word(text, word);
    /* Mardi and mars begin alike: "mar" is a month. */
    bool weekday = end && abbreviates(word, names) && !csv_read_month(text, &month);
    return weekday ? csv_skip(end, "., ") : text;
}
