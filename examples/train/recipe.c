#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "examples/train/recipe.h"

const char *const recipe_names[] = {"best", "pixels", "permuted", NULL};

const recipe_option *recipe_options(unsigned index)
{
    static const recipe_option best[] = {
        {"read", "both"},
        {"hidden", "192"},
        {"layers", "1"},
        {"bidirectional", NULL},
        {"augment", "shift:2,rotate:12,scale:0.12,shear:0.2,elastic:3"},
        {"clean-epochs", "0.15"},
        {"label-smoothing", "0.05"},
        {"weight-decay", "0.1"},
        {"decoupled", NULL},
        {"lr", "0.003"},
        {"schedule", "one-cycle"},
        {"ema", "0.998"},
        {"batch-size", "128"},
        {"epochs", "22"},
        {"precision", "auto"},
        {NULL, NULL},
    };
    static const recipe_option pixels[] = {
        {"read", "pixels"},
        {"hidden", "128"},
        {"layers", "1"},
        {"chrono", "784"},
        {"augment", "shift:2,rotate:12,scale:0.12,shear:0.2,elastic:2"},
        {"clean-epochs", "0.15"},
        {"clip-norm", "1"},
        {"lr", "0.002"},
        {"schedule", "one-cycle"},
        {"ema", "0.998"},
        {"batch-size", "32"},
        {"epochs", "20"},
        {NULL, NULL},
    };
    static const recipe_option permuted[] = {
        {"read", "permuted"},
        {"hidden", "128"},
        {"layers", "1"},
        {"chrono", "784"},
        {"augment", "shift:2,rotate:12,scale:0.12,shear:0.2,elastic:2"},
        {"clean-epochs", "0.15"},
        {"clip-norm", "1"},
        {"lr", "0.002"},
        {"schedule", "one-cycle"},
        {"ema", "0.998"},
        {"batch-size", "32"},
        {"epochs", "20"},
        {NULL, NULL},
    };
    static const recipe_option *const recipes[] = {best, pixels, permuted};
    return recipes[index];
}

/* Prints the options, as they are typed, in lines of at most 78 characters. */
static void print_options(const recipe_option *option)
{
    enum { INDENT = 4, WIDTH = 78 };
    size_t column = WIDTH;
    for (; option->name; option++) {
        char text[120];
        size_t length =
            (size_t)snprintf(text, sizeof(text), " --%s%s%s", option->name,
                             option->text ? " " : "", option->text ? option->text : "");
        if (column + length > WIDTH) {
            printf("\n%*s", INDENT - 1, "");
            column = INDENT - 1;
        }
        fputs(text, stdout);
        column += length;
    }
    putchar('\n');
}

void recipe_print_help(void)
{
    for (unsigned i = 0; recipe_names[i]; i++) {
        printf("  %s", recipe_names[i]);
        print_options(recipe_options(i));
    }
}
