/* The embedding against torch.nn.Embedding. */
#include <lstm/adam.h>
#include <lstm/embedding.h>
#include <lstm/file.h>
#include <lstm/params.h>
#include <lstm/threads.h>

#include "tests/golden/embedding.h"
#include "tests/support/folder.h"

enum { COUNT = 11, SIZE = 6, PADDING = 4, ROWS = 10 };

/* The embedding of the golden data, whose indices are [2, 5], and its y and dy. */
typedef struct fixture {
    lstm_embedding *embedding;
    lstm_params *params;
    lstm_tensor *y, *dy;
} fixture;

static const lstm_embedding_config config = {
    .count = COUNT, .size = SIZE, .padding = true, .padding_index = PADDING};

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

static fixture create_fixture_of(const lstm_embedding_config *options)
{
    fixture f;
    lstm_rng *rng;
    assert_int_equal(lstm_rng_create(&rng, 8), LSTM_OK);
    assert_int_equal(lstm_embedding_create(&f.embedding, options, rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_embedding(f.params, "table", f.embedding),
                     LSTM_OK);
    f.y = tensor_of(3, (size_t[]){2, 5, options->size});
    f.dy = tensor_of(3, (size_t[]){2, 5, options->size});
    assert_int_equal(lstm_rng_uniform(rng, f.dy, -1, 1), LSTM_OK);
    lstm_rng_destroy(&rng);
    return f;
}

static fixture create_fixture(void)
{
    return create_fixture_of(&config);
}

static void destroy_fixture(fixture *f)
{
    lstm_params_destroy(&f->params);
    lstm_embedding_destroy(&f->embedding);
    lstm_tensor_destroy(&f->y);
    lstm_tensor_destroy(&f->dy);
}

static const float *table(const fixture *f)
{
    return lstm_tensor_data(lstm_params_value(f->params, 0));
}

static const float *gradient(const fixture *f)
{
    return lstm_tensor_data(lstm_params_grad(f->params, 0));
}

static void initial_values_agree_with_torch(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_string_equal(lstm_params_name(f.params, 0), "table.weight");
    assert_int_equal(lstm_params_count(f.params), COUNT * SIZE);
    /* As those of lstm_rng_normal(). */
    for (size_t i = 0; i < COUNT * SIZE; i++)
        assert_close(table(&f)[i], embedding_weight[i],
                     4e-7 * fabs((double)embedding_weight[i]));
    for (size_t i = 0; i < SIZE; i++)
        assert_true(table(&f)[PADDING * SIZE + i] == 0);
    destroy_fixture(&f);
}

static void forward_copies_the_rows_of_the_indices(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_embedding_forward(f.embedding, embedding_indices, f.y),
                     LSTM_OK);
    for (size_t i = 0; i < ROWS; i++)
        assert_memory_equal(lstm_tensor_data(f.y) + i * SIZE,
                            table(&f) + (size_t)embedding_indices[i] * SIZE,
                            SIZE * sizeof(float));
    destroy_fixture(&f);
}

static void gradients_agree_with_torch_and_accumulate(void **state)
{
    (void)state;
    fixture f = create_fixture();
    int64_t indices[ROWS];
    memcpy(indices, embedding_indices, sizeof(indices));
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, f.y), LSTM_OK);
    /* The indices are copied. */
    memset(indices, 0x7f, sizeof(indices));
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_OK);
    /* Sums of at most 4 terms below 1: 3 roundings of at most 2^-23. */
    for (size_t i = 0; i < COUNT * SIZE; i++)
        assert_close(gradient(&f)[i], embedding_dweight[i], 3.6e-7);
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_OK);
    for (size_t i = 0; i < COUNT * SIZE; i++)
        assert_close(gradient(&f)[i], 2 * embedding_dweight[i], 9.6e-7);
    destroy_fixture(&f);
}

static void without_padding_every_row_gets_its_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture_of(&(lstm_embedding_config){.count = 3, .size = 1});
    static const int64_t indices[ROWS] = {0, 1, 0, 2, 0, 0, 2, 0, 0, 0};
    assert_true(table(&f)[0] != 0);
    assert_int_equal(lstm_tensor_fill(f.dy, 1), LSTM_OK);
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, f.y), LSTM_OK);
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_OK);
    assert_true(gradient(&f)[0] == 7 && gradient(&f)[1] == 1 && gradient(&f)[2] == 2);
    destroy_fixture(&f);
}

