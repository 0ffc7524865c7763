/* Tables in text from outside, and the fields in them. */
#include <stdlib.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/field.h"
#include "tests/support/test.h"

static char why[256];

static bool read_bytes(csv_table *table, const char *bytes, size_t size)
{
    return csv_read(table, (const unsigned char *)bytes, size, CSV_DETECT, why,
                    sizeof(why));
}

/* Compares all fields, each ended by "~". */
static void expect(const char *text, char delimiter, size_t columns, const char *fields)
{
    csv_table table;
    char joined[256] = "";
    assert_true(read_bytes(&table, text, strlen(text)));
    assert_int_equal(table.delimiter, delimiter);
    assert_int_equal(table.columns, columns);
    for (size_t i = 0; i < table.rows * table.columns; i++) {
        strcat(joined, csv_field(&table, i / table.columns, i % table.columns));
        strcat(joined, "~");
    }
    assert_string_equal(joined, fields);
    csv_free(&table);
}

static void a_table_is_read_in_its_dialect(void **state)
{
    (void)state;
    expect("a,b\n1,2\n", ',', 2, "a~b~1~2~");
    expect("a,b\r\n1,2", ',', 2, "a~b~1~2~");
    expect("a,b\r1,\r", ',', 2, "a~b~1~~");
    expect("a,b\r\r\n1,2\r\r\n", ',', 2, "a~b~1~2~");
    expect("\xef\xbb\xbf"
           "a;b\n1,5;2,5\n",
           ';', 2, "a~b~1,5~2,5~");
    expect("a\tb\n1\t2\n\t\n", '\t', 2, "a~b~1~2~~~");
    expect("a|b\n1|2\n", '|', 2, "a~b~1~2~");
    expect("a  b\n 1 2 \n10\t3\n", CSV_BLANKS, 2, "a~b~1~2~10~3~");
    expect("# note, with; all\n\na\n1\n", CSV_NONE, 1, "a~1~");
    expect("\"a\"\"b\",\"c\r\nd\"\n\"1,234\",\"\"\n", ',', 2, "a\"b~c\r\nd~1,234~~");
    expect(" a , \"b\" \n 1 , \" 2\" \n", ',', 2, "a~b~1~ 2~");
}

static void a_comma_may_be_a_decimal_comma(void **state)
{
    (void)state;
    expect("a\n1,5\n2,5\n", CSV_NONE, 1, "a~1,5~2,5~");
    expect("1,05\n2,50\n", CSV_NONE, 1, "1,05~2,50~");
    expect("1,5\n2\n3,5\n", CSV_NONE, 1, "1,5~2~3,5~");
    expect("1,5\n2,7\n", ',', 2, "1~5~2~7~");
    expect("a\n3 kg\n4 kg\n", CSV_NONE, 1, "a~3 kg~4 kg~");
    expect("3 kg\n4 kg\n", CSV_NONE, 1, "3 kg~4 kg~");
}

static void what_surrounds_a_table_is_passed_over(void **state)
{
    (void)state;
    expect("sep=;\na;b\n1,5;2\n", ';', 2, "a~b~1,5~2~");
    expect("sep=|\r\na|b\r\n", '|', 2, "a~b~");
    expect("a,b,\n1,2,\n", ',', 2, "a~b~1~2~");
    expect("a\n1,\n2,\n", ',', 1, "a~1~2~");
    expect("a;b;\n1;2\n", ';', 2, "a~b~1~2~");
    expect("Account;DE1\n\nFrom:;1.1.2024\nday;type;sum\n1;x;2\n1;y;3\n2;x;2\n2;y;3\n"
           "3;x;2\n3;y;4\n4;y;4\n4;y;4\n",
           ';', 3, "day~type~sum~1~x~2~1~y~3~2~x~2~2~y~3~3~x~2~3~y~4~4~y~4~4~y~4~");
    expect("Title;;\n;;\na;b;c\n1;2;3\n", ';', 3, "a~b~c~1~2~3~");
    expect("Title,\na,b\n1,2\n", ',', 2, "a~b~1~2~");
    expect("1;;;\nx;y;;\n", ';', 3, "x~y~~");
    expect(",a\n0,1\n1,2\n", ',', 2, "~a~0~1~1~2~");
    expect("a,b\n1,2\n3,4\n5,6\n\nnotes\nmore\n", ',', 2, "a~b~1~2~3~4~5~6~");
    /* A blank line in one column is a value that is missing. */
    expect("a\n1\n\n2\n\n", CSV_NONE, 1, "a~1~~2~");
    expect("1\n\n2\n\n3\n\n4\n", CSV_NONE, 1, "1~2~3~4~");
    expect("#,a\n1,2\n", ',', 2, "#~a~1~2~");
}

