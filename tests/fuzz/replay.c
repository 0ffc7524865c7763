/*
 * The main() of a harness without libFuzzer: runs the files of a corpus, then mutations
 * of them. The mutations depend only on the seed.
 *
 *     fuzz-NAME CORPUS [MUTATIONS [SEED]]
 *
 * A child process runs the harness. The input is in memory that both processes share,
 * so that the parent can write the input that ends the child, whatever the reason.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

enum {
    MOST_FILES = 256,
    /* Longest input of a mutation. */
    ROOM = 1 << 16,
    /* Seconds after which an input counts as one that never ends. */
    PATIENCE = 60,
};

typedef struct file {
    uint8_t *data;
    size_t size;
} file;

/* What the processes share. */
typedef struct shared {
    uint64_t executions;
    size_t size;
    uint8_t data[ROOM];
} shared;

static file files[MOST_FILES];
static size_t file_count;
static uint64_t state;

/* splitmix64. */
static uint64_t draw(uint64_t limit)
{
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (x ^ x >> 31) % limit;
}

static void read_file(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *stream = fopen(path, "rb");
    file *next = &files[file_count];
    *next = (file){.data = malloc(ROOM)};
    if (!stream || !next->data || file_count + 1 == MOST_FILES) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    next->size = fread(next->data, 1, ROOM, stream);
    fclose(stream);
    file_count++;
}

static void read_corpus(const char *folder)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            read_file(folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (file_count == 0) {
        fprintf(stderr, "%s: has no files\n", folder);
        exit(1);
    }
}

/* Replaces removed bytes at an offset by added ones. */
static void splice(shared *s, size_t at, size_t removed, const uint8_t *bytes,
                   size_t added)
{
    if (s->size - removed + added > ROOM)
        return;
    memmove(s->data + at + added, s->data + at + removed, s->size - at - removed);
    memmove(s->data + at, bytes, added);
    s->size += added - removed;
}

static void mutate(shared *s)
{
    static const uint8_t values[] = {0,   1,   8,   0x7f, 0x80, 0xff, '"', '{', '}',
                                     '[', ']', ',', ':',  '\\', '-',  '0', '9', '\n'};
    static uint8_t copy[64];
    size_t at = draw(s->size + 1), left = s->size - at;
    size_t length = draw((left < sizeof(copy) ? left : sizeof(copy)) + 1);
    const file *other = &files[draw(file_count)];
    switch (draw(7)) {
    case 0: /* a bit */
        if (left > 0)
            s->data[at] ^= (uint8_t)(1u << draw(8));
        break;
    case 1: /* a value that parsers compare with */
        if (left > 0)
            s->data[at] = values[draw(sizeof(values))];
        break;
    case 2: /* a new byte */
        splice(s, at, 0, &values[draw(sizeof(values))], 1);
        break;
    case 3: /* bytes removed */
        splice(s, at, length, copy, 0);
        break;
    case 4: /* bytes repeated at another place */
        memcpy(copy, s->data + at, length);
        splice(s, draw(s->size + 1), 0, copy, length);
        break;
    case 5: /* a short end */
        s->size = draw(8) ? s->size : at;
        break;
    default: /* bytes of another file */
        if (other->size > 0) {
            size_t from = draw(other->size);
            length = draw(other->size - from + 1);
            length = length < sizeof(copy) ? length : sizeof(copy);
            splice(s, at, length < left ? length : left, other->data + from, length);
        }
    }
}

/* Runs the harness on an exact copy, so that a sanitizer sees reads behind the end. */
static void run(shared *s)
{
    uint8_t *copy = malloc(s->size ? s->size : 1);
    if (!copy)
        exit(1);
    memcpy(copy, s->data, s->size);
    if (s->executions++ % 256 == 0)
        alarm(PATIENCE);
    LLVMFuzzerTestOneInput(copy, s->size);
    free(copy);
}

static void take(shared *s, const file *from)
{
    memcpy(s->data, from->data, from->size);
    s->size = from->size;
}

static void run_all(shared *s, uint64_t mutations)
{
    for (size_t i = 0; i < file_count; i++) {
        take(s, &files[i]);
        run(s);
    }
    s->size = 0;
    run(s);
    for (uint64_t i = 0; i < mutations; i++) {
        take(s, &files[draw(file_count)]);
        for (uint64_t left = 1 + draw(6); left > 0; left--)
            mutate(s);
        run(s);
    }
}

static int report(const shared *s, int status, const char *program)
{
    const char *name = strrchr(program, '/');
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("%" PRIu64 " executions\n", s->executions);
        return 0;
    }
    char path[256];
    snprintf(path, sizeof(path), "crash-%s", name ? name + 1 : program);
    FILE *stream = fopen(path, "wb");
    if (stream) {
        fwrite(s->data, 1, s->size, stream);
        fclose(stream);
    }
    printf("execution %" PRIu64 " ended with %s %d; its input of %zu bytes is in %s\n",
           s->executions, WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), s->size, path);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED)
        return 1;
    read_corpus(argv[1]);
    state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_all(s, argc > 2 ? strtoull(argv[2], NULL, 10) : 0);
        for (size_t i = 0; i < file_count; i++)
            free(files[i].data);
        return 0;
    }
    int status = 1 << 8;
    if (child > 0)
        waitpid(child, &status, 0);
    for (size_t i = 0; i < file_count; i++)
        free(files[i].data);
    return report(s, status, argv[0]);
}
