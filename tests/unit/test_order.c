/* The order of packed sequences against torch.sort(), including ties. */
#include "lib/lstm/core/order.h"
#include "tests/golden/order.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

enum { MOST = 1000 };

/* Lengths that make a quicksort with a median of three slow (Musser, 1997), divided. */
static void slow_lengths(size_t count, size_t divisor, size_t *lengths)
{
    for (size_t i = 1; i <= count / 2; i++) {
        lengths[i - 1] = count + 1 - (i % 2 ? i : count / 2 + i - 1);
        lengths[count / 2 + i - 1] = count + 1 - 2 * i;
    }
    for (size_t i = 0; i < count; i++)
        lengths[i] /= divisor;
}

static void ties_have_the_order_of_torch_sort(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        size_t lengths[MOST] = {0}, order[MOST] = {0}, count = orders[i].count;
        for (size_t n = 0; n < count && orders[i].modulus; n++)
            lengths[n] = 1 + n * orders[i].step % orders[i].modulus;
        if (!orders[i].modulus)
            slow_lengths(count, orders[i].step, lengths);
        lstm_packed_order(lengths, order, count);
        uint64_t hash = HASH_START;
        for (size_t n = 0; n < count; n++) {
            uint32_t number = (uint32_t)order[n];
            hash = hash_bytes(hash, &number, sizeof(number));
        }
        if (hash != orders[i].hash)
            fail_msg("%zu lengths, case %zu", count, i);
    }
}

static void every_sequence_occurs_once_and_the_longest_is_first(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (size_t count = 0; count <= 300; count++) {
        size_t lengths[MOST] = {0}, order[MOST] = {0};
        bool seen[MOST] = {false};
        for (size_t n = 0; n < count; n++)
            lengths[n] = draw_size(&seed, 1, 1 + count / 3);
        lstm_packed_order(lengths, order, count);
        for (size_t n = 0; n < count; n++) {
            assert_true(order[n] < count && !seen[order[n]]);
            seen[order[n]] = true;
            assert_true(n == 0 || lengths[order[n - 1]] >= lengths[order[n]]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ties_have_the_order_of_torch_sort),
        TEST(every_sequence_occurs_once_and_the_longest_is_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
