/* SHA-256 against the examples of FIPS 180-4 and sums of Python's hashlib. */
#include "lib/mnist/sha256.h"
#include "tests/support/test.h"

/* Bytes 0, 1, ... 255, 0, ... of a length, and their sum. */
static const struct {
    size_t size;
    const char *sum;
} cases[] = {
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {54, "675f28acc0b90a72d1c3a570fe83ac565555db358cf01826dc8eefb2bf7ca0f3"},
    {55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"},
    {56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"},
    {57, "2fe741af801cc238602ac0ec6a7b0c3a8a87c7fc7d7f02a3fe03d1c12eac4d8f"},
    {63, "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488"},
    {64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"},
    {65, "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781"},
    {119, "da18797ed7c3a777f0847f429724a2d8cd5138e6ed2895c3fa1a6d39d18f7ec6"},
    {120, "f52b23db1fbb6ded89ef42a23ce0c8922c45f25c50b568a93bf1c075420bbb7c"},
    {127, "92ca0fa6651ee2f97b884b7246a562fa71250fedefe5ebf270d31c546bfea976"},
    {128, "471fb943aa23c511f6f72f8d1652d9c880cfa392ad80503120547703e56a2be5"},
    {129, "5099c6a56203f9687f7d33f4bfdf576d31dc91f6b695ecea38b2770c87631135"},
    {1000, "a8af099bf2e878609558dbf69d8f88f4a31040a8cf84b549a0cfa912f12ffc3f"},
};

static void sum_of(const void *data, size_t size, size_t part, char *text)
{
    mnist_sha256 sum;
    mnist_sha256_start(&sum);
    for (size_t i = 0; i < size; i += part)
        mnist_sha256_add(&sum, (const char *)data + i,
                         part < size - i ? part : size - i);
    mnist_sha256_end(&sum, text);
}

static void the_examples_of_the_standard(void **state)
{
    (void)state;
    char text[MNIST_SHA256_TEXT];
    sum_of("abc", 3, 3, text);
    assert_string_equal(
        text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, 56, text);
    assert_string_equal(
        text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void the_sums_of_all_lengths_near_a_block_in_all_parts(void **state)
{
    (void)state;
    uint8_t data[1000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        for (size_t part = 1; part <= 130; part++) {
            char text[MNIST_SHA256_TEXT];
            sum_of(data, cases[i].size, part, text);
            assert_string_equal(text, cases[i].sum);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_examples_of_the_standard),
        TEST(the_sums_of_all_lengths_near_a_block_in_all_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