static void errors_of_spreadsheets_are_fields(void **state)
{
    (void)state;
    static const char *const errors[] = {
        "#N/A",    "#NA",     "#NV",    "#N/D",     "#REF!",          "#DIV/0!",
        "#VALUE!", "#NUM!",   "#NAME?", "#NULL!",   "#SPILL!",        "#GETTING_DATA",
        "#WERT!",  "#BEZUG!", "#ZAHL!", "#VALEUR!", "#\xc2\xa1VALOR!"};
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
        char text[80], wanted[80];
        snprintf(text, sizeof(text), "a\n1\n%s\n2\n%s", errors[i], errors[i]);
        snprintf(wanted, sizeof(wanted), "a~1~%s~2~%s~", errors[i], errors[i]);
        expect(text, CSV_NONE, 1, wanted);
        snprintf(text, sizeof(text), "a,b\n1,2\n%s ,3\n", errors[i]);
        snprintf(wanted, sizeof(wanted), "a~b~1~2~%s~3~", errors[i]);
        expect(text, ',', 2, wanted);
    }
    expect("a\n1\n#N/A for this day\n#REF\n#NAME\n2\n", CSV_NONE, 1, "a~1~2~");
    expect("#N/A\n1\n", CSV_NONE, 1, "#N/A~1~");
}

static void a_comment_before_the_table_may_have_its_names(void **state)
{
    (void)state;
    expect("#time,v\n1,2\n", ',', 2, "time~v~1~2~");
    expect("# made by hand\n# time v\n1 2\n3 4\n", CSV_BLANKS, 2, "time~v~1~2~3~4~");
    expect("#day;v\n2024-01-01;x\n", ';', 2, "day~v~2024-01-01~x~");
    /* Other numbers of fields, rows of names, and numbers. */
    expect("# a note, of it\na,b\n1,2\n", ',', 2, "a~b~1~2~");
    expect("#a,b,c\n1,2\n", ',', 2, "1~2~");
    expect("#a,\n1,2\n", ',', 2, "1~2~");
    expect("#a,1\n1,2\n", ',', 2, "1~2~");
    expect("#a,b\n\n1,2\n", ',', 2, "1~2~");
    expect("#a,b\n#c\n1,2\n", ',', 2, "1~2~");
    expect("#a\n1\n", CSV_NONE, 1, "1~");
    csv_table table;
    static const char text[] = "#x\n#a;b\n# \n#c;d\n1;2\n#y\n3;4\n";
    assert_true(read_bytes(&table, text, sizeof(text) - 1));
    assert_int_equal(table.comments, 4);
    assert_int_equal(csv_line(&table, 0), 4);
    assert_int_equal(csv_line(&table, 1), 5);
    csv_free(&table);
}

