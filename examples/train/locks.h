/**
 * @file
 * Locks of the files that a run writes: a second run of the same files is refused.
 */
#ifndef EXAMPLES_TRAIN_LOCKS_H
#define EXAMPLES_TRAIN_LOCKS_H

#include <stdbool.h>
#include <stddef.h>

enum { LOCKS_MOST = 3 };

/** Locks that are held. */
typedef struct train_locks {
    struct train_lock {
        int file;
        char *path;
    } held[LOCKS_MOST];
    size_t count;
} train_locks;

/**
 * Locks a model, a checkpoint or a report: the file PATH.lock beside it, locked with
 * flock(). It stays when the process is killed, but its lock does not: the next run
 * takes it over. If it cannot be locked, for example because the file system has no
 * locks, a warning says so; there is none where no file can be created, because saving
 * is refused then.
 *
 * @return false after an error message if another process holds the lock
 */
bool locks_take(train_locks *locks, const char *path);

/** Unlocks all files, and removes the files PATH.lock. */
void locks_release(train_locks *locks);

/** Locks an open file, such as a log, until it is closed; false if another process
 * holds the lock, after an error message. */
bool locks_take_open(int file, const char *path);

#endif
