/**
 * @file
 * The command line of a program, from one table of options.
 *
 * The table defines what getopt_long() accepts, the checks of values and the text of
 * --help. Options and other arguments may be mixed; "--" ends the options.
 */
#ifndef EXAMPLES_COMMON_OPTIONS_H
#define EXAMPLES_COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Exit status of invalid usage. */
enum { OPTIONS_USAGE = 2 };

/** What an option writes to its field. */
typedef enum option_kind {
    /** bool, set to true. */
    OPTION_FLAG,
    /** const char *, set to NULL. */
    OPTION_CLEAR,
    /** const char *, not empty. */
    OPTION_TEXT,
    /** uint64_t from low to high. */
    OPTION_COUNT,
    /** double from low to high. */
    OPTION_REAL,
    /** double above 0 and up to high. */
    OPTION_POSITIVE,
    /** An enum whose values are the indices of names. */
    OPTION_CHOICE,
    /** What parse writes. */
    OPTION_PARSED,
    /** Prints the help and ends the program; also -h. --help=table prints the options
     *  for programs to read. */
    OPTION_HELP,
    /** Prints the version and ends the program. */
    OPTION_VERSION,
} option_kind;

/** An option. */
typedef struct option_row {
    const char *name;
    /** Name of the value in --help; NULL without value. In brackets it is optional. */
    const char *value;
    option_kind kind;
    /** Offset of the field in the program's struct of options. */
    size_t field;
    /** Offset of a bool that is set if the option is given; 0 for none, so that no
     *  such bool is the first field. */
    size_t given;
    double low, high;
    /** Text of --help; further lines are indented like the first. The default follows
     *  it if the struct of defaults has one other than zero. */
    const char *help;
    /** OPTION_CHOICE: the names, ended by NULL. */
    const char *const *names;
    /** OPTION_PARSED: parses text; writes a reason to why on failure. */
    bool (*parse)(void *field, const char *text, char *why, size_t size);
} option_row;

enum { OPTION_MOST_ROWS = 64 };

/** The command line of a program. */
typedef struct option_table {
    /** Lines of --help before and after the options; after may be NULL. */
    const char *before;
    void (*after)(void);
    const option_row *rows;
    size_t count;
    /** Struct of options with the defaults, of size bytes. */
    const void *defaults;
    size_t size;
} option_table;

/** Sets options to the defaults, and given, unless NULL, to no option given. */
void options_set_defaults(const option_table *table, void *options, const char **given);

/**
 * Applies the command line to options, which have the defaults before. Of options for
 * one field the last one applies; a warning says so if the values differ.
 *
 * @param[in,out] argv [argc] reordered, so that other arguments come last
 * @param[out] given [count] text of each option that is given, "" without value, else
 *             NULL; may be NULL
 * @param[out] first index of the first argument that is not an option; argc if none
 * @return -1 to continue; otherwise the exit status: 0 after --help or --version, 1 if
 *         their output failed, OPTIONS_USAGE after an error message
 */
int options_parse(const option_table *table, void *options, int argc, char **argv,
                  const char **given, int *first);

/** Reports wrong usage, and that --help tells the right one; returns OPTIONS_USAGE. */
int options_refuse(const char *why);

/**
 * Checks the name of a file that is not a stream.
 *
 * @param what the option or argument, for messages
 * @param path its value; NULL if it is not given
 * @return -1, or OPTIONS_USAGE after an error message: the name is empty, or "-", which
 *         would be a file of this name
 */
int options_check_file(const char *what, const char *path);

/**
 * Applies one option as if it were given on the command line.
 *
 * @param row index of the option
 * @param text its value; NULL for none
 * @return as options_parse()
 */
int options_take(const option_table *table, void *options, size_t row, const char *text,
                 const char **given);

#endif
