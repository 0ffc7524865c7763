/* Command lines. Each one is read in a process of its own, which has its own
 * variables, output and messages. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/options.h"
#include "tests/support/folder.h"

typedef enum colour { RED, GREEN, BLUE } colour;

typedef struct settings {
    const char *text, *other;
    uint64_t count, large;
    double real, positive, zero;
    colour choice;
    bool flag, has_text;
    int parsed;
} settings;

static bool parse_even(void *field, const char *text, char *why, size_t size)
{
    int value = atoi(text);
    if (value % 2) {
        snprintf(why, size, "it is odd");
        return false;
    }
    *(int *)field = value;
    return true;
}

static const char *const colours[] = {"red", "green", "blue", NULL};
#define TEN  "0123456789"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
static const char *const long_names[] = {LONG, LONG, LONG, NULL};

#define FIELD(name) .field = offsetof(settings, name)

enum { TEXT, COUNT, LONGER = 11, ROWS = 16 };

static const option_row rows[ROWS] = {
    [TEXT] = {"text", "NAME", OPTION_TEXT, FIELD(text),
              .given = offsetof(settings, has_text), .help = "a text,\nin two lines"},
    [COUNT] = {"count", "N", OPTION_COUNT, FIELD(count), .low = 2, .high = 5,
               .help = "some"},
    {"large", "N", OPTION_COUNT, FIELD(large), .low = 1, .high = 0x1p64,
     .help = "many"},
    {"real", "X", OPTION_REAL, FIELD(real), .low = -1, .high = 1, .help = "real"},
    {"positive", "X", OPTION_POSITIVE, FIELD(positive), .high = 10, .help = "above 0"},
    {"zero", "X", OPTION_REAL, FIELD(zero), .high = 1, .help = "or zero"},
    {"choice", "COLOUR", OPTION_CHOICE, FIELD(choice), .names = colours,
     .help = "a colour"},
    {"flag", NULL, OPTION_FLAG, FIELD(flag), .help = "a flag"},
    {"no-text", NULL, OPTION_CLEAR, FIELD(text), .help = "no text"},
    {"even", "N", OPTION_PARSED, FIELD(parsed), .parse = parse_even, .help = "even"},
    {"help", NULL, OPTION_HELP, .help = "this"},
    [LONGER] = {"longer", "NAME", OPTION_CHOICE, FIELD(choice), .names = long_names,
                .help = "long names"},
    {"perhaps", "[=N]", OPTION_COUNT, FIELD(large), .low = 1, .high = 9,
     .help = "with a number or without"},
    {"other", "NAME", OPTION_TEXT, FIELD(other), .help = "another text"},
    {"bare", NULL, OPTION_HELP, .help = "the same"},
    {"version", NULL, OPTION_VERSION, .help = "the version"},
};

static const settings defaults = {.text = "some", .large = 3, .real = 0.5};

static void say_after(void)
{
    puts("after the options");
}

static const option_table whole = {"before\n", say_after, rows,
                                   ROWS,       &defaults, sizeof(defaults)};
/* Its last row is that of --help. */
static const option_table short_table = {"", NULL,      rows,
                                         11, &defaults, sizeof(defaults)};
/* It has none. */
static const option_table bare_table = {"", NULL, rows, 2, &defaults, sizeof(defaults)};

/* What a command line gave. */
typedef struct result {
    int status;
    char out[4096], err[2048];
    settings options;
} result;

enum { MOST_WORDS = 12 };

/* Splits words at blanks; returns their number. */
static int split(char *line, char **words)
{
    int count = 0;
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return count;
}

static void redirect(int stream, const char *name)
{
    int file = open(test_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, stream) != stream)
        _exit(99);
    close(file);
}

/* Sets variables of the environment: "NAME=value NAME=value". */
static void set_variables(const char *variables)
{
    static const char *const names[] = {"LSTM_NUM_THREADS", "LSTM_CPU",
                                        "LSTM_REPRODUCIBLE"};
    char text[256], *pairs[MOST_WORDS];
    for (size_t i = 0; i < 3; i++)
        unsetenv(names[i]);
    snprintf(text, sizeof(text), "%s", variables);
    for (int i = 0, count = split(text, pairs); i < count; i++)
        putenv(strdup(pairs[i]));
}

