/* Decompression of a whole gzip file at once: its content, or a refusal that leaves the
 * file to zlib. */
#include "lib/mnist/inflate.h"
#include "tests/support/idx.h"
#include "tests/support/test.h"

enum { SIZE = 5000 };

/* Whether size bytes of a copy of the file, which has no room behind, are inflated. */
static bool inflates(const test_bytes *file, uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(file->size);
    assert_non_null(copy);
    memcpy(copy, file->data, file->size);
    bool done = mnist_inflate(copy, file->size, data, size);
    free(copy);
    return done;
}

static void one_member_becomes_its_content(void **state)
{
    (void)state;
    test_bytes plain = test_labels(SIZE), packed = test_gzip(plain.data, plain.size);
    uint8_t *found = malloc(plain.size);
    assert_non_null(found);
    assert_true(mnist_inflate_takes(packed.size));
    assert_true(inflates(&packed, found, plain.size));
    assert_memory_equal(found, plain.data, plain.size);
    free(found);
    test_bytes_free(&plain);
    test_bytes_free(&packed);
}

static void another_size_or_file_is_refused(void **state)
{
    (void)state;
    test_bytes plain = test_labels(SIZE), packed = test_gzip(plain.data, plain.size);
    uint8_t *found = malloc(plain.size + 1);
    assert_non_null(found);
    assert_false(inflates(&packed, found, plain.size - 1));
    assert_false(inflates(&packed, found, plain.size + 1));
    for (size_t size = 1; size < packed.size; size++)
        assert_false(inflates(&(test_bytes){packed.data, size}, found, plain.size));
    test_bytes two = {malloc(2 * packed.size), 2 * packed.size};
    assert_non_null(two.data);
    memcpy(two.data, packed.data, packed.size);
    memcpy(two.data + packed.size, packed.data, packed.size);
    assert_false(inflates(&two, found, plain.size));
    packed.data[packed.size - 8] ^= 1;
    assert_false(inflates(&packed, found, plain.size));
    free(found);
    test_bytes_free(&two);
    test_bytes_free(&plain);
    test_bytes_free(&packed);
}

static void nothing_and_huge_files_are_left_to_zlib(void **state)
{
    (void)state;
    assert_false(mnist_inflate_takes(0));
    assert_true(mnist_inflate_takes(1u << 28));
    assert_false(mnist_inflate_takes((1u << 28) + 1));
    assert_false(mnist_inflate_takes(UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_member_becomes_its_content),
        TEST(another_size_or_file_is_refused),
        TEST(nothing_and_huge_files_are_left_to_zlib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