static void strides_give_the_same(void **state)
{
    (void)state;
    fixture f = create_fixture();
    static float y_data[2 * ROWS * SIZE], dy_data[2 * ROWS * SIZE];
    ptrdiff_t strides[] = {2, 4, 20};
    lstm_tensor *y, *dy;
    assert_int_equal(lstm_tensor_wrap(&y, y_data, 3, (size_t[]){2, 5, SIZE}, strides),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_wrap(&dy, dy_data, 3, (size_t[]){2, 5, SIZE}, strides),
                     LSTM_OK);
    assert_int_equal(lstm_tensor_copy(dy, f.dy), LSTM_OK);
    assert_int_equal(lstm_embedding_forward(f.embedding, embedding_indices, y),
                     LSTM_OK);
    assert_int_equal(lstm_embedding_backward(f.embedding, dy), LSTM_OK);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < SIZE; j++)
            assert_true(y_data[2 * (i / 5) + 4 * (i % 5) + 20 * j] ==
                        table(&f)[(size_t)embedding_indices[i] * SIZE + j]);
    for (size_t i = 0; i < COUNT * SIZE; i++)
        assert_close(gradient(&f)[i], embedding_dweight[i], 3.6e-7);
    for (size_t i = 1; i < 2 * ROWS * SIZE; i += 2)
        assert_true(y_data[i] == 0);
    lstm_tensor_destroy(&y);
    lstm_tensor_destroy(&dy);
    destroy_fixture(&f);
}

static void threads_change_no_bits(void **state)
{
    (void)state;
    /* No number of threads but 2 and 3 divides the rows evenly. */
    enum { LARGE = 3006, WIDE = 50 };
    static int64_t indices[LARGE];
    static float expected[2][LARGE * WIDE];
    lstm_embedding_config options = {.count = 7, .size = WIDE};
    for (size_t i = 0; i < LARGE; i++)
        indices[i] = (int64_t)(i * i % 7);
    for (size_t threads = 1; threads <= 4; threads++) {
        fixture f = create_fixture_of(&options);
        lstm_tensor *y = tensor_of(2, (size_t[]){LARGE, WIDE});
        assert_int_equal(lstm_set_threads(threads), LSTM_OK);
        assert_int_equal(lstm_embedding_forward(f.embedding, indices, y), LSTM_OK);
        assert_int_equal(lstm_embedding_backward(f.embedding, y), LSTM_OK);
        if (threads == 1) {
            memcpy(expected[0], lstm_tensor_data(y), sizeof(expected[0]));
            memcpy(expected[1], gradient(&f), 7 * WIDE * sizeof(float));
        }
        assert_memory_equal(expected[0], lstm_tensor_data(y), sizeof(expected[0]));
        assert_memory_equal(expected[1], gradient(&f), 7 * WIDE * sizeof(float));
        lstm_tensor_destroy(&y);
        destroy_fixture(&f);
    }
    assert_int_equal(lstm_set_threads(0), LSTM_OK);
}

static void an_index_out_of_range_is_named_and_nothing_is_written(void **state)
{
    (void)state;
    fixture f = create_fixture();
    int64_t indices[ROWS] = {0};
    assert_int_equal(lstm_tensor_fill(f.y, 7), LSTM_OK);
    indices[8] = COUNT;
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, f.y),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "embedding: index at position 8 is 11, expected 0 to 10");
    indices[3] = -1;
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, f.y),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(),
                        "embedding: index at position 3 is -1, expected 0 to 10");
    assert_true(lstm_tensor_data(f.y)[0] == 7);
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_INVALID_STATE);
    assert_string_equal(lstm_last_error(), "embedding: backward without a forward");
    destroy_fixture(&f);
}

static void adam_updates_the_table(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_adam *adam;
    static const int64_t indices[ROWS] = {0, PADDING};
    assert_int_equal(lstm_adam_create(&adam, f.params, &(lstm_adam_config){.lr = 0.5}),
                     LSTM_OK);
    float before[3] = {table(&f)[0], table(&f)[SIZE], table(&f)[PADDING * SIZE]};
    assert_int_equal(lstm_tensor_fill(f.dy, 1), LSTM_OK);
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, f.y), LSTM_OK);
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
    assert_close(table(&f)[0], before[0] - 0.5f, 1e-6);
    assert_true(table(&f)[SIZE] == before[1]);
    assert_true(table(&f)[PADDING * SIZE] == before[2]);
    lstm_adam_destroy(&adam);
    destroy_fixture(&f);
}

/* Adds a tensor without gradient and makes an optimiser of a fixture. */
static lstm_adam *add_mean(const fixture *f, lstm_tensor **mean, float value)
{
    lstm_adam *adam;
    *mean = tensor_of(1, (size_t[]){2});
    assert_int_equal(lstm_tensor_fill(*mean, value), LSTM_OK);
    assert_int_equal(lstm_params_add_tensor(f->params, "mean", *mean, NULL), LSTM_OK);
    assert_int_equal(lstm_adam_create(&adam, f->params, NULL), LSTM_OK);
    return adam;
}

static void step(const fixture *f, lstm_adam *adam, float gradient)
{
    assert_int_equal(lstm_tensor_fill(lstm_params_grad(f->params, 0), gradient),
                     LSTM_OK);
    assert_int_equal(lstm_adam_step(adam), LSTM_OK);
}