/* In the child: reads the words, twice if again is set. */
static void parse(const option_table *table, const char *line, bool again)
{
    char text[1024], *words[MOST_WORDS];
    const char *given[OPTION_MOST_ROWS];
    settings options;
    int first;
    snprintf(text, sizeof(text), "program %s", line);
    int count = split(text, words);
    message_set_program("program");
    options_set_defaults(table, &options, given);
    int status = options_parse(table, &options, count, words, given, &first);
    if (again) {
        options_set_defaults(table, &options, NULL);
        status = options_parse(table, &options, count, words, NULL, &first);
    }
    FILE *file = fopen(test_path("options"), "wb");
    if (!file || fwrite(&options, sizeof(options), 1, file) != 1 || fclose(file))
        _exit(98);
    exit(status < 0 ? 50 : status);
}

static const result *run(const option_table *table, const char *line, bool again,
                         const char *variables)
{
    static result found;
    char bytes[sizeof(settings) + 1];
    int status;
    found = (result){0};
    test_write_file("options", "", 0);
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        redirect(STDOUT_FILENO, "out");
        redirect(STDERR_FILENO, "err");
        set_variables(variables);
        parse(table, line, again);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    found.status = WEXITSTATUS(status) == 50 ? -1 : WEXITSTATUS(status);
    test_read_file("out", found.out, sizeof(found.out));
    test_read_file("err", found.err, sizeof(found.err));
    test_read_file("options", bytes, sizeof(bytes));
    memcpy(&found.options, bytes, sizeof(found.options));
    return &found;
}

/* The line is taken, and says something or, with "", nothing. */
static settings take(const char *line, const char *says)
{
    const result *found = run(&whole, line, false, "");
    if (found->status != -1 || strcmp(found->err, says) != 0)
        fail_msg("'%s': %d, '%s', expected '%s'", line, found->status, found->err,
                 says);
    return found->options;
}

static void refuse(const char *line, const char *message)
{
    const result *found = run(&whole, line, false, "");
    char expected[512];
    snprintf(expected, sizeof(expected), "program: %s\n", message);
    assert_int_equal(found->status, OPTIONS_USAGE);
    assert_string_equal(found->err, expected);
    assert_string_equal(found->out, "");
}

static void values_are_written_to_their_fields(void **state)
{
    (void)state;
    settings o = take("--count 5 --real=-1 --positive 10 --zero 0 --choice blue", "");
    assert_true(o.count == 5 && o.real == -1 && o.positive == 10 && o.zero == 0);
    assert_int_equal(o.choice, BLUE);
    assert_false(o.has_text || o.flag);
    o = take("file --flag --even 4 --text=- --large 18446744073709551615", "");
    assert_true(o.flag && o.has_text && o.parsed == 4 && o.large == UINT64_MAX);
    o = take("--perhaps -- --flag", "");
    assert_true(o.large == 3 && !o.flag);
    assert_true(take("--perhaps=7", "").large == 7);
    assert_null(take("--no-text", "").text);
    assert_int_equal(run(&whole, "--count 4 --flag", true, "")->options.count, 4);
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    refuse("--count 1", "--count is '1', expected an integer from 2 to 5");
    refuse("--count 6", "--count is '6', expected an integer from 2 to 5");
    refuse("--count x", "--count is 'x', expected an integer from 2 to 5");
    refuse("--large 0", "--large is '0', expected an integer from 1, below 2^64");
    refuse("--real 2", "--real is '2', expected a number from -1 to 1");
    refuse("--real -2", "--real is '-2', expected a number from -1 to 1");
    refuse("--real x", "--real is 'x', expected a number from -1 to 1");
    refuse("--positive 0",
           "--positive is '0', expected a number above 0 and at most 10");
    refuse("--positive 11",
           "--positive is '11', expected a number above 0 and at most 10");
    refuse("--choice pink", "--choice is 'pink', expected red, green or blue");
    refuse("--longer x", "--longer is 'x', expected " LONG ", " TEN TEN TEN TEN TEN TEN
                         "0123456789012345678901234567890123456");
    refuse("--text=", "--text is '', expected a name");
    refuse("--even 3", "invalid --even '3': it is odd");
}

static void wrong_words_are_named(void **state)
{
    (void)state;
    refuse("--text", "--text requires a value: NAME");
    refuse("--flag=1", "--flag does not take a value");
    refuse("-x", "unknown option '-x'; see --help");
    refuse("--unknown", "unknown option '--unknown'; see --help");
    refuse("--help=all", "--help is 'all', expected no value or table");
}

