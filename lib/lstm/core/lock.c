#include "lib/lstm/core/lock.h"
#include "lib/lstm/core/shake.h"

/* Number of forks between the process that loaded the library and this one. */
static atomic_uint forks;
static pthread_mutex_t renewal = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
    pthread_mutex_init(&renewal, NULL);
}

static void set_up(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

void lstm_lock_create(lstm_lock *lock)
{
    pthread_once(&once, set_up);
    pthread_mutex_init(&lock->mutex, NULL);
    atomic_store(&lock->forks, atomic_load(&forks));
}

void lstm_lock_destroy(lstm_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

/* Creates a new mutex, once in each child. */
static void renew(lstm_lock *lock)
{
    pthread_mutex_lock(&renewal);
    if (atomic_load(&lock->forks) != atomic_load(&forks))
        pthread_mutex_init(&lock->mutex, NULL);
    atomic_store(&lock->forks, atomic_load(&forks));
    pthread_mutex_unlock(&renewal);
}

void lstm_lock_acquire(lstm_lock *lock)
{
    if (atomic_load(&lock->forks) != atomic_load(&forks))
        renew(lock);
    lstm_shake();
    pthread_mutex_lock(&lock->mutex);
}

void lstm_lock_release(lstm_lock *lock)
{
    lstm_shake();
    pthread_mutex_unlock(&lock->mutex);
}