static void other_encodings_are_converted_or_named(void **state)
{
    (void)state;
    csv_table table;
    static const char latin[] = "M\xe4rz;\x80\n1;2\n";
    assert_true(read_bytes(&table, latin, sizeof(latin) - 1));
    assert_string_equal(table.encoding, "Windows-1252");
    assert_string_equal(csv_field(&table, 0, 0), "M\xc3\xa4rz");
    assert_string_equal(csv_field(&table, 0, 1), "\xe2\x82\xac");
    csv_free(&table);
    static const struct {
        const char *bytes;
        size_t size;
        const char *why;
    } rows[] = {
        {"\xff\xfe"
         "a\0",
         4, "UTF-16, expected UTF-8: run iconv -f UTF-16 -t UTF-8"},
        {"a\0,\0b\0\n\0", 8, "iconv -f UTF-16LE -t UTF-8"},
        {"\0a\0,\0b\0\n", 8, "iconv -f UTF-16BE -t UTF-8"},
        {"PK\3\4", 4, "Excel"},
        {"\x1f\x8b\x08", 3, "gunzip"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_false(read_bytes(&table, rows[i].bytes, rows[i].size));
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void a_fault_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        const char *why;
    } rows[] = {
        {"a,b\n1,\"2\n3", 10, "line 2: a quote has no end"},
        {"a,b\n\"x\ny\",1\n3\n", 14, "line 4: 1 field, expected 2"},
        {"a,b\n\"1\"x,2\n", 11, "line 2: text follows a closing quote"},
        {"a;b\n1;2\n1;2;3\n", 14, "line 3: 3 fields, expected 2"},
        {"a,b\n1,2\n3,4\n5,6\n7,8\n\nx\n9,0\n", 27, "line 7: fewer than the 2 fields"},
        {"a\n\0\n", 4, "line 2: contains a byte 0"},
        {"", 0, "no rows"},
        {"# only\n", 7, "no rows; lines of comments: 1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        csv_table table;
        assert_false(read_bytes(&table, rows[i].text, rows[i].size));
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void long_fields_and_rows_are_refused(void **state)
{
    (void)state;
    size_t size = 3 * CSV_MOST_FIELD;
    char *text = malloc(size);
    csv_table table;
    memset(text, 'x', size);
    assert_false(read_bytes(&table, text, size));
    assert_string_equal(why, "line 1: a field has more than 131072 bytes");
    text[0] = '"';
    assert_false(read_bytes(&table, text, size));
    assert_string_equal(why, "line 1: a quoted field has more than 131072 bytes");
    memset(text, ';', size);
    memcpy(text, "a;b\n", 4);
    assert_false(read_bytes(&table, text, size));
    assert_string_equal(why, "line 2: has more than 16384 fields");
    free(text);
}

static void a_number_is_the_whole_field(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",        "3 kg",    "5%",      "12:30",     "2024-01-05", "1,23",
        "1,234,5", "1.5,000", ",123",    "0x10",      "inf",        "1e999",
        "1e",      "--1",     "1 2",     "1,234 567", "(-1)",       "(1",
        "1)",      "nan",     ".",       "-",         "+",          "0,123",
        "1.2.3",   "1,,234",  "12,345,", "1e5.5",     "1,0000",     "1_000"};
    static const struct {
        const char *text;
        char decimal;
        double value;
        int decimals;
    } taken[] = {
        {" -1,234,567.25 ", '.', -1234567.25, 2},
        {"1.234,5", ',', 1234.5, 1},
        {"1'234.50", '.', 1234.5, 2},
        {"1\xc2\xa0"
         "234,5",
         ',', 1234.5, 1},
        {"1\xe2\x80\xaf"
         "234",
         ',', 1234, 0},
        {"12 345", '.', 12345, 0},
        {"12\xe2\x80\x87"
         "345",
         '.', 12345, 0},
        {"\xe2\x88\x92"
         "5",
         '.', -5, 0},
        {"(1,234.5)", '.', -1234.5, 1},
        {"+.5", '.', .5, 1},
        {"5.", '.', 5, 0},
        {"1.5e-3", '.', .0015, 4},
        {"1.5E+3", '.', 1500, -2},
    };
    csv_number number;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        if (csv_parse_number(refused[i], '.', &number))
            fail_msg("%s is a number", refused[i]);
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        if (!csv_parse_number(taken[i].text, taken[i].decimal, &number))
            fail_msg("%s is not a number", taken[i].text);
        assert_true(number.value == taken[i].value);
        assert_int_equal(number.decimals, taken[i].decimals);
    }
    assert_false(csv_parse_number("1.5", ',', &number));
    assert_false(number.beyond);
    static const char *const beyond[] = {"1e400", "-1e-400", "(1e999)"};
    for (size_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++)
        assert_true(!csv_parse_number(beyond[i], '.', &number) && number.beyond);
    assert_true(csv_parse_number("0e-400", '.', &number));
}

static void a_missing_value_has_one_of_several_names(void **state)
{
    (void)state;
    static const char *const missing[] = {
        "",     "  ",  "NA",           "n/a",      "#N/A", "#NA", "#NV",
        "#N/D", "NaN", " nan ",        "NULL",     "None", "-",   "--",
        "?",    ".",   "\xe2\x80\x93", "\xc2\xa0", "..",   "...", "\xe2\x80\xa6",
        ":"};
    static const char *const values[] = {"0",   "x",    "-1", "NAs",
                                         "- -", "....", "??", "::"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
        if (!csv_is_missing(missing[i]))
            fail_msg("'%s' is not missing", missing[i]);
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
        if (csv_is_missing(values[i]))
            fail_msg("'%s' is missing", values[i]);
}

/* Seconds since 1970 of 2024-12-31. */
static const double last_day = 1735603200;

static void a_date_has_one_of_many_forms(void **state)
{
    (void)state;
    static const char *const days[] = {"2024-12-31",
                                       "2024/12/31",
                                       "2024.12.31",
                                       "20241231",
                                       "31.12.2024",
                                       "31.12.24",
                                       "12/31/2024",
                                       "12-31-2024",
                                       "Dec 31, 2024",
                                       "December 31 2024",
                                       "31 Dec 2024",
                                       "31-Dec-24",
                                       "31. Dezember 2024",
                                       "Tue, 31 Dec 2024",
                                       " 2024-12-31 ",
                                       "Dienstag, 31.12.2024",
                                       "2024-366",
                                       "2025-W01-2",
                                       "2024 Dec 31",
                                       "2024-Dec-31",
                                       "31 d\xc3\xa9\143embre 2024",
                                       "31/dic/2024",
                                       "mardi 31 dec 2024"};
    static const struct {
        const char *text;
        csv_precision precision;
        double seconds;
    } rows[] = {
        {"2024-12-31 23:59", CSV_SECOND, 86340},
        {"2024-12-31T23:59:58Z", CSV_SECOND, 86398},
        {"2024-12-31T23:59:58.25+01:00", CSV_SECOND, 82798},
        {"12/31/2024 11:59 PM", CSV_SECOND, 86340},
        {"31.12.2024, 12:00", CSV_SECOND, 43200},
        {"2024-12", CSV_MONTH, -30 * 86400.},
        {"12/2024", CSV_MONTH, -30 * 86400.},
        {"Dec 2024", CSV_MONTH, -30 * 86400.},
        {"Dez-24", CSV_MONTH, -30 * 86400.},
        {"202412", CSV_MONTH, -30 * 86400.},
        {"2024M12", CSV_MONTH, -30 * 86400.},
        {"2024-S2", CSV_HALF, -183 * 86400.},
        {"2024-Q4", CSV_QUARTER, -91 * 86400.},
        {"Q4 2024", CSV_QUARTER, -91 * 86400.},
        {"T4 2024", CSV_QUARTER, -91 * 86400.},
        {"2024-W52", CSV_WEEK, -8 * 86400.},
        {"2025W01", CSV_WEEK, -86400},
        {"KW 52/2024", CSV_WEEK, -8 * 86400.},
        {"12:30", CSV_CLOCK, 45000 - last_day},
        {"12:30:15.5", CSV_CLOCK, 45015 - last_day},
    };
    csv_time time;
    for (size_t i = 0; i < sizeof(days) / sizeof(*days); i++) {
        if (!csv_parse_time(days[i], CSV_MDY, &time) &&
            !csv_parse_time(days[i], CSV_DMY, &time))
            fail_msg("%s is not a date", days[i]);
        assert_int_equal(time.precision, CSV_DAY);
        assert_true(time.seconds == last_day);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!csv_parse_time(rows[i].text, CSV_MDY, &time) &&
            !csv_parse_time(rows[i].text, CSV_DMY, &time))
            fail_msg("%s is not a time", rows[i].text);
        assert_int_equal(time.precision, rows[i].precision);
        assert_true(time.seconds == last_day + rows[i].seconds);
    }
    /* The same numbers in each order. */
    static const double orders[CSV_ORDERS] = {-1429, -1459, -8380};
    for (csv_order order = CSV_MDY; order <= CSV_YMD; order++) {
        assert_true(csv_parse_time("02/01/21", order, &time));
        assert_true(time.separator == '/');
        assert_true(time.seconds == last_day + orders[order] * 86400);
    }
    assert_false(csv_parse_time("31/12/2024", CSV_MDY, &time));
    assert_false(csv_parse_time("31/12/2024", CSV_YMD, &time));
}

static void other_texts_are_not_dates(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",           "2024",         "12.2024",      "2023-02-29",
        "2024-13-01", "32.1.2024",    "12/31",        "1.5",
        "25:00",      "12:60",        "Jan",          "2024-01-05x",
        "3 kg",       "2024-01-05 x", "99999999",     "2024-W54",
        "1:2",        "Decade 2024",  "Dec 32, 2024", "2024-Q5",
        "13:00 PM",   "2024-W53",     "2023-366",     "2024-W05-8",
        "jui 2024",   "202413",       "2024-00-01",   "2024-01-00",
        "2024 12",    "S05 2024",     "2024-000",     "2024-01-01T00:00:00 CET"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (csv_is_time(texts[i]))
            fail_msg("%s is a time", texts[i]);
}

static void parts_of_seconds_keep_their_digits(void **state)
{
    (void)state;
    csv_time time;
    assert_true(csv_parse_time("2024-12-31 23:59:58.123456789", CSV_MDY, &time));
    assert_true(time.seconds == last_day + 86398 && time.nanoseconds == 123456789);
    assert_int_equal(time.digits, 9);
    assert_true(csv_parse_time("10:00:00,5000000001", CSV_MDY, &time));
    assert_true(time.nanoseconds == 5e8);
    assert_int_equal(time.digits, 10);
    assert_true(csv_parse_time("1/2/55", CSV_MDY, &time) && time.short_year);
    assert_true(csv_parse_time("1/2/1955", CSV_MDY, &time) && !time.short_year);
}

static void days_of_the_calendar_follow_each_other(void **state)
{
    (void)state;
    for (long days = -800000; days < 800000; days += 17) {
        long year;
        int month, day;
        csv_date_of_days(days, &year, &month, &day);
        assert_in_range(month, 1, 12);
        assert_in_range(day, 1, 31);
        assert_int_equal(csv_days_of_date(year, month, day), days);
        csv_week_of_days(days, &year, &month);
        day = csv_weekday_of_days(days);
        assert_in_range(day, 0, 6);
        assert_int_equal(csv_days_of_week(year, month), days - day);
    }
    assert_int_equal(csv_days_of_date(2000, 3, 1), 11017);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_read_in_its_dialect),
        TEST(a_comma_may_be_a_decimal_comma),
        TEST(what_surrounds_a_table_is_passed_over),
        TEST(errors_of_spreadsheets_are_fields),
        TEST(a_comment_before_the_table_may_have_its_names),
        TEST(other_encodings_are_converted_or_named),
        TEST(a_fault_is_named_with_its_line),
        TEST(long_fields_and_rows_are_refused),
        TEST(a_number_is_the_whole_field),
        TEST(a_missing_value_has_one_of_several_names),
        TEST(a_date_has_one_of_many_forms),
        TEST(other_texts_are_not_dates),
        TEST(parts_of_seconds_keep_their_digits),
        TEST(days_of_the_calendar_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
