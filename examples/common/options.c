#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/options.h"

/* getopt_long() returns the index of an option plus this. */
enum { FIRST_CODE = 256 };

static void *field_of(void *options, const option_row *row)
{
    return (char *)options + row->field;
}

/* Prints the default, a text after a separator. */
static void print_default(const option_table *table, const option_row *row,
                          const char *separator)
{
    const void *value = (const char *)table->defaults + row->field;
    if (row->kind == OPTION_COUNT && *(const uint64_t *)value)
        printf(" (default %llu)", (unsigned long long)*(const uint64_t *)value);
    else if ((row->kind == OPTION_POSITIVE || row->kind == OPTION_REAL) &&
             *(const double *)value > 0)
        printf(" (default %g)", *(const double *)value);
    else if (row->kind == OPTION_TEXT && *(const char *const *)value)
        printf("%s(default %s)", separator, *(const char *const *)value);
}

/* Prints text; lines after the first are indented like it. */
static void print_lines(const char *text)
{
    for (; *text; text++) {
        putchar(*text);
        if (*text == '\n')
            printf("%22s", "");
    }
}

static void print_help(const option_table *table)
{
    fputs(table->before, stdout);
    for (size_t i = 0; i < table->count; i++) {
        const option_row *row = &table->rows[i];
        const char *value = row->value ? row->value : "";
        char name[64];
        snprintf(name, sizeof(name), "%s--%s%s%s",
                 row->kind == OPTION_HELP ? "-h, " : "", row->name,
                 *value && *value != '[' ? " " : "", value);
        printf("  %-19s ", name);
        print_lines(row->help);
        print_default(table, row, "\n                      ");
        putchar('\n');
    }
    if (table->after)
        table->after();
}

/* A line for each option: name, value, choices and help, with tabs between them. */
static void print_rows(const option_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const option_row *row = &table->rows[i];
        printf("%s\t%s\t", row->name, row->value ? row->value : "");
        for (size_t name = 0; row->kind == OPTION_CHOICE && row->names[name]; name++)
            printf("%s%s", name ? " " : "", row->names[name]);
        putchar('\t');
        for (const char *text = row->help; *text; text++)
            putchar(*text == '\n' ? ' ' : *text);
        print_default(table, row, " ");
        putchar('\n');
    }
}

/* Prints the version or the help; the programs of the build read the help as "table".
 */
static int print_and_end(const option_table *table, option_kind kind,
                         const char *format)
{
    if (kind == OPTION_HELP && format && strcmp(format, "table") != 0) {
        message_error("--help is '%s', expected no value or table", format);
        return OPTIONS_USAGE;
    }
    if (kind == OPTION_HELP && format)
        print_rows(table);
    else if (kind == OPTION_HELP)
        print_help(table);
    else
        printf("%s %s\n", message_program(), lstm_version());
    return message_finish(0);
}

static bool parse_choice(const option_row *row, const char *text, unsigned *value)
{
    for (unsigned i = 0; row->names[i]; i++)
        if (strcmp(text, row->names[i]) == 0) {
            *value = i;
            return true;
        }
    return false;
}

static bool parse_count(const option_row *row, const char *text, uint64_t *value)
{
    return number_count(text, value) && (double)*value >= row->low &&
           (double)*value <= row->high;
}

static bool parse_real(const option_row *row, const char *text, double *value)
{
    return number_real(text, value) && *value <= row->high &&
           (row->kind == OPTION_POSITIVE ? *value > 0 : *value >= row->low);
}

static bool parse_value(const option_row *row, const char *text, void *value, char *why,
                        size_t size)
{
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)value = true;
        return true;
    case OPTION_CLEAR:
        *(const char **)value = NULL;
        return true;
    case OPTION_TEXT:
        *(const char **)value = text;
        return *text != '\0';
    case OPTION_COUNT:
        return parse_count(row, text, value);
    case OPTION_REAL:
    case OPTION_POSITIVE:
        return parse_real(row, text, value);
    case OPTION_CHOICE:
        return parse_choice(row, text, value);
    default:
        return row->parse(value, text, why, size);
    }
}

/* Writes names as "a, b or c". */
static void list_names(const option_row *row, char *text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; row->names[i] && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   i == 0              ? ""
                                   : row->names[i + 1] ? ", "
                                                       : " or ",
                                   row->names[i]);
}

/* Reports a value that is not accepted. why is "" if the row says what is expected. */
static int refuse_value(const option_row *row, const char *text, const char *why)
{
    char expected[200] = "a name";
    if (*why) {
        message_error("invalid --%s '%s': %s", row->name, text, why);
        return OPTIONS_USAGE;
    }
    if (row->kind == OPTION_COUNT && row->high < 0x1p64)
        snprintf(expected, sizeof(expected), "an integer from %.0f to %.0f", row->low,
                 row->high);
    else if (row->kind == OPTION_COUNT)
        snprintf(expected, sizeof(expected), "an integer from %.0f, below 2^64",
                 row->low);
    else if (row->kind == OPTION_REAL)
        snprintf(expected, sizeof(expected), "a number from %g to %g", row->low,
                 row->high);
    else if (row->kind == OPTION_POSITIVE)
        snprintf(expected, sizeof(expected), "a number above 0 and at most %g",
                 row->high);
    else if (row->kind == OPTION_CHOICE)
        list_names(row, expected, sizeof(expected));
    message_error("--%s is '%s', expected %s", row->name, text, expected);
    return OPTIONS_USAGE;
}

/* Notes the text of an option, and forgets those of others with the same field. */
static void note(const option_table *table, const option_row *row, const char *text,
                 const char **given)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].field == row->field)
            given[i] = &table->rows[i] == row ? (text ? text : "") : NULL;
}

