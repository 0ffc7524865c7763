/*
 * lstm-verify: checks the library on the user's machine.
 *
 * The program starts itself for each part and each set of kernels; see part.h.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/options.h"
#include "tests/bench/measure.h"
#include "tests/verify/child.h"
#include "tests/verify/facts.h"
#include "tests/verify/interrupt.h"
#include "tests/verify/part.h"
#include "tests/verify/survive.h"
#include "tests/verify/table.h"

/* Exit status if nothing failed, but something could not be checked. */
enum { UNCHECKED = 3 };

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
    uint64_t limit;
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
    {.name = "limit",
     .value = "S",
     .kind = OPTION_COUNT,
     .field = FIELD(limit),
     .low = 1,
     .high = 1e6,
     .help = "a part that does not end in S seconds fails"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .field = FIELD(json),
     .help = "print a JSON object"},
    {.name = "help", .kind = OPTION_HELP, .help = "print this help and exit"},
    {.name = "version", .kind = OPTION_VERSION, .help = "print the version and exit"},
};

static const verify_options defaults = {.limit = 600};

static void print_after(void)
{
    puts(
        "\nThe exit status is 0 if all checks passed, 1 if one failed, 2 for invalid "
        "usage, and\n"
        "3 if something other than the library, such as a folder or a limit, kept a "
        "check\n"
        "from being made. A line on standard error names each.\n\n"
        "LSTM_CPU, LSTM_REPRODUCIBLE and LSTM_NUM_THREADS have their usual effect, and "
        "the\n"
        "table shows them. But equal bits are checked in the reproducible mode, and "
        "bits and\n"
        "speed with the numbers of threads that the table names.");
}

static const option_table command_line = {
    .before =
        "Usage: lstm-verify [OPTION]...\n\n"
        "Checks liblstm on this machine, in less than a minute on an idle machine: "
        "outputs\n"
        "and gradients of each set of kernels against double precision, equal bits "
        "for\n"
        "any number of threads, trainings against stored hashes, arithmetic that the\n"
        "compiler must not change, checkpoints that survive kills, and the speed as a\n"
        "share of the peak of one processor.\n\n",
    .after = print_after,
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
    puts(CHILD_LAST_LINE);
    return message_finish(EXIT_SUCCESS);
}

/* Adds the result in a line of a part; false if the line is not one. */
static bool add_line(table *t, const char *group, char *line)
{
    char *check = strchr(line, '\t'), *found = check ? strchr(check + 1, '\t') : NULL;
    if (!found)
        return false;
    *check++ = *found++ = '\0';
    bool passed = strcmp(line, "passed") == 0;
    table_add(t, passed ? VERDICT_PASSED : VERDICT_FAILED, group, check, found);
    return true;
}

/* Runs a part and adds its results; a part that does not do all of its work is a
 * result, too. */
static void collect(table *t, const char *group, const char *kernels, const char *name)
{
    char line[CHILD_LINE], last[CHILD_LINE] = "", how[CHILD_LINE];
    char found[2 * CHILD_LINE + 4];
    child c;
    if (interrupt_arrived())
        return;
    if (!child_start(&c, kernels, name, NULL)) {
        table_add(t, VERDICT_UNCHECKED, group, name, strerror(errno));
        return;
    }
    while (child_line(&c, line))
        if (!add_line(t, group, line))
            memcpy(last, line, sizeof(last));
    verdict v = child_wait(&c, how);
    if (v == VERDICT_PASSED)
        return;
    snprintf(found, sizeof(found), "%s%s%s", how, *last ? ": " : "", last);
    table_add(t, v, group, name, found);
}

/* Writes the set of kernels that the library uses if LSTM_CPU is kernels to name,
 * [CHILD_LINE], or why it is not known. */
static verdict name_kernels(const char *kernels, char *name)
{
    child c;
    char how[CHILD_LINE];
    if (!child_start(&c, kernels, "kernels", NULL)) {
        snprintf(name, CHILD_LINE, "%s", strerror(errno));
        return VERDICT_UNCHECKED;
    }
    *name = '\0';
    child_line(&c, name);
    while (child_line(&c, how))
        continue;
    verdict v = child_wait(&c, how);
    if (v != VERDICT_PASSED)
        memcpy(name, how, CHILD_LINE);
    return v;
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

/* Index of the best set that LSTM_CPU allows: all, unless it names one. */
static size_t first_allowed(void)
{
    const char *best = getenv("LSTM_CPU");
    for (size_t i = 0; best && i < sizeof(sets) / sizeof(sets[0]); i++)
        if (strcmp(best, sets[i]) == 0)
            return i;
    return 0;
}

static void verify_kernels(table *t)
{
    const size_t count = sizeof(sets) / sizeof(sets[0]), first = first_allowed();
    for (size_t i = 0; i < first; i++)
        table_add(t, VERDICT_ABSENT, sets[i], "kernels", "LSTM_CPU excludes them");
    for (size_t i = first; i < count && !interrupt_arrived(); i++) {
        char found[CHILD_LINE];
        verdict v = name_kernels(sets[i], found);
        if (v != VERDICT_PASSED) {
            table_add(t, v, sets[i], "kernels", found);
        } else if (strcmp(found, sets[i]) != 0) {
            table_add(t, VERDICT_ABSENT, sets[i], "kernels",
                      "this processor or this build does not have them");
        } else {
            collect(t, sets[i], sets[i], "numbers");
            collect(t, sets[i], sets[i], "bits");
        }
    }
}

static void describe(const table *t, const char *folder)
{
    char kernels[CHILD_LINE];
    name_kernels(NULL, kernels);
    table_begin(t);
    facts_add(t, kernels, folder);
    table_begin_results(t);
}

/* Removes a folder of this program with what processes that were killed left there. */
static void remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* Checks the saving of files in a new folder, which it removes. */
static void verify_files(table *t, const char *parent)
{
    char folder[PATH_MAX], check[PATH_MAX + 32];
    if (interrupt_arrived())
        return;
    snprintf(folder, sizeof(folder), "%s/lstm-verify-XXXXXX", parent);
    if (!mkdtemp(folder)) {
        const char *reason = message_errno();
        snprintf(check, sizeof(check), "a new folder in %s", parent);
        table_add(t, VERDICT_UNCHECKED, "files", check, reason);
        return;
    }
    bool complete = survive(t, folder);
    if (rmdir(folder) == 0)
        return;
    if (complete)
        table_add(t, VERDICT_FAILED, "files", "nothing is left behind", folder);
    remove_folder(folder);
}

static int verify(const verify_options *options)
{
    static const int statuses[] = {EXIT_SUCCESS, EXIT_FAILURE, EXIT_SUCCESS, UNCHECKED};
    table t = {.json = options->json};
    const only part = options->only;
    double start = clock_wall();
    const char *folder = options->folder ? options->folder : getenv("TMPDIR");
    folder = folder && *folder ? folder : "/tmp";
    interrupt_keep();
    child_set_limit((double)options->limit);
    describe(&t, folder);
    if (part == ONLY_ALL || part == ONLY_ARITHMETIC)
        collect(&t, "arithmetic", NULL, "arithmetic");
    if (part == ONLY_ALL || part == ONLY_KERNELS)
        verify_kernels(&t);
    if (part == ONLY_ALL || part == ONLY_FILES)
        verify_files(&t, folder);
    if (part == ONLY_ALL || part == ONLY_SPEED)
        collect(&t, "speed", NULL, "speed");
    interrupt_obey();
    verdict whole = table_end(&t, clock_wall() - start);
    interrupt_obey();
    return message_finish(statuses[whole]);
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
