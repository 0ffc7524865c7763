/**
 * @file
 * --recipe: a set of options with a name, each of which can be given alone.
 */
#ifndef EXAMPLES_TRAIN_RECIPE_H
#define EXAMPLES_TRAIN_RECIPE_H

/** An option, and its value as on the command line; NULL for a flag. */
typedef struct recipe_option {
    const char *name, *text;
} recipe_option;

/** Names of the recipes for options, ended by NULL. */
extern const char *const recipe_names[];

/** The options of the recipe of an index, ended by a name of NULL. */
const recipe_option *recipe_options(unsigned index);

/** Prints the options of each recipe for --help. */
void recipe_print_help(void);

#endif
