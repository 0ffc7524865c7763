/* Prints a table, of a file, as JSON: its rows and, for each field, the number with a
 * decimal point, or null. For comparisons with other readers.
 *
 * usage: csv-json FILE */
#include <stdio.h>
#include <stdlib.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/csv/csv.h"
#include "examples/csv/field.h"

static void print_field(const char *field)
{
    csv_number number;
    printf("[\"");
    for (const char *at = field; *at; at++)
        if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ')
            printf("\\u%04x", (unsigned)*at);
        else
            putchar(*at);
    if (csv_parse_number(field, '.', &number))
        printf("\", %.17g]", number.value);
    else
        printf("\", null]");
}

static void print_table(const csv_table *table)
{
    putchar('[');
    for (size_t row = 0; row < table->rows; row++) {
        printf(row ? ",\n[" : "[");
        for (size_t column = 0; column < table->columns; column++) {
            printf(column ? ", " : "");
            print_field(csv_field(table, row, column));
        }
        putchar(']');
    }
    puts("]");
}

int main(int argc, char **argv)
{
    char why[300];
    input content;
    csv_table table;
    message_set_program("csv-json");
    if (argc != 2 || !input_read(&content, argv[1], CSV_MOST_BYTES))
        return EXIT_FAILURE;
    bool read =
        csv_read(&table, content.bytes, content.size, CSV_DETECT, why, sizeof(why));
    if (read)
        print_table(&table);
    else
        message_error("%s", why);
    if (read)
        csv_free(&table);
    input_free(&content);
    return message_finish(read ? EXIT_SUCCESS : EXIT_FAILURE);
}
