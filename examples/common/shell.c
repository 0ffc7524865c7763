#include <string.h>

#include "examples/common/shell.h"

bool shell_append(char *command, size_t size, const char *text, size_t length)
{
    size_t old = strlen(command);
    if (old + length >= size)
        return false;
    memcpy(command + old, text, length);
    command[old + length] = '\0';
    return true;
}

bool shell_append_file(char *command, size_t size, const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._/+,-";
    bool quoted = name[strspn(name, plain)] != '\0';
    if ((name[0] == '-' && !shell_append(command, size, "./", 2)) ||
        (quoted && !shell_append(command, size, "'", 1)))
        return false;
    for (; *name; name++) {
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return false;
        bool done = *name == '\'' ? shell_append(command, size, "'\\''", 4)
                                  : shell_append(command, size, name, 1);
        if (!done)
            return false;
    }
    return !quoted || shell_append(command, size, "'", 1);
}
