/* Rare texts of tables: every branch that test_csv.c does not take, and failing
 * allocations. */
#include <stdlib.h>
#include <string.h>

#include "examples/csv/csv.h"
#include "examples/csv/field.h"
#include "tests/support/test.h"

static char why[256];

/* The linker replaces malloc() and calloc() of the program by these. */
static size_t allocations_left = SIZE_MAX;
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_malloc(size_t size)
{
    return allocations_left-- == 0 ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocations_left-- == 0 ? NULL : __real_calloc(count, size);
}

static bool read_as(csv_table *table, const char *text, size_t size, char delimiter)
{
    return csv_read(table, (const unsigned char *)text, size, delimiter, why,
                    sizeof(why));
}

/* Compares the delimiter and all fields, each ended by "~". */
static void expect_as(const char *text, char delimiter, char found, const char *fields)
{
    csv_table table;
    static char joined[4096];
    *joined = '\0';
    if (!read_as(&table, text, strlen(text), delimiter))
        fail_msg("'%s': %s", text, why);
    for (size_t i = 0; i < table.rows * table.columns; i++) {
        strcat(joined, csv_field(&table, i / table.columns, i % table.columns));
        strcat(joined, "~");
    }
    assert_string_equal(joined, fields);
    assert_int_equal(table.delimiter, found);
    csv_free(&table);
}

static void expect(const char *text, char delimiter, const char *fields)
{
    expect_as(text, CSV_DETECT, delimiter, fields);
}

/* The text is refused with a message that has a part. */
static void refuse(const char *text, size_t size, const char *part)
{
    csv_table table;
    if (read_as(&table, text, size, CSV_DETECT))
        fail_msg("a table, expected '%s'", part);
    if (!strstr(why, part))
        fail_msg("'%s', expected '%s'", why, part);
}

static void a_text_may_end_anywhere(void **state)
{
    (void)state;
    expect("a;b\n1; ", ';', "a~b~1~~");
    expect("a;b\n1;", ';', "a~b~1~~");
    expect("a;b\n1;2\n  ", ';', "a~b~1~2~");
    expect("a;b\n1;2\n#", ';', "a~b~1~2~");
    expect("a;b\n1;\"2\"", ';', "a~b~1~2~");
    expect("a  b\n1 2 ", CSV_BLANKS, "a~b~1~2~");
    expect("a;b\n\"1\r2\";\"3\r\n4\"\n", ';', "a~b~1\r2~3\r\n4~");
    refuse("a;b\n1;\"2\r", 9, "line 2: a quote has no end");
    refuse("a;b\n\"\r\"x;2", 10, "line 3: text follows a closing quote");
    refuse("a;b\n\"\r\n\"x;2", 11, "line 3: text follows a closing quote");
}

static void a_delimiter_is_not_a_part_of_numbers(void **state)
{
    (void)state;
    expect("a b\n1,5 2\n3 4\n5 6\n7 8\n", CSV_BLANKS, "a~b~1,5~2~3~4~5~6~7~8~");
    expect("a b\n10:30 NA\n", CSV_BLANKS, "a~b~10:30~NA~");
    expect("1 2\n3 \"4\n", CSV_NONE, "1 2~3 \"4~");
    expect("a\n1,234.5\n2,345.5\n3,456.5\n4,567.5\n5,678.5\n", CSV_NONE,
           "a~1,234.5~2,345.5~3,456.5~4,567.5~5,678.5~");
    expect("1,0\n2,0\n", ',', "1~0~2~0~");
    expect("1,0e1\n2,0e1\n", ',', "1~0e1~2~0e1~");
    refuse("1,5\n2,5\n\"3\"\n", 12, "line 3: 1 field, expected 2");
    expect("1,05\n2,0\n", CSV_NONE, "1,05~2,0~");
    expect("1,0\n\"2\",5\n", ',', "1~0~2~5~");
}

static void the_table_begins_with_names_or_at_once(void **state)
{
    (void)state;
    char text[256] = "", fields[256] = "";
    expect("x;\n10:30;11:30\n1;2\n", ';', "x~~10:30~11:30~1~2~");
    expect("a;b\n1;2\n3;4\n5;6\n\n7;8\n", ';', "a~b~1~2~3~4~5~6~7~8~");
    for (size_t i = 0; i < 60; i++) {
        strcat(text, ";x\n");
        strcat(fields, "~x~");
    }
    expect(text, ';', fields);
}

