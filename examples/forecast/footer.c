#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/csv/field.h"
#include "examples/forecast/columns.h"
#include "examples/forecast/footer.h"

enum { MOST_ROWS = 50, FIRST_ROW = 2 };

bool footer_is_name(const char *field)
{
    csv_number number;
    return !csv_is_missing(field) && !strchr("0123456789+-.,", *field) &&
           !csv_parse_number(field, '.', &number) &&
           !csv_parse_number(field, ',', &number) && !csv_is_time(field);
}

bool footer_is_blank(const csv_table *table, size_t row)
{
    for (size_t i = 0; i < table->columns; i++)
        if (!csv_is_missing(csv_field(table, row, i)))
            return false;
    return true;
}

/* The first column of a row that has a field; the number of columns without one. */
static size_t first_field(const csv_table *table, size_t row)
{
    size_t i = 0;
    while (i < table->columns && csv_is_missing(csv_field(table, row, i)))
        i++;
    return i;
}

/* Whether a row has a text in its first field only. */
static bool is_note(const csv_table *table, size_t row)
{
    for (size_t i = 1; i < table->columns; i++)
        if (!csv_is_missing(csv_field(table, row, i)))
            return false;
    return footer_is_name(csv_field(table, row, 0));
}

/* Whether letters, of which the ASCII ones may be large, are a word for a total. */
static bool is_word(const char *letters, size_t length)
{
    static const char words[] =
        " total totals totale totaal subtotal gesamt insgesamt "
        "gesamtsumme zwischensumme summe sum somme suma average "
        "avg mean mittelwert durchschnitt moyenne ";
    char word[20] = " ";
    if (length == 0 || length + 3 > sizeof(word))
        return false;
    for (size_t i = 0; i < length; i++)
        word[i + 1] = (char)(letters[i] | 0x20);
    snprintf(word + length + 1, 2, " ");
    return strstr(words, word);
}

/* Length of letters at the beginning of a text. */
static size_t letters_length(const char *text)
{
    size_t length = 0;
    while ((text[length] >= 'a' && text[length] <= 'z') ||
           (text[length] >= 'A' && text[length] <= 'Z') ||
           (unsigned char)text[length] >= 0x80)
        length++;
    return length;
}

/* Whether the first or the last word of a short text is one for a total. */
static bool is_total_label(const char *field)
{
    enum { LONGEST = 30 };
    bool first = false, last = false;
    if (strlen(field) > LONGEST || !footer_is_name(field))
        return false;
    for (size_t words = 0; *field; field += *field != '\0') {
        size_t length = letters_length(field);
        if (length == 0)
            continue;
        last = is_word(field, length);
        first = first || (words == 0 && last);
        words++;
        field += length;
    }
    return first || last;
}

/* The column of a row without a time that has the label of a total; the number of
 * columns for other rows. */
static size_t total_column(const csv_table *table, size_t row)
{
    size_t found = table->columns;
    for (size_t i = table->columns; i-- > 0;) {
        const char *field = csv_field(table, row, i);
        if (csv_is_time(field))
            return table->columns;
        if (is_total_label(field))
            found = i;
    }
    return found;
}

/* Whether rows of values have such a label too: then it is one of several categories.
 */
static bool has_label_before(const csv_table *table, size_t end, size_t index)
{
    for (size_t row = 1; row < end; row++)
        if (is_total_label(csv_field(table, row, index)))
            return true;
    return false;
}

/* Passes over rows of notes and totals before a row, and blank ones between them. */
static size_t skip_footer(const csv_table *table, size_t end)
{
    size_t row = end, label = table->columns, last_note = end;
    bool notes = true;
    for (; row > FIRST_ROW && end - row < MOST_ROWS; row--) {
        size_t total = total_column(table, row - 1);
        bool blank = footer_is_blank(table, row - 1), note = is_note(table, row - 1);
        if (!note && !blank && total == table->columns)
            break;
        notes = notes && (note || blank);
        last_note = notes ? row - 1 : last_note;
        label = total < table->columns ? total : label;
    }
    return label < table->columns && has_label_before(table, row, label) ? last_note
                                                                         : row;
}

/* Whether the first field of a row that is not missing is a name. */
static bool is_labelled(const csv_table *table, size_t row)
{
    size_t i = first_field(table, row);
    return i < table->columns && footer_is_name(csv_field(table, row, i));
}

/* Passes over rows with labels if a blank row is between them and rows without. */
static size_t skip_labelled(const csv_table *table, size_t end)
{
    size_t row = end;
    while (row > FIRST_ROW + 1 && end - row < MOST_ROWS && is_labelled(table, row - 1))
        row--;
    return row < end && footer_is_blank(table, row - 1) && !is_labelled(table, row - 2)
               ? row - 1
               : end;
}

/* Says which rows are left out. */
static void say_footer(const csv_table *table, size_t end)
{
    char text[60];
    size_t count = 0, first = 0;
    for (size_t row = table->rows; row-- > end;)
        if (!footer_is_blank(table, row)) {
            count++;
            first = row;
        }
    if (count == 0)
        return;
    size_t label = total_column(table, first);
    if (label == table->columns)
        label = first_field(table, first);
    message_warning("rows of notes or totals at the end are left out: %zu, the first "
                    "in line %zu: '%s'",
                    count, csv_line(table, first),
                    columns_shown(csv_field(table, first, label), text, sizeof(text)));
}

size_t footer_find_end(const csv_table *table)
{
    size_t end = table->rows;
    if (table->columns > 1) {
        end = skip_footer(table, end);
        end = skip_labelled(table, end);
        say_footer(table, end);
    }
    while (end > 1 && footer_is_blank(table, end - 1))
        end--;
    return end;
}
