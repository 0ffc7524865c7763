/* Tables in text from outside. */
#include <string.h>

#include "examples/csv/csv.h"
#include "tests/support/test.h"

static char why[256];

static bool read_bytes(csv_table *table, const char *bytes, size_t size)
{
    return csv_read(table, (const unsigned char *)bytes, size, why, sizeof(why));
}

/* Compares all fields, joined by "~" and ended by "~" each. */
static void expect(const char *text, char delimiter, size_t columns, const char *fields)
{
    csv_table table;
    char joined[256] = "";
    assert_true(read_bytes(&table, text, strlen(text)));
    assert_int_equal(table.delimiter, delimiter);
    assert_int_equal(table.columns, columns);
    for (size_t i = 0; i < table.rows * table.columns; i++) {
        strcat(joined, table.fields[i]);
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
    expect("\xef\xbb\xbf"
           "a;b\n1,5;2,5\n",
           ';', 2, "a~b~1,5~2,5~");
    expect("a\tb\n1\t2\n", '\t', 2, "a~b~1~2~");
    expect("a|b\n1|2\n", '|', 2, "a~b~1~2~");
    expect("# note, with; all\n\na\n1\n", ',', 1, "a~1~");
    expect("\"a\"\"b\",\"c\r\nd\"\n\"1,234\",\"\"\n", ',', 2, "a\"b~c\r\nd~1,234~~");
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
        {"a,b\n\"x\ny\",1\n3\n", 14, "line 4: 1 fields, expected 2"},
        {"a,b\n\"1\"x,2\n", 11, "line 2: text follows a closing quote"},
        {"a\n\0\n", 4, "line 2: a byte 0"},
        {"\xff\xfe"
         "a\0",
         4, "UTF-16"},
        {"", 0, "no rows"},
        {"# only\n", 7, "no rows"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        csv_table table;
        assert_false(read_bytes(&table, rows[i].text, rows[i].size));
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void a_number_is_the_whole_field(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "", "3 kg", "5%", "12:30", "2024-01-05", "1,23", "1,234,5", "1.5,000", ",123"};
    double value = 0;
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        assert_false(csv_number(refused[i], '.', &value));
    assert_true(csv_number(" -1,234,567.25 ", '.', &value));
    assert_true(value == -1234567.25);
    assert_true(csv_number("1.234,5", ',', &value));
    assert_true(value == 1234.5);
    assert_false(csv_number("1.5", ',', &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_read_in_its_dialect),
        TEST(a_fault_is_named_with_its_line),
        TEST(a_number_is_the_whole_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
