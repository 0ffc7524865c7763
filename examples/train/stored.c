#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/message.h"
#include "examples/train/command.h"
#include "examples/train/position.h"
#include "examples/train/stored.h"
#include "examples/train/table.h"

enum { TEXT_SIZE = 4096 };

/* Texts and seed of the checkpoint; a text that is not there is not present. */
static char texts[TRAIN_MAX_OPTIONS][TEXT_SIZE];
static bool present[TRAIN_MAX_OPTIONS];
static uint64_t seed;

static bool is_one_of(const option_row *row, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(row->name, *names) == 0)
            return true;
    return false;
}

/* Names of files and folders, which are printed only. */
static bool is_path(const option_row *row)
{
    static const char *const names[] = {
        "data", "log", "save", "no-save", "checkpoint", "report", "tensorboard", NULL};
    return is_one_of(row, names);
}

bool stored_contains(const option_row *row)
{
    static const char *const others[] = {"load",    "resume", "threads", "quiet",
                                         "offline", "seed",   "force",   "no-progress",
                                         "limit",   "ranks",  "recipe",  NULL};
    return !is_one_of(row, others) && row->kind != OPTION_HELP &&
           row->kind != OPTION_VERSION;
}

bool stored_is_fixed(const option_row *row)
{
    static const char *const others[] = {"epochs", "patience",         "log-every",
                                         "eval",   "checkpoint-every", NULL};
    return stored_contains(row) && !is_path(row) && !is_one_of(row, others);
}

/* The files that a run may save its model to: one option replaces the other. */
static bool is_model(const option_row *row)
{
    static const char *const names[] = {"save", "no-save", NULL};
    return is_one_of(row, names);
}

static bool names_a_model(const train_options *options)
{
    return options->save_given || options->no_save;
}

const char *stored_path(const option_row *row, size_t i)
{
    return present[i] && is_path(row) && strcmp(row->name, "checkpoint") != 0 ? texts[i]
                                                                              : NULL;
}

const char *stored_file(const char *name)
{
    for (size_t i = 0; i < train_options_table.count; i++)
        if (present[i] && strcmp(train_options_table.rows[i].name, name) == 0)
            return texts[i];
    return NULL;
}

/* Keeps the text of an option; false after an error message. */
static bool keep_text(const option_row *row, size_t i, const char *text,
                      const char *path)
{
    present[i] = true;
    if (strlen(text) < TEXT_SIZE) {
        memcpy(texts[i], text, strlen(text) + 1);
        return true;
    }
    return message_error("%s: option %s has %zu bytes, expected less than %d", path,
                         row->name, strlen(text), TEXT_SIZE);
}

/* Applies the options of an open checkpoint. */
static int take_from(const option_table *table, train_options *options,
                     const lstm_file *file, const char *path, const char **given)
{
    const char *position = lstm_file_metadata(file, CHECKPOINT_KEY);
    train_position read;
    if (!position || !position_read(&read, position)) {
        message_error("%s: metadata " CHECKPOINT_KEY " is %s: not a checkpoint of "
                      "mnist-train",
                      path, position ? "damaged" : "missing");
        return 1;
    }
    seed = read.seed;
    for (size_t i = 0; i < table->count; i++) {
        const option_row *row = &table->rows[i];
        const char *text = lstm_file_metadata(file, row->name);
        if (!text || !stored_contains(row))
            continue;
        if (!keep_text(row, i, text, path))
            return 1;
        if (!is_path(row) &&
            options_take(table, options, i, *text ? texts[i] : NULL, given) >= 0) {
            message_error("%s: option %s of the checkpoint is not valid", path,
                          row->name);
            return 1;
        }
    }
    return -1;
}

int stored_take(const option_table *table, train_options *options, const char *path,
                const char **given)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK) {
        message_error("%s", lstm_last_error());
        return 1;
    }
    int status = take_from(table, options, file, path, given);
    lstm_file_destroy(&file);
    return status;
}

/* Whether a name has characters that a terminal obeys: C0, DEL, C1, and the directions
 * of Unicode. */
static bool has_controls(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) ||
            (*c == 0xe2 && ((c[1] == 0x80 && ((c[2] >= 0xaa && c[2] <= 0xae) ||
                                              c[2] == 0x8e || c[2] == 0x8f)) ||
                            (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9))))
            return true;
    return false;
}

/* Appends an option with the name of a file. */
static void add_option(char *command, const char *name, const char *text)
{
    char option[32];
    snprintf(option, sizeof(option), "--%s", name);
    command_add(command, option);
    if (*text)
        command_add(command, text);
}

/* Room for the command line: of a quoted word, each byte may take four. */
static size_t command_size(const option_table *table, const train_options *options,
                           const char *const *words)
{
    enum { OPTION = 40 };
    const train_options *defaults = table->defaults;
    size_t size = OPTION + 4 * strlen(options->resume) + OPTION +
                  4 * (defaults->save ? strlen(defaults->save) : 0);
    for (size_t i = 0; i < table->count; i++)
        size += (present[i] ? OPTION + 4 * strlen(texts[i]) : 0) +
                (words[i] ? OPTION + 4 * strlen(words[i]) : 0);
    return size;
}