static void comments_without_names_stay_comments(void **state)
{
    (void)state;
    expect("#\n1;2\n3;4\n", ';', "1~2~3~4~");
    expect("#a,\"b\n1,2\n3,4\n", ',', "1~2~3~4~");
    refuse("#a,b\n#c,d\n", 10, "");
}

static void only_a_whole_line_sep_sets_the_delimiter(void **state)
{
    (void)state;
    refuse("sep=;\n", 6, "no rows");
    expect("sep=|\n1\n", '|', "1~");
    expect("sep=;x\n1;2\n", ';', "sep=~x~1~2~");
    expect("sep=\"\n1\n", CSV_NONE, "sep=\"~1~");
    expect("sep=\n\n1\n", CSV_NONE, "sep=~~1~");
    expect_as("sep=|\na;b|c\n", ';', ';', "a~b|c~");
}

static void characters_are_those_of_unicode(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *encoding;
    } rows[] = {
        {"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "UTF-8"},
        {"a\xee\x80\x80\xf4\x8f\xbf\xbf", "UTF-8"},
        {"a\x81", "Windows-1252"},
        {"a\xc3", "Windows-1252"},
        {"a\xc3x", "Windows-1252"},
        {"a\xf5\x80\x80\x80", "Windows-1252"},
        {"a\xe0\x80\x80", "Windows-1252"},
        {"a\xf0\x80\x80\x80", "Windows-1252"},
        {"a\xf4\x90\x80\x80", "Windows-1252"},
        {"a\xed\xa0\x80", "Windows-1252"},
        {"a\xed\x9f\xbf", "UTF-8"},
    };
    csv_table table;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_true(read_as(&table, rows[i].text, strlen(rows[i].text), CSV_DETECT));
        assert_string_equal(table.encoding, rows[i].encoding);
        csv_free(&table);
    }
    refuse("\0\0\0\0", 4, "line 1: contains a byte 0");
    refuse("a\rb\r\nc\n\0", 8, "line 4: contains a byte 0");
}

static void limits_are_named(void **state)
{
    (void)state;
    enum { FIELD = CSV_MOST_FIELD - 1, COUNT = CSV_MOST_ROW / CSV_MOST_FIELD + 1 };
    size_t size = (size_t)COUNT * (FIELD + 1);
    char *text = malloc(size), part[64];
    assert_non_null(text);
    memset(text, 'x', size);
    for (size_t i = 0; i < COUNT; i++)
        text[i * (FIELD + 1) + FIELD] = ';';
    snprintf(part, sizeof(part), "line 1: a row has more than %d bytes", CSV_MOST_ROW);
    csv_table table;
    assert_false(read_as(&table, text, size, ';'));
    assert_string_equal(why, part);
    /* No byte of it is read. */
    refuse(text, (size_t)CSV_MOST_BYTES + 1, "expected at most 268435456");
    free(text);
    char small[8];
    assert_false(csv_read(&table, (const unsigned char *)"", 0, CSV_DETECT, small, 8));
    assert_string_equal(small, "line 1:");
    assert_false(csv_read(&table, (const unsigned char *)"", 0, CSV_DETECT, small, 4));
    assert_string_equal(small, "lin");
}

static void lines_and_quotes_of_fields_are_known(void **state)
{
    (void)state;
    csv_table table;
    assert_true(read_as(&table, "a;b\n\n\"1\";2\n", 11, CSV_DETECT));
    assert_true(csv_is_quoted(&table, 1, 0) && !csv_is_quoted(&table, 1, 1));
    assert_int_equal(csv_line(&table, 0), 1);
    assert_int_equal(csv_line(&table, 1), 3);
    csv_free(&table);
}

static void every_failed_allocation_is_named(void **state)
{
    (void)state;
    static const char text[] = "M\xe4rz;b\n1;2\n";
    csv_table table;
    size_t failed = 0;
    for (bool done = false; !done; failed++) {
        allocations_left = failed;
        done = read_as(&table, text, sizeof(text) - 1, CSV_DETECT);
        allocations_left = SIZE_MAX;
        if (!done)
            assert_string_equal(why, "line 1: no memory");
    }
    assert_int_equal(failed - 1, 6);
    csv_free(&table);
}

