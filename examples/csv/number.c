#include <stdlib.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/csv/field.h"

enum { LONGEST_NUMBER = 400 };

/* Length of a blank at the beginning of a text, also of those that do not break; 0 if
 * there is none. */
static size_t blank_length(const char *text)
{
    static const char *const blanks[] = {
        " ", "\t", "\xc2\xa0", "\xe2\x80\x87", "\xe2\x80\xaf", "\xe2\x80\x89"};
    for (size_t i = 0; i < sizeof(blanks) / sizeof(*blanks); i++)
        if (strncmp(text, blanks[i], strlen(blanks[i])) == 0)
            return strlen(blanks[i]);
    return 0;
}

static const char *skip_blanks(const char *text)
{
    for (size_t length; (length = blank_length(text)) > 0;)
        text += length;
    return text;
}

/* Length of a separator of groups; 0 if there is none. */
static size_t separator_length(const char *text, char decimal)
{
    if (*text == (decimal == '.' ? ',' : '.') || *text == '\'')
        return 1;
    return strncmp(text, "\xe2\x80\x99", 3) == 0 ? 3 : blank_length(text);
}

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* Length of digits in groups of three at the beginning of a text; 0 if there are no
 * groups. All separators are the same. */
static size_t groups_length(const char *text, char decimal)
{
    size_t length = count_digits(text), used;
    const char *first = text + length;
    size_t separator = separator_length(first, decimal);
    if (length == 0 || length > 3 || separator == 0 || *text == '0')
        return 0;
    for (used = 0; strncmp(text + length, first, separator) == 0; used++) {
        if (count_digits(text + length + separator) != 3)
            break;
        length += separator + 3;
    }
    return used ? length : 0;
}

/* A text of a number that is being built for number_real(). */
typedef struct plain {
    char text[LONGEST_NUMBER];
    size_t length;
} plain;

/* Appends characters; false if they do not fit. */
static bool append(plain *out, const char *text, size_t length)
{
    if (length >= sizeof(out->text) - out->length)
        return false;
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = '\0';
    return true;
}

/* Appends a sign, if there is one; returns what follows. */
static const char *read_sign(plain *out, const char *text)
{
    static const char minus[] = "\xe2\x88\x92";
    if (strncmp(text, minus, 3) == 0) {
        append(out, "-", 1);
        return text + 3;
    }
    if (*text == '-')
        append(out, "-", 1);
    return text + (*text == '-' || *text == '+');
}

/* Appends the digits before and after the decimal point; NULL if there are none, else
 * what follows. */
static const char *read_digits(plain *out, const char *text, char decimal,
                               csv_number *number)
{
    char other = decimal == '.' ? ',' : '.';
    size_t length = groups_length(text, decimal), fraction = 0;
    number->groups = length > 0;
    if (!number->groups)
        length = count_digits(text);
    const char *end = text + length;
    number->point = *end == decimal;
    if (number->point)
        fraction = count_digits(end + 1);
    if ((!number->groups && length + fraction == 0) || *end == other)
        return NULL;
    number->decimals = (int)fraction;
    /* Without the separators of groups. */
    for (const char *at = text; at < end; at++)
        if (count_digits(at) > 0 && !append(out, at, 1))
            return NULL;
    if (!number->point)
        return end;
    return append(out, ".", 1) && append(out, end + 1, fraction) ? end + 1 + fraction
                                                                 : NULL;
}

/* Appends an exponent, if there is one; NULL if it has no digits or follows groups. */
static const char *read_exponent(plain *out, const char *text, csv_number *number)
{
    if (*text != 'e' && *text != 'E')
        return text;
    size_t sign = text[1] == '-' || text[1] == '+';
    size_t digits = count_digits(text + 1 + sign);
    if (digits == 0 || number->groups || !append(out, "e", 1) ||
        !append(out, text + 1, sign + digits))
        return NULL;
    long exponent = strtol(text + 1, NULL, 10);
    exponent = exponent > 400 ? 400 : exponent < -400 ? -400 : exponent;
    number->decimals -= (int)exponent;
    return text + 1 + sign + digits;
}

bool csv_parse_number(const char *field, char decimal, csv_number *number)
{
    plain out = {.length = 0};
    const char *text = skip_blanks(field);
    *number = (csv_number){.parentheses = *text == '('};
    if (number->parentheses) {
        append(&out, "-", 1);
        text = skip_blanks(text + 1);
    } else {
        text = skip_blanks(read_sign(&out, text));
    }
    text = read_digits(&out, text, decimal, number);
    if (text)
        text = read_exponent(&out, text, number);
    if (text && number->parentheses)
        text = *skip_blanks(text) == ')' ? skip_blanks(text) + 1 : NULL;
    if (!text || *skip_blanks(text) != '\0')
        return false;
    number->beyond = !number_real(out.text, &number->value);
    return !number->beyond;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Whether a text of a length is a word, in any case of letters. */
static bool is_word(const char *text, size_t length, const char *word)
{
    for (size_t i = 0; i < length; i++)
        if (lower(text[i]) != word[i])
            return false;
    return word[length] == '\0';
}

/* Whether a text consists of dashes, at least one. */
static bool is_dashes(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length) {
        bool wide = strncmp(text + at, "\xe2\x80\x93", 3) == 0 ||
                    strncmp(text + at, "\xe2\x80\x94", 3) == 0 ||
                    strncmp(text + at, "\xe2\x88\x92", 3) == 0;
        if (!wide && text[at] != '-')
            return false;
        at += wide ? 3 : 1;
    }
    return at > 0;
}

bool csv_is_missing(const char *field)
{
    static const char *const words[] = {
        "na",   "n/a",     "#n/a", "#na", "#nv", "#n/d", "nan",          "null", "nil",
        "none", "missing", "?",    ".",   "..",  "...",  "\xe2\x80\xa6", ":"};
    const char *text = skip_blanks(field);
    size_t length = 0;
    for (size_t i = 0; text[i];
         i += blank_length(text + i) ? blank_length(text + i) : 1)
        if (blank_length(text + i) == 0)
            length = i + 1;
    if (length == 0 || is_dashes(text, length))
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (length == strlen(words[i]) && is_word(text, length, words[i]))
            return true;
    return false;
}
