#include "tests/support/golden.h"

#include "tests/support/test.h"

/* Reads a file and appends a zero, so that string functions can scan it. */
static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *content = calloc(*size + 1, 1);
    assert_int_equal(fread(content, 1, *size, file), *size);
    fclose(file);
    return content;
}

int golden_run(const char *folder, void (*test)(void **state))
{
    char path[512], *rest = NULL;
    snprintf(path, sizeof(path), "%s/%s/list.txt", GOLDEN_DIR, folder);
    size_t size, count = 0;
    char *names = read_whole(path, &size);
    struct CMUnitTest tests[GOLDEN_MAX_CASES] = {{0}};
    for (char *name = strtok_r(names, "\n", &rest); name && count < GOLDEN_MAX_CASES;
         name = strtok_r(NULL, "\n", &rest))
        tests[count++] = (struct CMUnitTest){name, test, NULL, NULL, name};
    int failed = _cmocka_run_group_tests(folder, tests, count, NULL, NULL);
    free(names);
    return failed;
}

/* Reads the tensor that line declares from data; returns its size in bytes. */
static size_t read_tensor(golden *file, char *line, const char *data)
{
    assert_true(file->tensors < GOLDEN_MAX_TENSORS);
    golden_tensor *tensor = &file->tensor[file->tensors++];
    char *rest = NULL;
    snprintf(tensor->name, sizeof(tensor->name), "%s", strtok_r(line, " ", &rest));
    tensor->count = 1;
    for (char *word; (word = strtok_r(NULL, " ", &rest)); tensor->rank++) {
        assert_true(tensor->rank < 4);
        tensor->shape[tensor->rank] = strtoul(word, NULL, 10);
        tensor->count *= tensor->shape[tensor->rank];
    }
    size_t bytes = tensor->count * sizeof(float);
    tensor->data = malloc(bytes);
    memcpy(tensor->data, data, bytes);
    return bytes;
}

static void read_lengths(golden *file, char *line)
{
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(file->length_count < GOLDEN_MAX_LENGTHS);
        file->lengths[file->length_count++] = strtoul(word, NULL, 10);
    }
}

static void read_number(golden *file, char *line)
{
    assert_true(file->number_count < GOLDEN_MAX_NUMBERS);
    char *rest = NULL;
    size_t i = file->number_count++;
    snprintf(file->keys[i], sizeof(file->keys[i]), "%s", strtok_r(line, " ", &rest));
    file->numbers[i] = strtod(rest, NULL);
}

golden *golden_read(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s/%s.golden", GOLDEN_DIR, folder, name);
    golden *file = calloc(1, sizeof(*file));
    size_t size;
    char *content = read_whole(path, &size), *at = content, *end = at + size;
    while (at < end) {
        char *line = at, *feed = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(feed);
        *feed = 0;
        at = feed + 1;
        if (strncmp(line, "tensor ", 7) == 0)
            at += read_tensor(file, line + 7, at);
        else if (strncmp(line, "lengths ", 8) == 0)
            read_lengths(file, line + 8);
        else
            read_number(file, line);
    }
    assert_ptr_equal(at, end);
    free(content);
    return file;
}

void golden_free(golden *file)
{
    for (size_t i = 0; i < file->tensors; i++)
        free(file->tensor[i].data);
    free(file);
}

double golden_number(const golden *file, const char *key)
{
    for (size_t i = 0; i < file->number_count; i++)
        if (strcmp(file->keys[i], key) == 0)
            return file->numbers[i];
    fail_msg("no number %s", key);
    return 0;
}

const golden_tensor *golden_find(const golden *file, const char *name)
{
    for (size_t i = 0; i < file->tensors; i++)
        if (strcmp(file->tensor[i].name, name) == 0)
            return &file->tensor[i];
    return NULL;
}

const golden_tensor *golden_at(const golden *file, const char *name, size_t index)
{
    char full[32];
    snprintf(full, sizeof(full), "%s.%zu", name, index);
    const golden_tensor *tensor = golden_find(file, full);
    if (!tensor)
        fail_msg("no tensor %s", full);
    return tensor;
}
