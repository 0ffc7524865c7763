/*
 * Kills a training again and again while it writes checkpoints. Each time the next
 * process must find a whole checkpoint; the last one must end with the bits of a
 * training that nobody disturbed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/draw.h"
#include "tests/verify/child.h"
#include "tests/verify/interrupt.h"
#include "tests/verify/survive.h"

enum { KILLS = 20 };

/* What a training printed last, and how it ended. */
typedef struct outcome {
    verdict ended;
    bool killed;
    char last[CHILD_LINE], how[CHILD_LINE];
    size_t steps;
} outcome;

/* Waits up to limit microseconds. */
static void wait_a_moment(uint64_t *seed, size_t limit)
{
    struct timespec time = {.tv_nsec = (long)draw_size(seed, 0, limit) * 1000};
    nanosleep(&time, NULL);
}

/* Runs a training; kills it a moment after so many steps, unless 0. */
static outcome run(const char *path, size_t kill_after, uint64_t *seed)
{
    outcome o = {0};
    child c;
    if (!child_start(&c, NULL, "train", path)) {
        o.ended = VERDICT_UNCHECKED;
        snprintf(o.how, sizeof(o.how), "%s", strerror(errno));
        return o;
    }
    while (child_line(&c, o.last))
        if (++o.steps == kill_after) {
            wait_a_moment(seed, 3000);
            child_kill(&c);
            o.killed = true;
        }
    o.ended = child_wait(&c, o.how);
    return o;
}

/*
 * Whether a file of the size of a checkpoint can be written here now. What fails then
 * is the folder: it is full, or a limit is reached. A call that fails in another way is
 * a fault of the file system, and a failure.
 */
static bool has_room(const char *folder, char *why, size_t size)
{
    static const char zeros[4096];
    enum { BLOCKS = 1024 };
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/room", folder);
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int error = file < 0 ? errno : 0;
    for (size_t i = 0; i < BLOCKS && !error; i++)
        if (write(file, zeros, sizeof(zeros)) < 0)
            error = errno;
    if (file >= 0)
        close(file);
    unlink(path);
    snprintf(why, size, "%s", strerror(error));
    return file >= 0 && error != ENOSPC && error != EDQUOT && error != EFBIG;
}

static const char check[] = "save, kill, resume";

/* Adds a training that did not end well. */
static void fail(table *t, const char *folder, const outcome *o)
{
    char found[2 * CHILD_LINE + 4], why[CHILD_LINE];
    snprintf(found, sizeof(found), "%s%s%s", o->how, *o->last ? ": " : "", o->last);
    if (o->ended == VERDICT_FAILED && !has_room(folder, why, sizeof(why)))
        table_add(t, VERDICT_UNCHECKED, "files", check, why);
    else
        table_add(t, o->ended, "files", check, found);
}

static bool is_hash(const outcome *o)
{
    return o->ended == VERDICT_PASSED && strncmp(o->last, "hash ", 5) == 0;
}

/* Kills a training until it ends, or some 20 times; returns the last one. */
static outcome disturb(const char *path, uint64_t *seed, size_t *kills)
{
    outcome o = {0};
    for (size_t i = 0; i < KILLS && !is_hash(&o) && o.ended == VERDICT_PASSED; i++) {
        o = run(path, draw_size(seed, 1, 3), seed);
        *kills += o.killed && !is_hash(&o);
    }
    return is_hash(&o) || o.ended != VERDICT_PASSED ? o : run(path, 0, seed);
}

/* Adds the result of a training that ended after kills. */
static void compare(table *t, const outcome *o, const outcome *expected, size_t kills)
{
    char found[CHILD_LINE];
    bool same = is_hash(o) && strcmp(o->last, expected->last) == 0;
    verdict v = !same ? VERDICT_FAILED : kills ? VERDICT_PASSED : VERDICT_UNCHECKED;
    snprintf(found, sizeof(found), "%zu kills, the bits are %s", kills,
             same ? "the same" : "different");
    table_add(t, v, "files", check, found);
}

bool survive(table *t, const char *folder)
{
    char whole[PATH_MAX], killed[PATH_MAX];
    snprintf(whole, sizeof(whole), "%s/whole.safetensors", folder);
    snprintf(killed, sizeof(killed), "%s/killed.safetensors", folder);
    uint64_t seed = 1;
    size_t kills = 0;
    outcome expected = run(whole, 0, &seed), o = expected;
    if (is_hash(&expected))
        o = disturb(killed, &seed, &kills);
    bool complete = o.ended == VERDICT_PASSED && !interrupt_arrived();
    if (complete)
        compare(t, &o, &expected, kills);
    else if (!interrupt_arrived())
        fail(t, folder, &o);
    unlink(whole);
    unlink(killed);
    return complete;
}
