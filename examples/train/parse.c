#include <stdio.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/hash.h"
#include "examples/common/message.h"
#include "examples/train/recipe.h"
#include "examples/train/stored.h"
#include "examples/train/table.h"
#include "examples/train/together.h"

/* Text of each option that was given, "" for an option without value, NULL otherwise.
 */
static const char *given[TRAIN_MAX_OPTIONS];

size_t train_options_list(const char **pairs)
{
    size_t count = 0;
    for (size_t i = 0; i < train_options_table.count; i++) {
        const option_row *row = &train_options_table.rows[i];
        const char *text = given[i] ? given[i] : stored_path(row, i);
        if (text && stored_contains(row)) {
            pairs[2 * count] = row->name;
            pairs[2 * count++ + 1] = text;
        }
    }
    return count;
}

/* With the end of the text, so that texts do not run together. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    return common_hash(hash, text, strlen(text) + 1);
}

uint64_t train_options_run(uint64_t seed)
{
    uint64_t hash = COMMON_HASH_START;
    char number[24];
    snprintf(number, sizeof(number), "%llu", (unsigned long long)seed);
    hash = add_text(hash, number);
    for (size_t i = 0; i < train_options_table.count; i++) {
        const option_row *row = &train_options_table.rows[i];
        if (given[i] && stored_is_fixed(row))
            hash = add_text(add_text(hash, row->name), given[i]);
    }
    return hash;
}

/* Index of the row of an option. */
static size_t row_of(const char *name)
{
    size_t i = 0;
    while (strcmp(train_options_table.rows[i].name, name) != 0)
        i++;
    return i;
}

/* Replaces auto by what it stands for on this machine: a run that is resumed on another
 * one stays the same. */
static void choose_precision(train_options *options)
{
    if ((int)options->precision != TRAIN_PRECISION_AUTO)
        return;
    size_t i = row_of("precision");
    bool fast = strcmp(lstm_kernels_name(), "avx512bf16") == 0;
    options->precision = fast ? LSTM_BFLOAT16 : LSTM_FLOAT32;
    given[i] = train_options_table.rows[i].names[options->precision];
}

static int take_words(train_options *options, int argc, char **argv)
{
    int first, status = options_parse(&train_options_table, options, argc, argv, given,
                                      &first);
    choose_precision(options);
    if (status >= 0 || first == argc)
        return status;
    message_error("unexpected argument '%s'; see --help", argv[first]);
    return OPTIONS_USAGE;
}

/* Parses the command line again, on top of the options of the recipe. */
static int use_recipe(train_options *options, int argc, char **argv)
{
    const recipe_option *option = recipe_options(options->recipe);
    options_set_defaults(&train_options_table, options, given);
    for (; option->name; option++)
        options_take(&train_options_table, options, row_of(option->name), option->text,
                     given);
    return take_words(options, argc, argv);
}

/* Parses the command line again, on top of the options of the checkpoint. */
static int resume(train_options *options, int argc, char **argv)
{
    const char *path = options->resume, *words[TRAIN_MAX_OPTIONS];
    int status = together_check_resume(options);
    if (status >= 0)
        return status;
    memcpy(words, given, sizeof(words));
    options_set_defaults(&train_options_table, options, given);
    options->save = NULL;
    status = stored_take(&train_options_table, options, path, given);
    const train_options before = *options;
    if (status < 0)
        status = take_words(options, argc, argv);
    if (status < 0)
        status = stored_check(&train_options_table, &before, options, words);
    if (!options->checkpoint)
        options->checkpoint = path;
    return status;
}

int train_options_parse(train_options *options, int argc, char **argv)
{
    options_set_defaults(&train_options_table, options, given);
    int status = take_words(options, argc, argv);
    message_set_quiet(options->quiet);
    if (status < 0 && options->recipe_given && !options->resume)
        status = use_recipe(options, argc, argv);
    if (status < 0 && options->resume)
        status = resume(options, argc, argv);
    if (options->validation > 0 && !options->eval_given)
        options->eval = TRAIN_EVAL_END;
    options->word_count = argc - 1;
    options->words = argv + 1;
    return status < 0 ? together_check(options) : status;
}