static void a_checkpoint_has_the_table_and_tensors_without_gradient(void **state)
{
    (void)state;
    fixture f = create_fixture(), g = create_fixture();
    lstm_tensor *mean, *other;
    lstm_adam *adam = add_mean(&f, &mean, 1), *twin = add_mean(&g, &other, 2);
    lstm_file_options options = {.adam = adam};
    step(&f, adam, 1);
    step(&f, adam, -2);
    assert_int_equal(lstm_params_save(f.params, test_path("model"), &options), LSTM_OK);
    /* Two values, and the moments of the table alone. */
    lstm_file *file;
    assert_int_equal(lstm_file_open(&file, test_path("model")), LSTM_OK);
    assert_int_equal(lstm_file_tensor_count(file), 4);
    lstm_file_destroy(&file);
    options.adam = twin;
    assert_int_equal(lstm_params_load(g.params, test_path("model"), &options), LSTM_OK);
    assert_true(lstm_tensor_data(other)[1] == 1);
    assert_memory_equal(table(&f), table(&g), COUNT * SIZE * sizeof(float));
    step(&f, adam, 0.5f);
    step(&g, twin, 0.5f);
    assert_memory_equal(table(&f), table(&g), COUNT * SIZE * sizeof(float));
    lstm_adam_destroy(&adam);
    lstm_adam_destroy(&twin);
    destroy_fixture(&f);
    destroy_fixture(&g);
    lstm_tensor_destroy(&mean);
    lstm_tensor_destroy(&other);
}

static void assert_not_created(lstm_embedding_config options, const char *message)
{
    lstm_embedding *embedding = (void *)(uintptr_t)64;
    assert_int_equal(lstm_embedding_create(&embedding, &options, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_null(embedding);
    assert_contains(lstm_last_error(), message);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_not_created((lstm_embedding_config){.count = 0, .size = 1},
                       "embedding: count is 0, expected at least 1");
    assert_not_created((lstm_embedding_config){.count = 1, .size = 0},
                       "embedding: size is 0, expected at least 1");
    assert_not_created((lstm_embedding_config){.count = SIZE_MAX / 2, .size = 4},
                       "larger than the address space");
    assert_not_created(
        (lstm_embedding_config){
            .count = 3, .size = 2, .padding = true, .padding_index = 3},
        "embedding: padding_index is 3, expected below 3");
    assert_not_created(
        (lstm_embedding_config){.count = 3, .size = 2, .padding_index = 2},
        "embedding: padding_index is 2, expected 0 without padding");
    lstm_embedding *embedding;
    assert_int_equal(lstm_embedding_create(NULL, &config, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_embedding_create(&embedding, NULL, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_null(embedding);
    assert_string_equal(lstm_last_error(), "embedding: config is NULL");
    assert_int_equal(lstm_embedding_create(&embedding, &config, NULL), LSTM_OK);
    lstm_embedding_destroy(&embedding);
    lstm_embedding_destroy(&embedding);
    lstm_embedding_destroy(NULL);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    fixture f = create_fixture();
    lstm_tensor *wide = tensor_of(2, (size_t[]){2, SIZE + 1});
    lstm_tensor *one = tensor_of(1, (size_t[]){SIZE});
    const int64_t *indices = embedding_indices;
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, wide),
                     LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "embedding: y is [2, 7], expected [.., 6]");
    assert_int_equal(lstm_embedding_forward(NULL, indices, f.y), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_embedding_forward(f.embedding, NULL, f.y),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "embedding: indices is NULL");
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_embedding_forward(f.embedding, indices, one), LSTM_OK);
    assert_int_equal(lstm_embedding_backward(f.embedding, f.dy), LSTM_SHAPE_MISMATCH);
    assert_string_equal(lstm_last_error(), "embedding: dy is [2, 5, 6], expected [6]");
    assert_int_equal(lstm_embedding_backward(f.embedding, one), LSTM_OK);
    assert_int_equal(lstm_embedding_backward(NULL, one), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_embedding_backward(f.embedding, NULL), LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_embedding(f.params, NULL, f.embedding),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_embedding(NULL, "", f.embedding),
                     LSTM_INVALID_ARGUMENT);
    assert_int_equal(lstm_params_add_embedding(f.params, "", NULL),
                     LSTM_INVALID_ARGUMENT);
    assert_string_equal(lstm_last_error(), "params: embedding is NULL");
    assert_int_equal(lstm_params_add_embedding(f.params, "", f.embedding),
                     LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "is in the set already, as table.weight");
    lstm_tensor_destroy(&wide);
    lstm_tensor_destroy(&one);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(initial_values_agree_with_torch),
        TEST(forward_copies_the_rows_of_the_indices),
        TEST(gradients_agree_with_torch_and_accumulate),
        TEST(without_padding_every_row_gets_its_gradient),
        TEST(strides_give_the_same),
        TEST(threads_change_no_bits),
        TEST(an_index_out_of_range_is_named_and_nothing_is_written),
        TEST(adam_updates_the_table),
        TEST(a_checkpoint_has_the_table_and_tensors_without_gradient),
        TEST(options_out_of_range_are_refused),
        TEST(wrong_arguments_are_refused_with_a_message),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
