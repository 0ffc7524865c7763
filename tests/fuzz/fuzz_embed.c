/*
 * lstm-embed: what it prints contains the bytes of the model; with --standalone it is
 * complete, or nothing.
 *
 * Input: the value of --name up to a byte 0, then the model.
 */
#include <sys/mman.h>
#include <unistd.h>

#include <lstm/lstm.h>

#include "tests/fuzz/fuzz.h"

/* main() of lstm-embed. */
int embed_main(int argc, char **argv);

/* Checks the numbers between the braces. */
static void check_array(const char *printed, const char *name, fuzz_input model)
{
    const char *next = strchr(printed, '{');
    FUZZ_CHECK(next && strstr(printed, name));
    next++;
    for (size_t i = 0; i < model.size; i++) {
        char *end;
        FUZZ_CHECK(strtoul(next, &end, 10) == model.data[i] && *end == ',');
        next = end + 1;
    }
    FUZZ_CHECK(strncmp(next, "\n};", 3) == 0);
}

/* Runs the program, and returns its exit status and what it prints. */
static int run(int count, char **words, char **printed)
{
    size_t length = 0;
    FILE *terminal = stdout;
    *printed = NULL;
    stdout = open_memstream(printed, &length);
    FUZZ_CHECK(stdout);
    int status = embed_main(count, words);
    fclose(stdout);
    stdout = terminal;
    return status;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char program[] = "lstm-embed", option[] = "--name", path[64];
    static char standalone[] = "--standalone";
    static int file = -1;
    fuzz_input input = {data, size};
    char *name = fuzz_text(&input, 0), *printed;
    char *words[] = {program, option, name, path, standalone, NULL};
    lstm_file *model;
    if (file < 0)
        file = memfd_create("model", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    FUZZ_CHECK(file >= 0 && ftruncate(file, 0) == 0);
    FUZZ_CHECK(pwrite(file, input.data, input.size, 0) == (ssize_t)input.size);
    bool good = lstm_file_open_bytes(&model, input.data, input.size) == LSTM_OK;
    lstm_file_destroy(&model);
    int status = run(4, words, &printed);
    FUZZ_CHECK(good || status == 1 || status == 2);
    if (status == 0)
        check_array(printed, name, input);
    free(printed);
    status = run(5, words, &printed);
    FUZZ_CHECK(good || status == 1 || status == 2);
    FUZZ_CHECK(status == 0 ? ends_with(printed, "}\n\n#endif\n") : !*printed);
    free(printed);
    free(name);
    return 0;
}