/* Writes the command line that goes on with the files that this one names, and with
 * those of before; false if this one has all of them. */
static bool write_command(const option_table *table, const train_options *options,
                          const char *const *words, char *command)
{
    bool lacks = false, names = names_a_model(options), saves = names;
    strcpy(command, "mnist-train");
    command_add(command, "--resume");
    command_add(command, options->resume);
    for (size_t i = 0; i < table->count; i++) {
        const option_row *row = &table->rows[i];
        if (is_path(row) && words[i])
            add_option(command, row->name, words[i]);
        if (!is_path(row) || words[i] || !present[i] || (names && is_model(row)))
            continue;
        saves |= is_model(row);
        if (strcmp(row->name, "no-save") == 0 ||
            (strcmp(row->name, "checkpoint") == 0 &&
             strcmp(texts[i], options->resume) == 0))
            continue;
        if (has_controls(texts[i])) {
            message_info("the --%s of before has a name with control characters",
                         row->name);
            continue;
        }
        add_option(command, row->name, texts[i]);
        lacks = true;
    }
    if (!saves && !options->save) {
        command_add(command, "--save");
        command_add(command, ((const train_options *)table->defaults)->save);
        lacks = true;
    }
    return lacks;
}

/* Whether an option has the same value in both. */
static bool is_same(const option_row *row, const train_options *before,
                    const train_options *options, const char *word, size_t i)
{
    const char *a = (const char *)before + row->field;
    const char *b = (const char *)options + row->field;
    if (present[i] && strcmp(texts[i], word) == 0)
        return true;
    /* A value that is optional also says something if it is absent. */
    if (row->value && *row->value == '[' && !present[i])
        return false;
    switch (row->kind) {
    case OPTION_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case OPTION_COUNT:
    case OPTION_REAL:
    case OPTION_POSITIVE:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    case OPTION_CHOICE:
        return memcmp(a, b, sizeof(unsigned)) == 0;
    default:
        return false;
    }
}

/* The value of an option in the checkpoint. */
static const char *old_value(const option_row *row, const train_options *before,
                             size_t i, char *text, size_t size)
{
    const char *field = (const char *)before + row->field;
    if (present[i])
        return *texts[i] ? texts[i] : "given";
    if (row->kind == OPTION_COUNT && !(row->value && *row->value == '['))
        snprintf(text, size, "%" PRIu64, *(const uint64_t *)field);
    else if (row->kind == OPTION_REAL || row->kind == OPTION_POSITIVE)
        snprintf(text, size, "%g", *(const double *)field);
    else if (row->kind == OPTION_CHOICE)
        snprintf(text, size, "%s", row->names[*(const unsigned *)field]);
    else
        snprintf(text, size, "not given");
    return text;
}

static bool check_row(const option_row *row, const train_options *before,
                      const train_options *options, const char *word, size_t i)
{
    char text[64];
    if (strcmp(row->name, "seed") == 0 && options->seed != seed)
        return message_error("--seed is %" PRIu64 ", expected %" PRIu64 ", as in %s",
                             options->seed, seed, options->resume);
    if (strcmp(row->name, "epochs") == 0 && options->epochs < before->epochs)
        return message_error("--epochs is %" PRIu64 ", expected at least %" PRIu64
                             ", as in %s",
                             options->epochs, before->epochs, options->resume);
    if (!stored_is_fixed(row) || is_same(row, before, options, word, i))
        return true;
    return message_error("--%s is '%s', expected '%s', as in %s: it cannot change",
                         row->name, *word ? word : "given",
                         old_value(row, before, i, text, sizeof(text)),
                         options->resume);
}

/* Says how the run goes on; -1, or the exit status if it cannot. */
static int explain(const option_table *table, const train_options *options,
                   const char *const *words, char *command)
{
    bool lacks = write_command(table, options, words, command);
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->rows[i].name, "data") == 0 && present[i] && !words[i]) {
            message_error("%s: the run read its data from a folder, which --data must "
                          "name again: %s",
                          options->resume, command);
            return OPTIONS_USAGE;
        }
    if (lacks)
        message_info("to go on with the files of before: %s", command);
    return -1;
}

int stored_check(const option_table *table, const train_options *before,
                 const train_options *options, const char *const *words)
{
    for (size_t i = 0; i < table->count; i++)
        if (words[i] && !check_row(&table->rows[i], before, options, words[i], i))
            return OPTIONS_USAGE;
    char *command = malloc(command_size(table, options, words));
    if (!command) {
        message_error("%s: no memory for a command line", options->resume);
        return 1;
    }
    int status = explain(table, options, words, command);
    free(command);
    for (size_t i = 0; i < table->count; i++)
        if (names_a_model(options) && is_model(&table->rows[i]))
            present[i] = false;
    return status;
}