static void numbers_have_limits_and_signs_of_their_own(void **state)
{
    (void)state;
    enum { LONGEST = 399 };
    static const struct {
        size_t digits;
        const char *end;
        bool fits;
    } rows[] = {{LONGEST, "", true},        {LONGEST + 1, "", false},
                {LONGEST, ".", false},      {LONGEST - 1, ".", true},
                {LONGEST - 1, ".5", false}, {LONGEST, "e1", false},
                {LONGEST - 1, "e1", false}, {LONGEST - 2, "e1", true}};
    csv_number number;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char text[LONGEST + 8] = "";
        memset(text, '0', rows[i].digits);
        strcpy(text + rows[i].digits, rows[i].end);
        assert_int_equal(csv_parse_number(text, '.', &number), rows[i].fits);
    }
    assert_true(csv_parse_number("1\xe2\x80\x99"
                                 "234",
                                 '.', &number));
    assert_true(number.value == 1234 && number.groups);
    assert_false(csv_parse_number("1,234e5", '.', &number));
    assert_true(csv_is_missing("\xe2\x80\x94\xe2\x88\x92"));
}

/* A date or time in an order of its numbers. */
typedef struct point {
    const char *text;
    csv_order order;
    double seconds;
} point;

static void rare_forms_of_times_are_read(void **state)
{
    (void)state;
    static const double day = 86400;
    static const point rows[] = {
        {"1/2/70", CSV_MDY, 1 * day},
        {"1970.Jan", CSV_MDY, 0},
        {"Jan 2, 1970", CSV_MDY, 1 * day},
        {"Jan-70", CSV_MDY, 0},
        {"Mar 5, 1970", CSV_MDY, 63 * day},
        {"2000-02-29", CSV_MDY, 11016 * day},
        {"2024-02-29", CSV_MDY, 19782 * day},
        {"1970-01-01t01:00z", CSV_MDY, 3600},
        {"01:00 UTC", CSV_MDY, 3600},
        {"01:00 GMT+01:00", CSV_MDY, 0},
        {"01:00-0130", CSV_MDY, 9000},
        {"01:00+01", CSV_MDY, 0},
        {"01:00 AM", CSV_MDY, 3600},
        {"12:00 am", CSV_MDY, 0},
        {"24:00", CSV_MDY, 86400},
        {"10:00:60", CSV_MDY, 36060},
    };
    csv_time time;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (!csv_parse_time(rows[i].text, rows[i].order, &time))
            fail_msg("%s is not a time", rows[i].text);
        assert_true(time.seconds == rows[i].seconds);
        assert_true(csv_is_time(rows[i].text));
    }
}

static void what_is_nearly_a_time_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "1/2/204",           "2024.12",   "31",         "Dec 31x",    "Dec 31, 24x",
        "Dec 24 1230:15",    "2024X1",    "2024Q0",     "Q4 0000",    "2024123",
        "17991231",          "22000101",  "1900-02-29", "0000-01-01", "Dec{",
        "abcdefghijklmnopq", "12:30 CET", "12:30+1",    "12:30+01:x", "12:30+16:00",
        "12:30+01:60",       "0:30 AM",   "10:00:00.",  "10:00:00.x", "10:00:00.5x",
        "10:00:x",           "10:00:61",  "24:01",      "24:00:01",   "Dec 31, 2024x5",
        "2024-W01-",         "1-"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (csv_is_time(texts[i]))
            fail_msg("%s is a time", texts[i]);
    csv_time time;
    assert_false(csv_parse_time("4-01-02", CSV_YMD, &time));
}

static void names_of_months_may_have_a_point(void **state)
{
    (void)state;
    int month = 0;
    assert_true(csv_parse_month_name(" Dec. ", &month) && month == 12);
    assert_false(csv_parse_month_name("Dec x", &month));
    assert_false(csv_parse_month_name("x", &month));
    assert_true(csv_starts_with_month("m\xc3\xa4rz 1", &month) && month == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_may_end_anywhere),
        TEST(a_delimiter_is_not_a_part_of_numbers),
        TEST(the_table_begins_with_names_or_at_once),
        TEST(comments_without_names_stay_comments),
        TEST(only_a_whole_line_sep_sets_the_delimiter),
        TEST(characters_are_those_of_unicode),
        TEST(limits_are_named),
        TEST(lines_and_quotes_of_fields_are_known),
        TEST(every_failed_allocation_is_named),
        TEST(numbers_have_limits_and_signs_of_their_own),
        TEST(rare_forms_of_times_are_read),
        TEST(what_is_nearly_a_time_is_none),
        TEST(names_of_months_may_have_a_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
