#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/train/command.h"

void command_add(char *command, const char *word)
{
    char *end = command + strlen(command);
    bool plain = *word && word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789._-+=/:,@%")] == '\0';
    *end++ = ' ';
    if (!plain)
        *end++ = '\'';
    for (; *word; word++)
        if (*word == '\'')
            end += sprintf(end, "'\\''");
        else
            *end++ = *word;
    if (!plain)
        *end++ = '\'';
    *end = '\0';
}

char *command_join(int count, char *const *words)
{
    static const char program[] = "mnist-train";
    size_t size = sizeof(program);
    for (int i = 0; i < count; i++)
        size += COMMAND_ROOM(strlen(words[i]));
    char *command = malloc(size);
    if (!command)
        return NULL;
    memcpy(command, program, sizeof(program));
    for (int i = 0; i < count; i++)
        command_add(command, words[i]);
    return command;
}