static void an_option_that_replaces_another_is_said(void **state)
{
    (void)state;
    take("--text a --text b",
         "--text is given twice, 'a' and 'b': the last one applies\n");
    take("--text a --text a --flag --flag", "");
    assert_null(take("--text a --no-text", "--text and --no-text are given: the last "
                                           "one applies\n")
                    .text);
    /* The second time nothing is said. */
    const result *found = run(&whole, "--count 2 --count 3", true, "");
    assert_string_equal(found->err, "--count is given twice, '2' and '3': the last one "
                                    "applies\n");
    assert_int_equal(found->options.count, 3);
}

static void the_help_has_all_options_with_their_defaults(void **state)
{
    (void)state;
    const result *found = run(&whole, "--help", false, "");
    static const char *const lines[] = {
        "before\n",
        "  --text NAME         a text,\n                      in two lines\n",
        "in two lines\n                      (default some)\n",
        "  --count N           some\n",
        "  --large N           many (default 3)\n",
        "  --real X            real (default 0.5)\n",
        "  --positive X        above 0\n",
        "  -h, --help          this\n",
        "  --perhaps[=N]       with a number or without (default 3)\n",
        "  --other NAME        another text\n",
        "  --flag              a flag\n",
        "\nafter the options\n"};
    assert_int_equal(found->status, 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_contains(found->out, lines[i]);
    assert_contains(run(&whole, "-h", false, "")->out, "before\n");
    assert_contains(run(&short_table, "-h", false, "")->out, "--help");
    assert_int_equal(run(&bare_table, "-h", false, "")->status, OPTIONS_USAGE);
    assert_contains(run(&whole, "--bare", false, "")->out, "before\n");
}

static void programs_read_the_help_as_a_table(void **state)
{
    (void)state;
    const result *found = run(&whole, "--help=table", false, "");
    assert_int_equal(found->status, 0);
    assert_contains(found->out, "text\tNAME\t\ta text, in two lines (default some)\n");
    assert_contains(found->out, "\nchoice\tCOLOUR\tred green blue\ta colour\n");
    assert_contains(found->out, "\nflag\t\t\ta flag\n");
    found = run(&whole, "--version --flag", false, "");
    assert_int_equal(found->status, 0);
    assert_int_equal(strncmp(found->out, "program 1.", 10), 0);
}

static void names_of_files_are_checked(void **state)
{
    (void)state;
    assert_int_equal(options_check_file("--save", NULL), -1);
    assert_int_equal(options_check_file("--save", "-x"), -1);
    assert_int_equal(options_check_file("--save", ""), OPTIONS_USAGE);
    assert_int_equal(options_check_file("--save", "-"), OPTIONS_USAGE);
    assert_int_equal(options_refuse("two files are given"), OPTIONS_USAGE);
}

static void variables_that_are_not_obeyed_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *variables, *says;
    } lines[] = {
        {"LSTM_NUM_THREADS= LSTM_CPU= LSTM_REPRODUCIBLE=", ""},
        {"LSTM_NUM_THREADS=1 LSTM_CPU=generic LSTM_REPRODUCIBLE=0", ""},
        {"LSTM_CPU=generic LSTM_REPRODUCIBLE=1", ""},
        {"LSTM_NUM_THREADS=x", "LSTM_NUM_THREADS is 'x', expected 1 to "},
        {"LSTM_NUM_THREADS=0", "LSTM_NUM_THREADS is '0', expected 1 to "},
        {"LSTM_NUM_THREADS=65", "LSTM_NUM_THREADS is '65', expected 1 to "},
        {"LSTM_REPRODUCIBLE=2", "LSTM_REPRODUCIBLE is '2', expected 0 or 1: it is not"},
        {"LSTM_CPU=fast", "LSTM_CPU is 'fast', but the kernels are "},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        const result *found = run(&whole, "", false, lines[i].variables);
        assert_int_equal(found->status, -1);
        if (*lines[i].says)
            assert_contains(found->err, lines[i].says);
        else
            assert_string_equal(found->err, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_written_to_their_fields),
        TEST(values_out_of_range_are_refused),
        TEST(wrong_words_are_named),
        TEST(an_option_that_replaces_another_is_said),
        TEST(the_help_has_all_options_with_their_defaults),
        TEST(programs_read_the_help_as_a_table),
        TEST(names_of_files_are_checked),
        TEST(variables_that_are_not_obeyed_are_named),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
