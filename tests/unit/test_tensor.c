/* Tensors: shapes, strides and views, compared with explicit index arithmetic. */
#include <lstm/tensor.h>

#include "lib/lstm/tensor/tensor.h"
#include "tests/golden/reshape.h"
#include "tests/support/test.h"

#include <lstm/status.h>

/* 0, 1, 2, ... in row-major order. */
static lstm_tensor *counting(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    for (size_t i = 0; i < lstm_tensor_count(tensor); i++)
        lstm_tensor_data(tensor)[i] = (float)i;
    return tensor;
}

static float at(const lstm_tensor *tensor, size_t i, size_t j)
{
    return lstm_tensor_data(tensor)[(ptrdiff_t)i * lstm_tensor_stride(tensor, 0) +
                                    (ptrdiff_t)j * lstm_tensor_stride(tensor, 1)];
}

static void a_new_tensor_is_row_major_aligned_and_zero(void **state)
{
    (void)state;
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, 3, (size_t[]){2, 3, 5}), LSTM_OK);
    assert_int_equal(lstm_tensor_rank(tensor), 3);
    assert_int_equal(lstm_tensor_count(tensor), 30);
    assert_int_equal(lstm_tensor_extent(tensor, 1), 3);
    assert_int_equal(lstm_tensor_stride(tensor, 0), 15);
    assert_int_equal(lstm_tensor_stride(tensor, 1), 5);
    assert_int_equal(lstm_tensor_stride(tensor, 2), 1);
    assert_int_equal((uintptr_t)lstm_tensor_data(tensor) % 64, 0);
    for (size_t i = 0; i < 30; i++)
        assert_true(lstm_tensor_data(tensor)[i] == 0);
    lstm_tensor_destroy(&tensor);
    assert_null(tensor);
}

static void getters_of_null_return_zero(void **state)
{
    (void)state;
    lstm_tensor *tensor = counting(1, (size_t[]){4});
    assert_int_equal(lstm_tensor_rank(NULL), 0);
    assert_int_equal(lstm_tensor_count(NULL), 0);
    assert_int_equal(lstm_tensor_extent(NULL, 0), 0);
    assert_int_equal(lstm_tensor_stride(NULL, 0), 0);
    assert_null(lstm_tensor_data(NULL));
    assert_int_equal(lstm_tensor_extent(tensor, 1), 0);
    assert_int_equal(lstm_tensor_stride(tensor, 1), 0);
    lstm_tensor_destroy(&tensor);
    lstm_tensor_destroy(&tensor);
    lstm_tensor_destroy(NULL);
}

/* A handle that is not NULL: failures overwrite it. */
static lstm_tensor *const stale = (lstm_tensor *)(uintptr_t)64;

static void refused_shape(size_t rank, const size_t *shape, const char *message)
{
    lstm_tensor *tensor = stale;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_INVALID_ARGUMENT);
    assert_null(tensor);
    assert_string_equal(lstm_last_error(), message);
}

static void invalid_shapes_are_refused_with_their_values(void **state)
{
    (void)state;
    refused_shape(0, (size_t[]){1}, "tensor: rank is 0, expected 1 to 4");
    refused_shape(5, (size_t[]){1, 1, 1, 1, 1}, "tensor: rank is 5, expected 1 to 4");
    refused_shape(2, (size_t[]){3, 0},
                  "tensor: shape is [3, 0], expected extents of at least 1");
    refused_shape(
        2, (size_t[]){SIZE_MAX / 2, 3},
        "tensor: shape is [9223372036854775807, 3], larger than the address space");
    refused_shape(
        3, (size_t[]){1u << 31, 1u << 31, 4},
        "tensor: shape is [2147483648, 2147483648, 4], larger than the address "
        "space");
    refused_shape(2, NULL, "tensor: shape is NULL");
    assert_int_equal(lstm_tensor_create(NULL, 1, (size_t[]){1}), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "tensor: out is NULL");
}

static void a_wrapped_tensor_uses_memory_in_place(void **state)
{
    (void)state;
    float data[12];
    for (size_t i = 0; i < 12; i++)
        data[i] = (float)i;
    lstm_tensor *rows, *columns, *backwards;
    assert_int_equal(lstm_tensor_wrap(&rows, data, 2, (size_t[]){3, 4}, NULL), LSTM_OK);
    assert_int_equal(
        lstm_tensor_wrap(&columns, data, 2, (size_t[]){4, 3}, (ptrdiff_t[]){1, 4}),
        LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&backwards, data + 11, 2, (size_t[]){3, 4},
                                      (ptrdiff_t[]){-4, -1}),
                     LSTM_OK);
    assert_ptr_equal(lstm_tensor_data(rows), data);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++) {
            assert_true(at(rows, i, j) == (float)(4 * i + j));
            assert_true(at(columns, j, i) == (float)(4 * i + j));
            assert_true(at(backwards, i, j) == (float)(11 - 4 * i - j));
        }
    assert_true(lstm_tensor_is_contiguous(rows));
    assert_false(lstm_tensor_is_contiguous(columns));
    lstm_tensor_destroy(&rows);
    lstm_tensor_destroy(&columns);
    lstm_tensor_destroy(&backwards);
    assert_true(data[11] == 11);
}

