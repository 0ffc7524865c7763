/**
 * @file
 * A fixed binary tree of sums over shards 0 to S - 1.
 *
 * A node of level l and index i is the sum of the shards from i 2^l up to, but not
 * including, (i + 1) 2^l, those that exist. It is its left child plus its right child,
 * or the left one alone if the right one has no shard. The sum of each node therefore
 * depends on S alone, and on nothing that computes it.
 *
 * A stack has the nodes of consecutive shards whose sums are known. It is only about
 * nodes; the caller keeps their values in a stack beside it:
 *
 *     tree_push(&stack, node);             values of the node at stack.count - 1
 *     while (tree_merge(&stack))           add values [stack.count] to those before
 */
#ifndef EXAMPLES_TRAIN_TREE_H
#define EXAMPLES_TRAIN_TREE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tree_node {
    size_t level, index;
} tree_node;

/** Most shards; most nodes of a stack, which are the largest ones of its range. */
enum { TREE_MOST_SHARDS = 1024, TREE_MOST_NODES = 22 };

typedef struct tree_stack {
    /** S, at most TREE_MOST_SHARDS. */
    size_t shards;
    size_t count;
    tree_node nodes[TREE_MOST_NODES];
} tree_stack;

/** Adds a node, whose shards follow those of the last one. */
void tree_push(tree_stack *stack, tree_node node);

/** Replaces the last two nodes by their parent, if they are its children: true, and the
 *  caller adds their values. */
bool tree_merge(tree_stack *stack);

/** Adds the shards from first up to end; returns the most nodes at any time. */
size_t tree_fill(tree_stack *stack, size_t first, size_t end);

/** The first of the units of part i when units are divided among parts: as even as can
 *  be, the first parts have one more. */
size_t tree_part(size_t units, size_t parts, size_t i);

/** a[i] += b[i]. */
void tree_add(float *restrict a, const float *restrict b, size_t count);

/** sum[i] = a[i] + b[i]. */
void tree_sum(float *restrict sum, const float *restrict a, const float *restrict b,
              size_t count);

#endif
