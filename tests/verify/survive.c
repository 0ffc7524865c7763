/*
 * Kills a training again and again while it writes checkpoints. Each time the next
 * process must find a whole checkpoint; the last one must end with the bits of a
 * training that nobody disturbed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/draw.h"
#include "tests/verify/child.h"
#include "tests/verify/survive.h"

enum { LINE = 512, KILLS = 20 };

/* What a training printed last, and how it ended. */
typedef struct outcome {
    bool started, killed;
    char last[LINE], how[LINE];
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
    o.started = child_start(&c, NULL, "train", path);
    if (!o.started) {
        snprintf(o.how, sizeof(o.how), "%s", strerror(errno));
        return o;
    }
    while (child_line(&c, o.last, sizeof(o.last)))
        if (++o.steps == kill_after) {
            wait_a_moment(seed, 3000);
            child_kill(&c);
            o.killed = true;
        }
    child_wait(&c, o.how, sizeof(o.how));
    return o;
}

/* Adds a failure of a training. */
static void fail(table *t, const char *check, const outcome *o)
{
    char found[2 * LINE + 4];
    snprintf(found, sizeof(found), "%s%s%s", o->how, *o->last ? ": " : "", o->last);
    table_add(t, VERDICT_FAILED, "files", check, found);
}

static bool is_hash(const outcome *o)
{
    return !*o->how && strncmp(o->last, "hash ", 5) == 0;
}

void survive(table *t, const char *folder)
{
    static const char check[] = "save, kill, resume";
    char whole[4096], killed[4096], found[LINE];
    snprintf(whole, sizeof(whole), "%s/whole.safetensors", folder);
    snprintf(killed, sizeof(killed), "%s/killed.safetensors", folder);
    uint64_t seed = 1;
    outcome expected = run(whole, 0, &seed), o = {0};
    if (!is_hash(&expected)) {
        fail(t, check, &expected);
        unlink(whole);
        return;
    }
    size_t kills = 0;
    for (size_t i = 0; i < KILLS && !is_hash(&o) && !*o.how; i++) {
        o = run(killed, draw_size(&seed, 1, 3), &seed);
        kills += o.killed && !is_hash(&o);
    }
    if (!is_hash(&o) && !*o.how)
        o = run(killed, 0, &seed);
    unlink(whole);
    unlink(killed);
    bool same = is_hash(&o) && strcmp(o.last, expected.last) == 0;
    if (*o.how) {
        fail(t, check, &o);
        return;
    }
    snprintf(found, sizeof(found), "%zu kills, the bits are %s", kills,
             same ? "the same" : "different");
    table_add(t, same ? VERDICT_PASSED : VERDICT_FAILED, "files", check, found);
}
