/**
 * @file
 * Command lines as text that a shell takes.
 */
#ifndef EXAMPLES_TRAIN_COMMAND_H
#define EXAMPLES_TRAIN_COMMAND_H

#include <stddef.h>

/** Most bytes that command_add() appends for a word of size bytes. */
enum { COMMAND_QUOTES = 3 };
#define COMMAND_ROOM(size) (4 * (size) + COMMAND_QUOTES)

/** Appends a blank and a word to a command line that has room for it, quoted where the
 *  shell needs it. */
void command_add(char *command, const char *word);

/** The command line of mnist-train with these words, after its own name; freed with
 *  free(). NULL if memory is exhausted. */
char *command_join(int count, char *const *words);

#endif
