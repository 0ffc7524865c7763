#include "examples/train/transport.h"
#include "examples/train/tree.h"

size_t transport_range(const transport *t, size_t rank)
{
    return tree_part(t->stride / TRANSPORT_UNIT, t->ranks, rank) * TRANSPORT_UNIT;
}
