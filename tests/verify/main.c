/*
 * lstm-verify: checks the library on the user's machine.
 *
 * The program starts itself for each part and each set of kernels; see part.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/options.h"
#include "tests/bench/limits.h"
#include "tests/bench/measure.h"
#include "tests/verify/child.h"
#include "tests/verify/part.h"
#include "tests/verify/survive.h"
#include "tests/verify/table.h"

enum { LINE = 512 };

/* What --only selects, in the order of only_names. */
typedef enum only {
    ONLY_ALL,
    ONLY_ARITHMETIC,
    ONLY_KERNELS,
    ONLY_FILES,
    ONLY_SPEED
} only;

static const char *const only_names[] = {"all",   "arithmetic", "kernels",
                                         "files", "speed",      NULL};

typedef struct verify_options {
    const char *folder;
    only only;
    bool json;
} verify_options;

#define FIELD(name) offsetof(verify_options, name)

static const option_row rows[] = {
    {.name = "folder",
     .value = "DIR",
     .kind = OPTION_TEXT,
     .field = FIELD(folder),
     .help = "check the saving of files in DIR (default $TMPDIR or /tmp)"},
    {.name = "only",
     .value = "GROUP",
     .kind = OPTION_CHOICE,
     .field = FIELD(only),
     .names = only_names,
     .help = "check only arithmetic, kernels, files or speed (default all)"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .field = FIELD(json),
     .help = "print a JSON object"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static const verify_options defaults = {0};

static const option_table command_line = {
    .before =
        "Usage: lstm-verify [OPTION]...\n\n"
        "Checks liblstm on this machine, in less than a minute: outputs and gradients\n"
        "of each set of kernels against double precision, equal bits for any number "
        "of\n"
        "threads, trainings against stored hashes, arithmetic that the compiler must\n"
        "not change, checkpoints that survive kills, and the speed as a share of the\n"
        "peak of one processor.\n\n",
    .rows = rows,
    .count = sizeof(rows) / sizeof(rows[0]),
    .defaults = &defaults,
    .size = sizeof(defaults),
};

/* Ends this process as a part. */
static int run_part(const char *name, const char *argument)
{
    if (strcmp(name, "kernels") == 0)
        puts(lstm_kernels_name());
    else if (strcmp(name, "arithmetic") == 0)
        part_arithmetic();
    else if (strcmp(name, "numbers") == 0)
        part_numbers();
    else if (strcmp(name, "bits") == 0)
        part_bits();
    else if (strcmp(name, "speed") == 0)
        part_speed();
    else if (strcmp(name, "train") == 0 && argument)
        part_train(argument);
    else
        return OPTIONS_USAGE;
    return message_finish(EXIT_SUCCESS);
}

/* Adds the result in a line of a part; false if the line is not one. */
static bool add_line(table *t, const char *group, char *line)
{
    char *check = strchr(line, '\t'), *found = check ? strchr(check + 1, '\t') : NULL;
    if (!found)
        return false;
    *check++ = *found++ = '\0';
    table_add(t, strcmp(line, "passed") == 0 ? VERDICT_PASSED : VERDICT_FAILED, group,
              check, found);
    return true;
}

/* Runs a part and adds its results; a part that fails is a result, too. */
static void collect(table *t, const char *group, const char *kernels, const char *name)
{
    char line[LINE], last[LINE] = "", how[LINE], found[2 * LINE + 4];
    child c;
    if (!child_start(&c, kernels, name, NULL)) {
        table_add(t, VERDICT_FAILED, group, name, strerror(errno));
        return;
    }
    while (child_line(&c, line, sizeof(line)))
        if (!add_line(t, group, line))
            snprintf(last, sizeof(last), "%s", line);
    child_wait(&c, how, sizeof(how));
    if (!*how)
        return;
    snprintf(found, sizeof(found), "%s%s%s", how, *last ? ": " : "", last);
    table_add(t, VERDICT_FAILED, group, name, found);
}

/* The set of kernels that the library uses if LSTM_CPU is kernels. */
static void name_kernels(const char *kernels, char *name, size_t size)
{
    child c;
    char how[LINE];
    *name = '\0';
    if (!child_start(&c, kernels, "kernels", NULL))
        return;
    if (!child_line(&c, name, size))
        *name = '\0';
    child_wait(&c, how, sizeof(how));
    if (*how)
        snprintf(name, size, "%s", how);
}

/* The sets of kernels that this architecture can have, the best first. */
static const char *const sets[] = {
#if defined(__x86_64__)
    "avx512bf16",
    "avx512",
    "avx2",
#elif defined(__aarch64__)
    "neon",
#endif
    "generic",
};

static void verify_kernels(table *t)
{
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        char found[LINE];
        name_kernels(sets[i], found, sizeof(found));
        if (strcmp(found, sets[i]) != 0) {
            table_add(t, VERDICT_ABSENT, sets[i], "kernels",
                      "this processor or this build does not have them");
            continue;
        }
        collect(t, sets[i], sets[i], "numbers");
        collect(t, sets[i], sets[i], "bits");
    }
}

static void describe(table *t)
{
    char kernels[LINE], processors[32];
    name_kernels(NULL, kernels, sizeof(kernels));
    snprintf(processors, sizeof(processors), "%zu", machine_processors());
    const char *const facts[] = {"liblstm",      lstm_version(), "processor",
                                 machine_name(), "processors",   processors,
                                 "kernels",      kernels,        NULL};
    table_begin(t, facts);
}

/* Checks the saving of files in a new folder, which it removes. */
static void verify_files(table *t, const char *parent)
{
    char folder[4000];
    snprintf(folder, sizeof(folder), "%s/lstm-verify-XXXXXX", parent);
    if (!mkdtemp(folder)) {
        table_add(t, VERDICT_FAILED, "files", parent, message_errno());
        return;
    }
    survive(t, folder);
    if (rmdir(folder) != 0)
        table_add(t, VERDICT_FAILED, "files", "nothing is left behind", folder);
}

static int verify(const verify_options *options)
{
    table t = {.json = options->json};
    const only part = options->only;
    double start = clock_wall();
    const char *temporary = getenv("TMPDIR");
    describe(&t);
    if (part == ONLY_ALL || part == ONLY_ARITHMETIC)
        collect(&t, "arithmetic", NULL, "arithmetic");
    if (part == ONLY_ALL || part == ONLY_KERNELS)
        verify_kernels(&t);
    if (part == ONLY_ALL || part == ONLY_FILES)
        verify_files(&t, options->folder ? options->folder
                         : temporary     ? temporary
                                         : "/tmp");
    if (part == ONLY_ALL || part == ONLY_SPEED)
        collect(&t, "speed", NULL, "speed");
    bool passed = table_end(&t, clock_wall() - start);
    return message_finish(passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

int main(int argc, char **argv)
{
    verify_options options;
    int first;
    message_set_program("lstm-verify");
    if (argc >= 3 && strcmp(argv[1], "--part") == 0)
        return run_part(argv[2], argv[3]);
    options_set_defaults(&command_line, &options, NULL);
    int status = options_parse(&command_line, &options, argc, argv, NULL, &first);
    if (status >= 0)
        return status;
    if (first < argc) {
        message_error("unexpected argument '%s'; see --help", argv[first]);
        return OPTIONS_USAGE;
    }
    return verify(&options);
}
