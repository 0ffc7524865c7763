/*
 * Tables in text, and the numbers and times in their fields. A table that is accepted
 * is UTF-8; written with quotes around all fields it is read as the same table.
 *
 * Input: a byte that selects the delimiter, then the text.
 */
#include <math.h>

#include "examples/csv/csv.h"
#include "examples/csv/field.h"
#include "lib/lstm/io/json.h"
#include "tests/fuzz/fuzz.h"

enum { MESSAGE = 512 };

static void check_time(const csv_time *time)
{
    enum { DAY = 86400 };
    long year, days = (long)floor(time->seconds / DAY);
    int month, day;
    FUZZ_CHECK(isfinite(time->seconds) && time->precision <= CSV_SECOND);
    FUZZ_CHECK(time->nanoseconds >= 0 && time->nanoseconds < 1e9);
    csv_date_of_days(days, &year, &month, &day);
    FUZZ_CHECK(month >= 1 && month <= 12 && day >= 1 && day <= 31);
    FUZZ_CHECK(csv_days_of_date(year, month, day) == days);
}

/* Digits, a point and digits: strtod() must agree. */
static bool is_plain(const char *field)
{
    static const char digits[] = "0123456789";
    size_t whole = strspn(field, digits);
    if (whole == 0 || field[whole] != '.')
        return whole > 0 && !field[whole];
    size_t part = strspn(field + whole + 1, digits);
    return part > 0 && !field[whole + 1 + part];
}

static void check_field(const char *field)
{
    csv_number number;
    csv_time time;
    FUZZ_CHECK(lstm_is_utf8(field));
    bool found = csv_parse_number(field, '.', &number);
    if (found)
        FUZZ_CHECK(isfinite(number.value) && number.decimals >= -400);
    if (is_plain(field) && strlen(field) < 300)
        FUZZ_CHECK(found && number.value == strtod(field, NULL));
    if (csv_parse_number(field, ',', &number))
        FUZZ_CHECK(isfinite(number.value) && number.decimals >= -400);
    FUZZ_CHECK(!csv_is_missing(field) || !found);
    for (csv_order order = CSV_MDY; order <= CSV_YMD; order++)
        if (csv_parse_time(field, order, &time))
            check_time(&time);
}

static void check_table(const csv_table *table, size_t size)
{
    FUZZ_CHECK(table->rows >= 1 && table->columns >= 1 && table->rows <= size + 1);
    for (size_t row = 0; row < table->rows; row++) {
        FUZZ_CHECK(csv_line(table, row) >= 1);
        FUZZ_CHECK(row == 0 || csv_line(table, row) > csv_line(table, row - 1));
        for (size_t column = 0; column < table->columns; column++)
            check_field(csv_field(table, row, column));
    }
}

/* RFC 4180 with quotes around each field. */
static void write_table(const csv_table *table, lstm_text *text)
{
    for (size_t row = 0; row < table->rows; row++)
        for (size_t column = 0; column < table->columns; column++) {
            lstm_text_add(text, "%s\"", column ? "," : row ? "\r\n" : "");
            for (const char *c = csv_field(table, row, column); *c; c++)
                lstm_text_add(text, *c == '"' ? "\"\"" : "%c", *c);
            lstm_text_add(text, "\"");
        }
    FUZZ_CHECK(!text->failed);
}

static void compare(const csv_table *one, const csv_table *other)
{
    FUZZ_CHECK(one->rows == other->rows && one->columns == other->columns);
    for (size_t row = 0; row < one->rows; row++)
        for (size_t column = 0; column < one->columns; column++) {
            FUZZ_CHECK(csv_is_quoted(other, row, column));
            FUZZ_CHECK(strcmp(csv_field(one, row, column),
                              csv_field(other, row, column)) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {CSV_DETECT, ',', ';', '\t', '|', ' ', '\n'};
    char why[MESSAGE] = "";
    fuzz_input input = {data, size};
    csv_table table, again;
    char delimiter = delimiters[fuzz_byte(&input) % sizeof(delimiters)];
    lstm_text text = {0};
    /* The parser must not read behind the text, which does not end with a byte 0. */
    if (!csv_read(&table, input.data, input.size, delimiter, why, sizeof(why))) {
        fuzz_check_message(why);
        FUZZ_CHECK(!table.text);
        return 0;
    }
    check_table(&table, input.size);
    write_table(&table, &text);
    bool read = csv_read(&again, (const unsigned char *)text.data, text.size, ',', why,
                         sizeof(why));
    /* The quotes may make a row longer than the limit. */
    FUZZ_CHECK(read || strstr(why, "more than"));
    if (read)
        compare(&table, &again);
    csv_free(&again);
    csv_free(&table);
    lstm_text_destroy(&text);
    return 0;
}
