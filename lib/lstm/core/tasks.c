#include "lib/lstm/core/tasks.h"

#include "lib/lstm/core/pool.h"
#include "lib/lstm/core/shake.h"

void lstm_queues_reset(lstm_queue *queues, size_t count)
{
    for (size_t i = 0; i < count; i++)
        atomic_init(&queues[i].next, 0);
}

lstm_task lstm_task_begin(lstm_queue *queues, size_t count, size_t length,
                          size_t thread, size_t threads)
{
    lstm_task task = {.queues = queues, .count = count, .length = length};
    task.first = lstm_range_start(count, 1, thread, threads);
    task.last = lstm_range_start(count, 1, thread + 1, threads);
    task.recent = task.last;
    return task;
}

/* Takes the next task of a queue; false if the queue is empty or another thread is
 * processing it.
 */
static bool take(lstm_task *task, size_t queue)
{
    atomic_size_t *next = &task->queues[queue].next;
    size_t at = atomic_load_explicit(next, memory_order_relaxed);
    lstm_shake();
    if (at % 2 || at / 2 == task->length ||
        !atomic_compare_exchange_strong_explicit(
            next, &at, at + 1, memory_order_acquire, memory_order_relaxed))
        return false;
    task->queue = queue;
    task->index = at / 2;
    return true;
}

bool lstm_task_take(lstm_task *task)
{
    size_t own = task->last - task->first;
    for (size_t i = 0; i < own; i++) {
        task->recent = task->recent + 1 < task->last ? task->recent + 1 : task->first;
        if (take(task, task->recent))
            return true;
    }
    for (size_t i = 0; i < task->count - own; i++)
        if (take(task, (task->last + i) % task->count))
            return true;
    return false;
}

void lstm_task_finish(const lstm_task *task)
{
    lstm_shake();
    atomic_store_explicit(&task->queues[task->queue].next, 2 * (task->index + 1),
                          memory_order_release);
}
