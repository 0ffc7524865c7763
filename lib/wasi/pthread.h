/**
 * @file
 * POSIX threads for WASI, which has one thread: locks are always free, and creating a
 * thread fails as on a system without room for another one, so that the thread pool
 * has one thread.
 */
#ifndef LSTM_WASI_PTHREAD_H
#define LSTM_WASI_PTHREAD_H

#include <errno.h>
#include <signal.h>
#include <stddef.h>

typedef struct lstm_wasi_none {
    char unused;
} pthread_mutex_t, pthread_cond_t;
typedef int lstm_wasi_once, lstm_wasi_thread;

#define pthread_t      lstm_wasi_thread
#define pthread_once_t lstm_wasi_once
#define PTHREAD_MUTEX_INITIALIZER                                                      \
    {                                                                                  \
        0                                                                              \
    }
#define PTHREAD_COND_INITIALIZER                                                       \
    {                                                                                  \
        0                                                                              \
    }
#define PTHREAD_ONCE_INIT      0
#define PTHREAD_CANCEL_DISABLE 1

static inline int pthread_create(pthread_t *thread, const void *attributes,
                                 void *(*function)(void *), void *argument)
{
    (void)thread;
    (void)attributes;
    (void)function;
    (void)argument;
    return EAGAIN;
}

static inline int pthread_join(pthread_t thread, void **result)
{
    (void)thread;
    (void)result;
    return ESRCH;
}

static inline int pthread_once(pthread_once_t *once, void (*function)(void))
{
    if (!*once)
        function();
    *once = 1;
    return 0;
}

static inline int pthread_atfork(void (*before)(void), void (*parent)(void),
                                 void (*child)(void))
{
    (void)before;
    (void)parent;
    (void)child;
    return 0;
}

static inline int pthread_setcancelstate(int state, int *before)
{
    (void)state;
    if (before)
        *before = 0;
    return 0;
}

static inline int pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    (void)how;
    (void)set;
    (void)before;
    return 0;
}

static inline int pthread_mutex_init(pthread_mutex_t *mutex, const void *attributes)
{
    (void)mutex;
    (void)attributes;
    return 0;
}

static inline int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

static inline int pthread_cond_init(pthread_cond_t *condition, const void *attributes)
{
    (void)condition;
    (void)attributes;
    return 0;
}

static inline int pthread_cond_broadcast(pthread_cond_t *condition)
{
    (void)condition;
    return 0;
}

static inline int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    (void)condition;
    (void)mutex;
    return 0;
}

#endif
