/*
 * Sorting as PyTorch does on a CPU, ties included.
 *
 * torch.sort() there is std::sort() of libstdc++, which is not stable: the introsort of
 * Musser (1997). Quicksort halves ranges of more than 16, with the median of three as
 * pivot and equal elements exchanged; a range that was halved too often is sorted as a
 * heap; then one insertion sort, which is stable, finishes. Ties end where these steps
 * leave them, so they are the same here, element by element.
 */
#include "lib/lstm/core/order.h"

enum { SMALL = 16 };

/* What is sorted: numbers of sequences, by their lengths. */
typedef struct {
    const size_t *lengths;
    size_t *order;
} sequences;

/* Whether sequence a stands before sequence b. */
static int before(const sequences *s, size_t a, size_t b)
{
    return s->lengths[a] > s->lengths[b];
}

static void swap(const sequences *s, size_t a, size_t b)
{
    size_t number = s->order[a];
    s->order[a] = s->order[b];
    s->order[b] = number;
}

/* Heap ------------------------------------------------------------------------------
 */

/* Puts value into the heap [count] at heap: the hole sinks to a leaf, value rises. */
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

/* Place of the median of three places. */
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

/* Splits a range around its pivot, which stays in front; returns where the second part
 * starts. */
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
        size_t number = s->order[i], place = i;
        for (; place > 0 && before(s, number, s->order[place - 1]); place--)
            s->order[place] = s->order[place - 1];
        s->order[place] = number;
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