int options_take(const option_table *table, void *options, size_t index,
                 const char *text, const char **given)
{
    const option_row *row = &table->rows[index];
    char why[200] = "";
    if (row->kind == OPTION_HELP || row->kind == OPTION_VERSION)
        return print_and_end(table, row->kind, text);
    if (row->given)
        *(bool *)((char *)options + row->given) = true;
    if (given)
        note(table, row, text, given);
    if (row->value && *row->value == '[' && !text)
        return -1;
    return parse_value(row, text ? text : "", field_of(options, row), why, sizeof(why))
               ? -1
               : refuse_value(row, text ? text : "", why);
}

/* Says that an option replaces an earlier one, and notes its text. seen has the texts
 * of the rows that were given. */
static void note_repeat(const option_table *table, size_t index, const char *text,
                        const char **seen)
{
    const option_row *row = &table->rows[index];
    if (row->kind == OPTION_HELP || row->kind == OPTION_VERSION)
        return;
    for (size_t i = 0; i < table->count; i++) {
        if (!seen[i] || table->rows[i].field != row->field)
            continue;
        if (i != index)
            message_warning("--%s and --%s are given: the last one applies",
                            table->rows[i].name, row->name);
        else if (strcmp(seen[i], text) != 0)
            message_warning("--%s is given twice, '%s' and '%s': the last one applies",
                            row->name, seen[i], text);
        seen[i] = NULL;
    }
    seen[index] = text;
}

/* Reports the error for which getopt_long() returned '?' or ':'. */
static int refuse_word(const option_table *table, int code, char **argv)
{
    const option_row *row =
        optopt >= FIRST_CODE ? &table->rows[optopt - FIRST_CODE] : NULL;
    if (row && code == ':')
        message_error("--%s requires a value: %s", row->name, row->value);
    else if (row)
        message_error("--%s does not take a value", row->name);
    else if (optopt)
        message_error("unknown option '-%c'; see --help", optopt);
    else
        message_error("unknown option '%s'; see --help", argv[optind - 1]);
    return OPTIONS_USAGE;
}

static void fill_names(const option_table *table, struct option *names)
{
    for (size_t i = 0; i < table->count; i++) {
        const char *value = table->rows[i].value;
        bool optional = value ? *value == '[' : table->rows[i].kind == OPTION_HELP;
        names[i] = (struct option){
            .name = table->rows[i].name,
            .has_arg = optional ? optional_argument
                                : (value ? required_argument : no_argument),
            .val = FIRST_CODE + (int)i,
        };
    }
    names[table->count] = (struct option){0};
}

/* Index of the row of --help. */
static size_t help_row(const option_table *table)
{
    size_t i = 0;
    while (i + 1 < table->count && table->rows[i].kind != OPTION_HELP)
        i++;
    return i;
}

int options_refuse(const char *why)
{
    message_error("%s; see --help", why);
    return OPTIONS_USAGE;
}

int options_check_file(const char *what, const char *path)
{
    if (path && !*path)
        message_error("%s is an empty file name, expected the name of a file", what);
    else if (path && strcmp(path, "-") == 0)
        message_error("%s is '-', expected the name of a file; ./- is a file of this "
                      "name",
                      what);
    else
        return -1;
    return OPTIONS_USAGE;
}

void options_set_defaults(const option_table *table, void *options, const char **given)
{
    memcpy(options, table->defaults, table->size);
    if (given)
        memset(given, 0, table->count * sizeof(*given));
}

/* Names variables of the environment that the library does not obey. */
static void check_environment(void)
{
    const char *threads = getenv("LSTM_NUM_THREADS"), *cpu = getenv("LSTM_CPU");
    const char *reproducible = getenv("LSTM_REPRODUCIBLE");
    const char *kernels = lstm_kernels_name();
    uint64_t count = 0;
    if (threads && *threads &&
        !(number_count(threads, &count) && count >= 1 && count <= LSTM_MAX_THREADS))
        message_warning("LSTM_NUM_THREADS is '%s', expected 1 to %d: it is not used",
                        threads, LSTM_MAX_THREADS);
    if (reproducible && *reproducible && strcmp(reproducible, "0") != 0 &&
        strcmp(reproducible, "1") != 0)
        message_warning("LSTM_REPRODUCIBLE is '%s', expected 0 or 1: it is not used",
                        reproducible);
    if (cpu && *cpu && strcmp(cpu, kernels) != 0)
        message_warning("LSTM_CPU is '%s', but the kernels are %s", cpu, kernels);
}

int options_parse(const option_table *table, void *options, int argc, char **argv,
                  const char **given, int *first)
{
    /* A command line that is parsed again has the same faults. */
    static bool parsed;
    struct option names[OPTION_MOST_ROWS + 1];
    const char *seen[OPTION_MOST_ROWS] = {NULL};
    int code, status = -1;
    if (!parsed)
        check_environment();
    fill_names(table, names);
    /* getopt_long() prints no messages. */
    opterr = 0;
    optind = 0;
    while (status < 0 && (code = getopt_long(argc, argv, ":h", names, NULL)) != -1) {
        size_t row = code == 'h' ? help_row(table) : (size_t)(code - FIRST_CODE);
        if (code >= FIRST_CODE && !parsed)
            note_repeat(table, row, optarg ? optarg : "", seen);
        status = code == 'h' || code >= FIRST_CODE
                     ? options_take(table, options, row, optarg, given)
                     : refuse_word(table, code, argv);
    }
    parsed = true;
    *first = optind;
    return status;
}
