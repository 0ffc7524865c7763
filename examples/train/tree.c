#include <assert.h>

#include "examples/train/tree.h"

/* A node without right sibling is its parent. The root has index 0. */
static void climb(const tree_stack *stack, tree_node *node)
{
    while (node->index > 0 && node->index % 2 == 0 &&
           (node->index + 1) << node->level >= stack->shards) {
        node->level++;
        node->index /= 2;
    }
}

void tree_push(tree_stack *stack, tree_node node)
{
    assert(stack->count < TREE_MOST_NODES);
    climb(stack, &node);
    stack->nodes[stack->count++] = node;
}

bool tree_merge(tree_stack *stack)
{
    if (stack->count < 2)
        return false;
    tree_node *left = &stack->nodes[stack->count - 2];
    const tree_node *right = left + 1;
    if (right->index % 2 == 0 || left->level != right->level ||
        left->index + 1 != right->index)
        return false;
    left->level++;
    left->index /= 2;
    climb(stack, left);
    stack->count--;
    return true;
}

size_t tree_fill(tree_stack *stack, size_t first, size_t end)
{
    size_t most = stack->count;
    for (size_t s = first; s < end; s++) {
        tree_push(stack, (tree_node){0, s});
        most = stack->count > most ? stack->count : most;
        while (tree_merge(stack))
            continue;
    }
    return most;
}

size_t tree_part(size_t units, size_t parts, size_t i)
{
    size_t rest = units % parts;
    return units / parts * i + (i < rest ? i : rest);
}

void tree_add(float *restrict a, const float *restrict b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        a[i] += b[i];
}

void tree_sum(float *restrict sum, const float *restrict a, const float *restrict b,
              size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] = a[i] + b[i];
}
