#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/train/ahead.h"

bool ahead_open(train_ahead *ahead, mnist_loader *loader, size_t images, size_t size,
                bool works)
{
    *ahead = (train_ahead){.loader = loader, .size = size};
    if (!works)
        return true;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    ahead->pixels = calloc(images * size, sizeof(*ahead->pixels));
    ahead->labels = calloc(images, sizeof(*ahead->labels));
    if (ahead->pixels && ahead->labels)
        return true;
    ahead_close(ahead);
    return message_error("no memory for a batch of %zu images", images);
}

static void set_state(train_ahead *ahead, ahead_state state)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->state = state;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

/* Waits until the worker has the batch, or until the caller has it; returns the state.
 */
static ahead_state wait_for(train_ahead *ahead, bool worker)
{
    pthread_mutex_lock(&ahead->lock);
    while ((ahead->state == AHEAD_LOAD || ahead->state == AHEAD_END) != worker)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    ahead_state state = ahead->state;
    pthread_mutex_unlock(&ahead->lock);
    return state;
}

static void *work(void *user)
{
    train_ahead *ahead = user;
    while (wait_for(ahead, true) == AHEAD_LOAD) {
        ahead->count = mnist_loader_next(ahead->loader, ahead->pixels, ahead->labels);
        set_state(ahead, AHEAD_LOADED);
    }
    return NULL;
}

/* Signals are for the thread that trains. */
static void start(train_ahead *ahead)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ahead->runs = pthread_create(&ahead->worker, NULL, work, ahead) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void ahead_close(train_ahead *ahead)
{
    if (ahead->runs) {
        ahead_forget(ahead);
        set_state(ahead, AHEAD_END);
        pthread_join(ahead->worker, NULL);
    }
    free(ahead->pixels);
    free(ahead->labels);
    *ahead = (train_ahead){0};
}

/* Takes the batch that the worker has loaded. */
static size_t take(const train_ahead *ahead, float *pixels, int64_t *labels)
{
    size_t count = ahead->count;
    memcpy(pixels, ahead->pixels, count * ahead->size * sizeof(*pixels));
    memcpy(labels, ahead->labels, count * sizeof(*labels));
    return count;
}

size_t ahead_next(train_ahead *ahead, float *pixels, int64_t *labels)
{
    if (!ahead->pixels)
        return mnist_loader_next(ahead->loader, pixels, labels);
    if (!ahead->runs)
        start(ahead);
    bool loaded = wait_for(ahead, false) == AHEAD_LOADED;
    size_t count = loaded ? take(ahead, pixels, labels)
                          : mnist_loader_next(ahead->loader, pixels, labels);
    if (ahead->runs)
        set_state(ahead, AHEAD_LOAD);
    return count;
}

void ahead_forget(train_ahead *ahead)
{
    if (!ahead->runs)
        return;
    wait_for(ahead, false);
    set_state(ahead, AHEAD_REST);
}

void ahead_use(train_ahead *ahead, mnist_loader *loader)
{
    ahead_forget(ahead);
    ahead->loader = loader;
}
