/*
 * Prints a model file as a C array for programs in C and C++. With --name digits the
 * header defines digits and digits_size, for
 *
 *     lstm_file_open_bytes(&file, digits, digits_size);
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/file.h>

/* Bytes of a line of the array. */
enum { COLUMNS = 20 };

static int usage(FILE *out)
{
    fprintf(out,
            "usage: lstm-embed [--name NAME] MODEL > HEADER\n"
            "\n"
            "Prints a safetensors file as a C array NAME (default: model) and its\n"
            "size NAME_size, for lstm_file_open_bytes().\n");
    return out == stdout ? 0 : 2;
}

static int fail(const char *path, const char *reason)
{
    fprintf(stderr, "lstm-embed: %s: %s\n", path, reason);
    return 1;
}

static int is_identifier(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return 0;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}

/* Whether the file is a model; the message of the library names it if not. */
static int check(const char *path)
{
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK) {
        fprintf(stderr, "lstm-embed: %s\n", lstm_last_error());
        return 1;
    }
    lstm_file_destroy(&file);
    return 0;
}

static void print_start(const char *path, const char *name, long size)
{
    const char *slash = strrchr(path, '/');
    printf("/* ");
    for (const char *c = slash ? slash + 1 : path; *c; c++)
        putchar(isalnum((unsigned char)*c) || strchr("._- ", *c) ? *c : '?');
    printf(", %ld bytes, printed by lstm-embed. */\n", size);
    printf("#ifndef LSTM_EMBED_%s\n#define LSTM_EMBED_%s\n\n", name, name);
    printf("#include <stddef.h>\n\n");
    printf("#ifdef __cplusplus\nalignas(16)\n#else\n_Alignas(16)\n#endif\n");
    printf("static const unsigned char %s[%ld] = {", name, size);
}

/* Prints all bytes that follow; returns their number. */
static long print_bytes(FILE *in)
{
    long count = 0;
    for (int byte; (byte = getc(in)) != EOF; count++)
        printf("%s%d,", count % COLUMNS == 0 ? "\n" : "", byte);
    return count;
}

static int embed(const char *path, const char *name)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        return fail(path, strerror(errno));
    if (fseek(in, 0, SEEK_END) != 0 || ftell(in) < 0)
        return fclose(in), fail(path, "cannot be read");
    long size = ftell(in);
    rewind(in);
    print_start(path, name, size);
    long count = print_bytes(in);
    int failed = ferror(in) || count != size;
    fclose(in);
    if (failed)
        return fail(path, "cannot be read");
    printf("\n};\nstatic const size_t %s_size = %ld;\n\n#endif\n", name, size);
    return ferror(stdout) || fflush(stdout) != 0 ? fail("stdout", strerror(errno)) : 0;
}

int main(int count, char **arguments)
{
    const char *name = "model";
    if (count == 2 && strcmp(arguments[1], "--help") == 0)
        return usage(stdout);
    if (count > 2 && strcmp(arguments[1], "--name") == 0) {
        name = arguments[2];
        arguments += 2;
        count -= 2;
    }
    if (count != 2 || strncmp(arguments[1], "--", 2) == 0)
        return usage(stderr);
    if (!is_identifier(name))
        return fail(name, "not a name in C") + 1;
    return check(arguments[1]) ? 1 : embed(arguments[1], name);
}
