/* The tree of sums: compared with its definition, for any division of the shards. */
#include "examples/train/tree.h"
#include "tests/support/test.h"

enum { SHARDS = 70, LENGTH = 3 };

static float values[SHARDS][LENGTH];

/* Numbers of very different sizes, whose sums depend on their order. */
static void draw_values(void)
{
    uint32_t word = 1;
    for (size_t s = 0; s < SHARDS; s++)
        for (size_t k = 0; k < LENGTH; k++) {
            word = word * 1664525 + 1013904223;
            values[s][k] = ldexpf((float)(int32_t)word, (int)(word >> 8 & 15) - 20);
        }
}

/* The sum of the 2^level shards from first on, those that exist. */
static float defined_sum(size_t level, size_t first, size_t shards, size_t k)
{
    if (level == 0)
        return values[first][k];
    size_t middle = first + ((size_t)1 << (level - 1));
    float left = defined_sum(level - 1, first, shards, k);
    return middle < shards ? left + defined_sum(level - 1, middle, shards, k) : left;
}

static size_t root_level(size_t shards)
{
    size_t level = 0;
    while ((size_t)1 << level < shards)
        level++;
    return level;
}

/* A stack with its values. */
typedef struct sums {
    tree_stack nodes;
    float rows[TREE_MOST_NODES][LENGTH];
} sums;

static void add(sums *to, tree_node node, const float *row)
{
    memcpy(to->rows[to->nodes.count], row, sizeof(to->rows[0]));
    tree_push(&to->nodes, node);
    while (tree_merge(&to->nodes)) {
        size_t at = to->nodes.count;
        tree_add(to->rows[at - 1], to->rows[at], LENGTH);
    }
}

/* Each part adds its shards; then their nodes are added. */
static void sum_in_parts(sums *whole, size_t shards, size_t parts)
{
    *whole = (sums){.nodes.shards = shards};
    for (size_t p = 0; p < parts; p++) {
        sums part = {.nodes.shards = shards};
        size_t end = tree_part(shards, parts, p + 1);
        for (size_t s = tree_part(shards, parts, p); s < end; s++)
            add(&part, (tree_node){0, s}, values[s]);
        for (size_t i = 0; i < part.nodes.count; i++)
            add(whole, part.nodes.nodes[i], part.rows[i]);
    }
}

static void a_sum_has_the_bits_of_its_definition_for_any_parts(void **state)
{
    (void)state;
    draw_values();
    for (size_t shards = 1; shards <= SHARDS; shards++)
        for (size_t parts = 1; parts <= shards; parts++) {
            sums whole;
            sum_in_parts(&whole, shards, parts);
            assert_int_equal(whole.nodes.count, 1);
            for (size_t k = 0; k < LENGTH; k++) {
                float expected = defined_sum(root_level(shards), 0, shards, k);
                assert_memory_equal(&whole.rows[0][k], &expected, sizeof(expected));
            }
        }
}

static void the_order_matters_to_these_values(void **state)
{
    (void)state;
    float row = 0;
    draw_values();
    for (size_t s = 0; s < SHARDS; s++)
        row += values[s][0];
    assert_true(row != defined_sum(root_level(SHARDS), 0, SHARDS, 0));
}

static void no_division_has_more_nodes_than_there_is_room_for(void **state)
{
    (void)state;
    size_t most = 0;
    for (size_t shards = TREE_MOST_SHARDS - 3; shards <= TREE_MOST_SHARDS; shards++)
        for (size_t first = 0; first < shards; first++) {
            tree_stack nodes = {.shards = shards};
            size_t found = tree_fill(&nodes, first, shards);
            most = found > most ? found : most;
            tree_stack begin = {.shards = shards};
            found = tree_fill(&begin, 1, first > 1 ? first : 2);
            most = found > most ? found : most;
        }
    assert_true(most > 0 && most < TREE_MOST_NODES);
}

static void parts_are_even_and_grow_with_what_is_divided(void **state)
{
    (void)state;
    for (size_t parts = 1; parts < 12; parts++)
        for (size_t units = 0; units < 40; units++) {
            assert_int_equal(tree_part(units, parts, 0), 0);
            assert_int_equal(tree_part(units, parts, parts), units);
            for (size_t i = 0; i < parts; i++) {
                size_t size =
                    tree_part(units, parts, i + 1) - tree_part(units, parts, i);
                size_t next =
                    tree_part(units + 1, parts, i + 1) - tree_part(units + 1, parts, i);
                assert_true(size == units / parts || size == units / parts + 1);
                assert_true(next == size || next == size + 1);
            }
        }
}

static void two_rows_are_added_to_a_third(void **state)
{
    (void)state;
    const float a[] = {1, 0x1p24f, -3}, b[] = {2, 1, 3};
    float sum[3];
    tree_sum(sum, a, b, 3);
    assert_true(sum[0] == 3 && sum[1] == 0x1p24f && sum[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sum_has_the_bits_of_its_definition_for_any_parts),
        TEST(the_order_matters_to_these_values),
        TEST(no_division_has_more_nodes_than_there_is_room_for),
        TEST(parts_are_even_and_grow_with_what_is_divided),
        TEST(two_rows_are_added_to_a_third),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
