/**
 * @file
 * A lock that the child of a fork can acquire.
 *
 * If a thread of the parent holds a mutex during the fork, the child's copy remains
 * locked, because that thread does not exist in the child. This lock creates a new
 * mutex in the child. The work that the lock protects may then be incomplete: code that
 * holds the lock MUST mark its work as done in its last step.
 */
#ifndef LSTM_CORE_LOCK_H
#define LSTM_CORE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>

/** A mutex, and the number of forks at its creation. */
typedef struct lstm_lock {
    pthread_mutex_t mutex;
    atomic_uint forks;
} lstm_lock;

void lstm_lock_create(lstm_lock *lock);
void lstm_lock_destroy(lstm_lock *lock);
void lstm_lock_acquire(lstm_lock *lock);
void lstm_lock_release(lstm_lock *lock);

#endif
