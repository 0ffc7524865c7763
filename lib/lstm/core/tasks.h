/**
 * @file
 * Serial queues of tasks that the threads of a team process together.
 *
 * A queue is a fixed number of tasks that run in order, one at a time: a task sees
 * everything that the earlier tasks of its queue have written. Different queues are
 * independent. Each thread owns some of the queues, and takes one task from each of
 * them in turn. When its own queues are empty or busy, it takes tasks of other threads'
 * queues, so that the team does not wait for a thread that the operating system has
 * preempted. The result of a task must not depend on the thread that runs it.
 */
#ifndef LSTM_CORE_TASKS_H
#define LSTM_CORE_TASKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/common/memory.h"

/** The progress of a queue. Each queue has its own cache line, because all threads read
 * it. */
typedef struct lstm_queue {
    /** Twice the number of completed tasks, plus 1 while a thread runs the next one. */
    _Alignas(COMMON_ALIGNMENT) atomic_size_t next;
} lstm_queue;

/** A thread's current task, and its position in the queues. */
typedef struct lstm_task {
    lstm_queue *queues;
    /** Number of queues, and of tasks in each. */
    size_t count, length;
    /** The thread owns queues first to last - 1; it took its most recent task of them
     * from recent. */
    size_t first, last, recent;
    /** The current task: its queue, and its index in the queue. */
    size_t queue, index;
} lstm_task;

/** Sets queues to their first task. Call it before the parallel call. */
void lstm_queues_reset(lstm_queue *queues, size_t count);

/** Initialises a thread's position in count queues of length tasks each. It takes no
 * task yet. */
lstm_task lstm_task_begin(lstm_queue *queues, size_t count, size_t length,
                          size_t thread, size_t threads);

/** Takes the next task; false if each remaining task is in a queue that another thread
 * is processing and will continue. */
bool lstm_task_take(lstm_task *task);

/** Completes the current task and releases its queue. */
void lstm_task_finish(const lstm_task *task);

#endif
