/*
 * Sorting as PyTorch does on a CPU, including the order of ties.
 *
 * torch.sort() uses std::sort() of libstdc++, which is not stable: the introsort of
 * Musser (1997). Quicksort divides ranges of more than 16 elements; its pivot is the
 * median of three, and it also exchanges equal elements. A range that was divided too
 * often is sorted with a heap. One insertion sort, which is stable, completes the
 * order. This file makes the same comparisons and moves, so ties end in the same order.
 */
#include "lib/lstm/core/order.h"

enum { SMALL = 16 };

/* The indices of sequences, and their lengths, which are the keys. */
typedef struct {
    const size_t *lengths;
    size_t *order;
} sequences;

/* Whether sequence a comes before sequence b. */
static int before(const sequences *s, size_t a, size_t b)
{
    return s->lengths[a] > s->lengths[b];
}

static void swap(const sequences *s, size_t a, size_t b)
{
    size_t sequence = s->order[a];
    s->order[a] = s->order[b];
    s->order[b] = sequence;
}

/* Heap ------------------------------------------------------------------------------
 */

/* Puts value into a heap [count]: the hole moves down to a leaf, then value moves up.
 */
static void fill_hole(const sequences *s, size_t *heap, size_t hole, size_t count,
                      size_t value)
{
    size_t top = hole, child = hole;
    while (child < (count - 1) / 2) {
        child = 2 * (child + 1);
        if (before(s, heap[child], heap[child - 1]))
            child--;
        heap[hole] = heap[child];
        hole = child;
    }
    if (count % 2 == 0 && child == (count - 2) / 2) {
        heap[hole] = heap[2 * child + 1];
        hole = 2 * child + 1;
    }
    for (size_t parent; hole > top; hole = parent) {
        parent = (hole - 1) / 2;
        if (!before(s, heap[parent], value))
            break;
        heap[hole] = heap[parent];
    }
    heap[hole] = value;
}

static void sort_heap(const sequences *s, size_t start, size_t end)
{
    size_t *heap = s->order + start, count = end - start;
    for (size_t parent = (count - 2) / 2 + 1; parent-- > 0;)
        fill_hole(s, heap, parent, count, heap[parent]);
    while (count > 1) {
        size_t value = heap[--count];
        heap[count] = heap[0];
        fill_hole(s, heap, 0, count, value);
    }
}

/* Quicksort -------------------------------------------------------------------------
 */

/* Position of the median of the elements at three positions. */
static size_t median(const sequences *s, size_t a, size_t b, size_t c)
{
    const size_t *order = s->order;
    if (before(s, order[a], order[b])) {
        if (before(s, order[b], order[c]))
            return b;
        return before(s, order[a], order[c]) ? c : a;
    }
    if (before(s, order[a], order[c]))
        return a;
    return before(s, order[b], order[c]) ? c : b;
}

/* Partitions a range around its pivot, which stays at the start. Returns the start of
 * the second part. */
static size_t partition(const sequences *s, size_t start, size_t end)
{
    swap(s, start, median(s, start + 1, start + (end - start) / 2, end - 1));
    size_t pivot = s->order[start], low = start + 1, high = end;
    for (;; low++) {
        while (before(s, s->order[low], pivot))
            low++;
        high--;
        while (before(s, pivot, s->order[high]))
            high--;
        if (low >= high)
            return low;
        swap(s, low, high);
    }
}

static void sort_roughly(const sequences *s, size_t start, size_t end, size_t depth)
{
    for (; end - start > SMALL; depth--) {
        if (depth == 0) {
            sort_heap(s, start, end);
            return;
        }
        size_t middle = partition(s, start, end);
        sort_roughly(s, middle, end, depth - 1);
        end = middle;
    }
}

static void insert_all(const sequences *s, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t sequence = s->order[i], position = i;
        for (; position > 0 && before(s, sequence, s->order[position - 1]); position--)
            s->order[position] = s->order[position - 1];
        s->order[position] = sequence;
    }
}

void lstm_packed_order(const size_t *lengths, size_t *order, size_t count)
{
    const sequences s = {lengths, order};
    size_t depth = 0;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t n = count; n > 1; n /= 2)
        depth += 2;
    sort_roughly(&s, 0, count, depth);
    insert_all(&s, count);
}
