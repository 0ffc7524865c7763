/* CRC-32 against bits taken one at a time. */
#include "lib/lstm/io/crc32.h"
#include "tests/support/test.h"

enum { MOST = 20000 };

static uint32_t bitwise(uint32_t crc, const unsigned char *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void the_check_value_matches_the_catalogue(void **state)
{
    (void)state;
    assert_int_equal(lstm_crc32(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(lstm_crc32(0, "", 0), 0);
}

static void small_and_large_data_agree_with_single_bits(void **state)
{
    (void)state;
    static unsigned char data[MOST];
    static const size_t sizes[] = {1, 7, 8, 4095, 8191, 8192, 8193, 8199, MOST - 3};
    uint32_t seed = 1;
    for (size_t i = 0; i < MOST; i++)
        data[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t start = 0; start < 3; start++)
            assert_int_equal(lstm_crc32(seed, data + start, sizes[i]),
                             bitwise(seed, data + start, sizes[i]));
    uint32_t halves = lstm_crc32(lstm_crc32(0, data, 9000), data + 9000, 9000);
    assert_int_equal(halves, lstm_crc32(0, data, 18000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_check_value_matches_the_catalogue),
        TEST(small_and_large_data_agree_with_single_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