static void wrapping_checks_address_and_strides(void **state)
{
    (void)state;
    float data[4] = {0};
    lstm_tensor *tensor = stale;
    assert_int_equal(lstm_tensor_wrap(&tensor, NULL, 1, (size_t[]){4}, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_null(tensor);
    float *crooked = (float *)(void *)((char *)data + 2);
    assert_int_equal(lstm_tensor_wrap(&tensor, crooked, 1, (size_t[]){2}, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "expected a multiple of 4");
    assert_int_equal(lstm_tensor_wrap(&tensor, data, 2, (size_t[]){1, 3},
                                      (ptrdiff_t[]){1, PTRDIFF_MIN}),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(
        lstm_last_error(),
        "tensor: stride -9223372036854775808 of axis 1 is out of range");
    assert_int_equal(lstm_tensor_wrap(&tensor, data, 2, (size_t[]){3, 1},
                                      (ptrdiff_t[]){PTRDIFF_MAX / 4, 1}),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "tensor: stride 2305843009213693951 of axis 0 is out of range");
    /* The stride of an axis of extent 1 is not used. */
    assert_int_equal(lstm_tensor_wrap(&tensor, data, 2, (size_t[]){1, 4},
                                      (ptrdiff_t[]){PTRDIFF_MIN, 1}),
                     LSTM_OK);
    assert_true(lstm_tensor_is_contiguous(tensor));
    lstm_tensor_destroy(&tensor);
}

static void select_is_the_index_of_an_axis(void **state)
{
    (void)state;
    lstm_tensor *tensor = counting(3, (size_t[]){2, 3, 4});
    for (size_t axis = 0; axis < 3; axis++)
        for (size_t index = 0; index < lstm_tensor_extent(tensor, axis); index++) {
            lstm_tensor *view;
            assert_int_equal(lstm_tensor_select(&view, tensor, axis, index), LSTM_OK);
            assert_int_equal(lstm_tensor_rank(view), 2);
            for (size_t i = 0; i < lstm_tensor_extent(view, 0); i++)
                for (size_t j = 0; j < lstm_tensor_extent(view, 1); j++) {
                    size_t full[] = {axis > 0 ? i : index,
                                     axis > 1   ? j
                                     : axis < 1 ? i
                                                : index,
                                     axis < 2 ? j : index};
                    assert_true(at(view, i, j) ==
                                (float)((full[0] * 3 + full[1]) * 4 + full[2]));
                }
            lstm_tensor_destroy(&view);
        }
    lstm_tensor_destroy(&tensor);
}

static void narrow_is_a_range_in_place(void **state)
{
    (void)state;
    lstm_tensor *tensor = counting(2, (size_t[]){5, 4});
    lstm_tensor *rows, *block;
    assert_int_equal(lstm_tensor_narrow(&rows, tensor, 0, 1, 3), LSTM_OK);
    assert_true(lstm_tensor_is_contiguous(rows));
    assert_int_equal(lstm_tensor_narrow(&block, rows, 1, 2, 2), LSTM_OK);
    assert_false(lstm_tensor_is_contiguous(block));
    assert_int_equal(lstm_tensor_extent(block, 0), 3);
    assert_int_equal(lstm_tensor_extent(block, 1), 2);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 2; j++)
            assert_true(at(block, i, j) == (float)(4 * (i + 1) + j + 2));
    assert_int_equal(lstm_tensor_fill(block, -1), LSTM_OK);
    size_t changed = 0;
    for (size_t i = 0; i < 20; i++)
        changed += lstm_tensor_data(tensor)[i] == -1;
    assert_int_equal(changed, 6);
    lstm_tensor_destroy(&block);
    lstm_tensor_destroy(&rows);
    lstm_tensor_destroy(&tensor);
}

/* Index i of row-major order in a tensor. */
static const float *element(const lstm_tensor *tensor, size_t i)
{
    const float *data = lstm_tensor_data(tensor);
    for (size_t axis = lstm_tensor_rank(tensor); axis-- > 0;) {
        size_t extent = lstm_tensor_extent(tensor, axis);
        data += (ptrdiff_t)(i % extent) * lstm_tensor_stride(tensor, axis);
        i /= extent;
    }
    return data;
}

static void reshape_agrees_with_view_of_torch(void **state)
{
    (void)state;
    enum { CASE = 19 };
    static float memory[2000];
    size_t refused = 0;
    for (size_t i = 0; i < sizeof(reshape_cases) / sizeof(int); i += CASE) {
        const int *c = &reshape_cases[i];
        size_t shape[4], new[4];
        ptrdiff_t strides[4];
        for (size_t j = 0; j < 4; j++) {
            shape[j] = (size_t)c[1 + j];
            strides[j] = c[5 + j];
            new[j] = (size_t)c[10 + j];
        }
        lstm_tensor *tensor, *view = stale;
        assert_int_equal(
            lstm_tensor_wrap(&tensor, memory, (size_t)c[0], shape, strides), LSTM_OK);
        lstm_status status = lstm_tensor_reshape(&view, tensor, (size_t)c[9], new);
        assert_int_equal(status, c[14] ? LSTM_OK : LSTM_INVALID_ARGUMENT);
        assert_true(c[14] || !view);
        refused += !view;
        for (size_t j = 0; view && j < (size_t)c[9]; j++)
            assert_int_equal(lstm_tensor_stride(view, j), c[15 + j]);
        for (size_t j = 0; view && j < lstm_tensor_count(tensor); j++)
            assert_ptr_equal(element(view, j), element(tensor, j));
        lstm_tensor_destroy(&view);
        lstm_tensor_destroy(&tensor);
    }
    assert_in_range(refused, 20, 120);
}

static void invalid_reshapes_are_refused(void **state)
{
    (void)state;
    lstm_tensor *tensor = counting(2, (size_t[]){4, 6}), *view = stale, *left;
    size_t shape[] = {3, 8};
    assert_int_equal(lstm_tensor_reshape(&view, tensor, 2, shape), LSTM_OK);
    assert_true(at(view, 2, 7) == 23 && at(view, 1, 0) == 8);
    lstm_tensor_destroy(&view);
    assert_int_equal(lstm_tensor_reshape(NULL, tensor, 2, shape),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_reshape(&view, NULL, 2, shape), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_reshape(&view, tensor, 2, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "tensor: shape is NULL");
    assert_int_equal(lstm_tensor_reshape(&view, tensor, 5, shape),
                     LSTM_INVALID_ARGUMENT);
    shape[0] = 0;
    assert_int_equal(lstm_tensor_reshape(&view, tensor, 2, shape),
                     LSTM_INVALID_ARGUMENT);
    shape[0] = 5;
    view = stale;
    assert_int_equal(lstm_tensor_reshape(&view, tensor, 2, shape), LSTM_SHAPE_MISMATCH);
    assert_null(view);
    assert_string_equal(lstm_last_error(),
                        "tensor: reshape of [4, 6] to [5, 8], expected 24 elements");
    assert_int_equal(lstm_tensor_narrow(&left, tensor, 1, 0, 3), LSTM_OK);
    assert_int_equal(lstm_tensor_reshape(&view, left, 1, (size_t[]){12}),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(
        lstm_last_error(),
        "tensor: the strides of [4, 3] allow no view as [12]; copy it first");
    lstm_tensor_destroy(&left);
    lstm_tensor_destroy(&tensor);
}

static void views_out_of_bounds_are_refused_with_their_values(void **state)
{
    (void)state;
    lstm_tensor *tensor = counting(2, (size_t[]){5, 4});
    lstm_tensor *line = counting(1, (size_t[]){3});
    lstm_tensor *view = stale;
    assert_int_equal(lstm_tensor_select(&view, tensor, 2, 0), LSTM_INVALID_ARGUMENT);
    assert_null(view);
    assert_string_equal(lstm_last_error(), "tensor: axis is 2, expected 0 to 1");
    assert_int_equal(lstm_tensor_select(&view, tensor, 0, 5), LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "tensor: index is 5, expected 0 to 4");
    assert_int_equal(lstm_tensor_select(&view, line, 0, 0), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "rank is 1");
    assert_int_equal(lstm_tensor_select(&view, NULL, 0, 0), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_select(NULL, tensor, 0, 0), LSTM_INVALID_ARGUMENT);
    view = stale;
    assert_int_equal(lstm_tensor_narrow(&view, tensor, 0, 3, 3), LSTM_INVALID_ARGUMENT);
    assert_null(view);
    assert_string_equal(
        lstm_last_error(),
        "tensor: range is 3 indices from 3, expected at least 1 index within 0 to 4");
    assert_int_equal(lstm_tensor_narrow(&view, tensor, 0, SIZE_MAX, 2),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_narrow(&view, tensor, 0, 1, 0), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_narrow(&view, NULL, 0, 0, 1), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_narrow(NULL, tensor, 0, 0, 1), LSTM_INVALID_ARGUMENT);
    lstm_tensor_destroy(&line);
    lstm_tensor_destroy(&tensor);
}

static void copy_uses_the_strides_of_both_tensors(void **state)
{
    (void)state;
    float from_data[12], to_data[12] = {0};
    for (size_t i = 0; i < 12; i++)
        from_data[i] = (float)i;
    lstm_tensor *from, *to;
    assert_int_equal(
        lstm_tensor_wrap(&from, from_data, 2, (size_t[]){4, 3}, (ptrdiff_t[]){1, 4}),
        LSTM_OK);
    assert_int_equal(
        lstm_tensor_wrap(&to, to_data + 9, 2, (size_t[]){4, 3}, (ptrdiff_t[]){-3, 1}),
        LSTM_OK);
    assert_int_equal(lstm_tensor_copy(to, from), LSTM_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 3; j++)
            assert_true(to_data[9 - 3 * i + j] == (float)(4 * j + i));
    assert_int_equal(lstm_tensor_copy(to, to), LSTM_OK);
    float packed[12], again[12];
    lstm_tensor_gather(packed, from);
    lstm_tensor_scatter(to, packed);
    lstm_tensor_gather(again, to);
    assert_memory_equal(packed, again, sizeof(packed));
    assert_true(packed[1] == 4 && packed[3] == 1);
    lstm_tensor_destroy(&from);
    lstm_tensor_destroy(&to);
}

static void a_row_of_any_stride_is_copied_to_any(void **state)
{
    (void)state;
    enum { COUNT = 5, MOST = 3 };
    for (ptrdiff_t across = 1; across <= MOST; across++)
        for (ptrdiff_t down = 1; down <= MOST; down++) {
            float from_data[COUNT * MOST], to_data[COUNT * MOST] = {0};
            lstm_tensor *from, *to;
            for (size_t i = 0; i < COUNT * MOST; i++)
                from_data[i] = (float)i + 1;
            const size_t shape[] = {COUNT};
            assert_int_equal(lstm_tensor_wrap(&from, from_data, 1, shape, &across),
                             LSTM_OK);
            assert_int_equal(lstm_tensor_wrap(&to, to_data, 1, shape, &down), LSTM_OK);
            assert_int_equal(lstm_tensor_copy(to, from), LSTM_OK);
            for (ptrdiff_t i = 0; i < COUNT * MOST; i++)
                assert_true(
                    to_data[i] ==
                    (i % down || i / down >= COUNT ? 0 : from_data[i / down * across]));
            lstm_tensor_destroy(&from);
            lstm_tensor_destroy(&to);
        }
}

static void copy_between_shapes_is_refused_with_both(void **state)
{
    (void)state;
    lstm_tensor *from = counting(2, (size_t[]){2, 3});
    lstm_tensor *to = counting(2, (size_t[]){3, 2});
    assert_int_equal(lstm_tensor_copy(to, from), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "tensor: to is [3, 2], expected [2, 3]");
    assert_true(lstm_tensor_data(to)[1] == 1);
    assert_int_equal(lstm_tensor_copy(NULL, from), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_copy(to, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_tensor_fill(NULL, 1), LSTM_INVALID_ARGUMENT);
    lstm_tensor_destroy(&from);
    lstm_tensor_destroy(&to);
}

static void the_text_of_a_shape_has_room_for_the_largest(void **state)
{
    (void)state;
    char text[LSTM_SHAPE_TEXT];
    size_t shape[] = {SIZE_MAX, SIZE_MAX, SIZE_MAX, SIZE_MAX};
    assert_string_equal(lstm_shape_text(text, 0, shape), "[]");
    assert_string_equal(lstm_shape_text(text, 1, (size_t[]){28}), "[28]");
    assert_string_equal(lstm_shape_text(text, 4, shape),
                        "[18446744073709551615, 18446744073709551615, "
                        "18446744073709551615, 18446744073709551615]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_tensor_is_row_major_aligned_and_zero),
        TEST(getters_of_null_return_zero),
        TEST(invalid_shapes_are_refused_with_their_values),
        TEST(a_wrapped_tensor_uses_memory_in_place),
        TEST(wrapping_checks_address_and_strides),
        TEST(select_is_the_index_of_an_axis),
        TEST(narrow_is_a_range_in_place),
        TEST(reshape_agrees_with_view_of_torch),
        TEST(invalid_reshapes_are_refused),
        TEST(views_out_of_bounds_are_refused_with_their_values),
        TEST(copy_uses_the_strides_of_both_tensors),
        TEST(a_row_of_any_stride_is_copied_to_any),
        TEST(copy_between_shapes_is_refused_with_both),
        TEST(the_text_of_a_shape_has_room_for_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
