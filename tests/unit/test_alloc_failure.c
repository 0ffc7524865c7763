/*
 * Failed allocations: the k-th one of a call, alone and with all after it, for every k
 * until the call succeeds. Each failure returns a status with a message, writes NULL to
 * the handle, and changes nothing else. The address sanitizer finds leaks.
 */
#include <lstm/lstm.h>

#include "tests/support/folder.h"
#include "tests/support/memory.h"

enum { ROWS = 3, STEPS = 4, INPUTS = 5, CLASSES = 2 };
/* More allocations than any call in this test makes. */
enum { MOST = 2000 };

/* One of each object. */
typedef struct fixture {
    lstm_rng *rng;
    lstm_tensor *x, *out, *rows, *logits;
    lstm_layer *layer;
    lstm_linear *linear;
    lstm_cross_entropy *loss;
    lstm_params *params;
    lstm_adam *adam;
    /** Results of the call under test. */
    lstm_rng *new_rng;
    lstm_tensor *new_tensor;
    lstm_layer *new_layer;
    lstm_linear *new_linear;
    lstm_embedding *new_embedding;
    lstm_cross_entropy *new_loss;
    lstm_params *new_params;
    lstm_adam *new_adam;
} fixture;

static const lstm_layer_config layer_config = {
    .inputs = INPUTS, .hidden = 6, .layers = 2, .batch_first = true};

static test_memory memory;

static lstm_tensor *tensor_of(size_t rank, const size_t *shape)
{
    lstm_tensor *tensor;
    assert_int_equal(lstm_tensor_create(&tensor, rank, shape), LSTM_OK);
    return tensor;
}

static fixture create_fixture(void)
{
    fixture f = {0};
    assert_int_equal(lstm_rng_create(&f.rng, 1), LSTM_OK);
    f.x = tensor_of(3, (size_t[]){ROWS, STEPS, INPUTS});
    f.out = tensor_of(3, (size_t[]){ROWS, STEPS, 6});
    f.rows = tensor_of(2, (size_t[]){ROWS, 6});
    f.logits = tensor_of(2, (size_t[]){ROWS, CLASSES});
    assert_int_equal(lstm_layer_create(&f.layer, &layer_config, f.rng), LSTM_OK);
    assert_int_equal(
        lstm_linear_create(
            &f.linear, &(lstm_linear_config){.inputs = 6, .outputs = CLASSES}, f.rng),
        LSTM_OK);
    assert_int_equal(lstm_cross_entropy_create(&f.loss, NULL), LSTM_OK);
    assert_int_equal(lstm_params_create(&f.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(f.params, "lstm", f.layer), LSTM_OK);
    assert_int_equal(lstm_params_add_linear(f.params, "fc", f.linear), LSTM_OK);
    assert_int_equal(lstm_adam_create(&f.adam, f.params, NULL), LSTM_OK);
    return f;
}

static void destroy_fixture(fixture *f)
{
    lstm_adam_destroy(&f->adam);
    lstm_params_destroy(&f->params);
    lstm_cross_entropy_destroy(&f->loss);
    lstm_linear_destroy(&f->linear);
    lstm_layer_destroy(&f->layer);
    lstm_tensor_destroy(&f->x);
    lstm_tensor_destroy(&f->out);
    lstm_tensor_destroy(&f->rows);
    lstm_tensor_destroy(&f->logits);
    lstm_rng_destroy(&f->rng);
}

typedef lstm_status (*call)(fixture *f);

static lstm_status load(fixture *f)
{
    return lstm_params_load(f->params, test_path("model"), NULL);
}

/* Makes a call whose allocation number k fails. */
static lstm_status fail_at(fixture *f, call function, size_t k, bool alone)
{
    if (alone)
        test_memory_fail_one(&memory, k);
    else
        test_memory_limit(&memory, k);
    lstm_status status = function(f);
    test_memory_unlimit();
    return status;
}

/* Makes every allocation of a call fail, alone and with all after it, until the call
 * succeeds. least is the minimum number of its allocations. check, unless NULL, runs
 * after each failure.
 */
static void fail_each(fixture *f, call function, size_t least, void (*check)(fixture *))
{
    for (size_t k = 0;; k++) {
        assert_in_range(k, 0, MOST);
        for (int alone = 1; alone >= 0; alone--) {
            lstm_status status = fail_at(f, function, k, alone);
            if (status == LSTM_OK) {
                assert_in_range(k, least, MOST);
                return;
            }
            assert_int_equal(status, LSTM_OUT_OF_MEMORY);
            assert_contains(lstm_last_error(), "out of memory");
            if (check)
                check(f);
        }
    }
}

#define CREATION(name, handle, expression)                                             \
    static lstm_status make_##name(fixture *f)                                         \
    {                                                                                  \
        f->handle = (void *)(uintptr_t)64;                                             \
        return expression;                                                             \
    }                                                                                  \
    static void no_##name(fixture *f)                                                  \
    {                                                                                  \
        assert_null(f->handle);                                                        \
    }

CREATION(rng, new_rng, lstm_rng_create(&f->new_rng, 1))
CREATION(tensor, new_tensor, lstm_tensor_create(&f->new_tensor, 1, (size_t[]){9}))
CREATION(wrap, new_tensor,
         lstm_tensor_wrap(&f->new_tensor, lstm_tensor_data(f->x), 1, (size_t[]){9},
                          NULL))
CREATION(select, new_tensor, lstm_tensor_select(&f->new_tensor, f->x, 1, 0))
CREATION(narrow, new_tensor, lstm_tensor_narrow(&f->new_tensor, f->x, 0, 0, 2))
CREATION(reshape, new_tensor,
         lstm_tensor_reshape(&f->new_tensor, f->x, 1,
                             (size_t[]){ROWS * STEPS * INPUTS}))
CREATION(layer, new_layer, lstm_layer_create(&f->new_layer, &layer_config, f->rng))
CREATION(linear, new_linear,
         lstm_linear_create(&f->new_linear,
                            &(lstm_linear_config){.inputs = 3, .outputs = 2}, f->rng))
CREATION(embedding, new_embedding,
         lstm_embedding_create(&f->new_embedding,
                               &(lstm_embedding_config){.count = 3, .size = 6}, f->rng))
CREATION(loss, new_loss, lstm_cross_entropy_create(&f->new_loss, NULL))
CREATION(params, new_params, lstm_params_create(&f->new_params))
CREATION(adam, new_adam, lstm_adam_create(&f->new_adam, f->params, NULL))

static void creating_tensors_and_views_fails_cleanly(void **state)
{
    (void)state;
    fixture f = create_fixture();
    fail_each(&f, make_tensor, 2, no_tensor);
    lstm_tensor_destroy(&f.new_tensor);
    fail_each(&f, make_wrap, 1, no_wrap);
    lstm_tensor_destroy(&f.new_tensor);
    fail_each(&f, make_select, 1, no_select);
    lstm_tensor_destroy(&f.new_tensor);
    fail_each(&f, make_narrow, 1, no_narrow);
    lstm_tensor_destroy(&f.new_tensor);
    fail_each(&f, make_reshape, 1, no_reshape);
    lstm_tensor_destroy(&f.new_tensor);
    destroy_fixture(&f);
}

static void creating_objects_fails_cleanly(void **state)
{
    (void)state;
    fixture f = create_fixture();
    fail_each(&f, make_rng, 1, no_rng);
    fail_each(&f, make_layer, 10, no_layer);
    fail_each(&f, make_linear, 6, no_linear);
    fail_each(&f, make_embedding, 5, no_embedding);
    fail_each(&f, make_loss, 1, no_loss);
    fail_each(&f, make_params, 1, no_params);
    fail_each(&f, make_adam, 3, no_adam);
    lstm_rng_destroy(&f.new_rng);
    lstm_layer_destroy(&f.new_layer);
    lstm_linear_destroy(&f.new_linear);
    lstm_embedding_destroy(&f.new_embedding);
    lstm_cross_entropy_destroy(&f.new_loss);
    lstm_params_destroy(&f.new_params);
    lstm_adam_destroy(&f.new_adam);
    destroy_fixture(&f);
}

static lstm_status add_layer(fixture *f)
{
    return lstm_params_add_layer(f->params, "again", f->new_layer);
}

static lstm_status add_tensor(fixture *f)
{
    return lstm_params_add_tensor(f->params, "rows", f->rows, NULL);
}

static lstm_status add_embedding(fixture *f)
{
    return lstm_params_add_embedding(f->params, "table", f->new_embedding);
}

static void set_has_ten(fixture *f)
{
    assert_int_equal(lstm_params_size(f->params), 10);
    assert_string_equal(lstm_params_name(f->params, 9), "fc.bias");
}

static void set_has_eighteen(fixture *f)
{
    assert_int_equal(lstm_params_size(f->params), 18);
}

static void adding_to_a_set_fails_cleanly(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(make_layer(&f), LSTM_OK);
    fail_each(&f, add_layer, 8, set_has_ten);
    assert_int_equal(lstm_params_size(f.params), 18);
    fail_each(&f, add_tensor, 2, set_has_eighteen);
    assert_int_equal(make_embedding(&f), LSTM_OK);
    fail_each(&f, add_embedding, 1, NULL);
    assert_int_equal(lstm_params_size(f.params), 20);
    destroy_fixture(&f);
    lstm_embedding_destroy(&f.new_embedding);
    lstm_layer_destroy(&f.new_layer);
}

static lstm_status layer_forward(fixture *f)
{
    return lstm_layer_forward(f->layer, NULL, f->x, NULL, NULL, NULL, f->out, NULL,
                              NULL);
}

static lstm_status layer_backward(fixture *f)
{
    return lstm_layer_backward(f->layer, NULL, f->out, NULL, NULL, NULL, NULL, NULL);
}

static lstm_status linear_forward(fixture *f)
{
    return lstm_linear_forward(f->linear, f->rows, f->logits);
}

static lstm_status embedding_forward(fixture *f)
{
    static const int64_t indices[ROWS] = {1, 0, 1};
    return lstm_embedding_forward(f->new_embedding, indices, f->rows);
}

static lstm_status loss_forward(fixture *f)
{
    static const int64_t targets[ROWS] = {1, 0, 1};
    float value;
    return lstm_cross_entropy_forward(f->loss, f->logits, targets, &value);
}

static void outputs_are_untouched(fixture *f)
{
    assert_true(lstm_tensor_data(f->out)[0] == 7);
    assert_true(lstm_tensor_data(f->logits)[0] == 7);
    assert_true(lstm_tensor_data(f->rows)[0] == 7);
}

static void forward_and_backward_write_nothing_without_memory(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(lstm_tensor_fill(f.out, 7), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(f.logits, 7), LSTM_OK);
    assert_int_equal(lstm_tensor_fill(f.rows, 7), LSTM_OK);
    fail_each(&f, layer_forward, 1, outputs_are_untouched);
    assert_int_equal(lstm_tensor_fill(f.out, 7), LSTM_OK);
    fail_each(&f, layer_backward, 0, outputs_are_untouched);
    fail_each(&f, linear_forward, 1, outputs_are_untouched);
    assert_int_equal(lstm_tensor_fill(f.logits, 7), LSTM_OK);
    assert_int_equal(make_embedding(&f), LSTM_OK);
    fail_each(&f, embedding_forward, 1, outputs_are_untouched);
    lstm_embedding_destroy(&f.new_embedding);
    fail_each(&f, loss_forward, 2, NULL);
    destroy_fixture(&f);
}

static lstm_status train(fixture *f)
{
    static lstm_status (*const calls[])(fixture *) = {layer_forward, layer_backward,
                                                      linear_forward, loss_forward};
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < sizeof(calls) / sizeof(calls[0]); i++)
        status = calls[i](f);
    if (!status)
        status = lstm_cross_entropy_backward(f->loss, NULL, f->logits);
    if (!status)
        status = lstm_linear_backward(f->linear, f->logits, f->rows);
    if (!status)
        status = lstm_params_clip_norm(f->params, 1, NULL);
    if (!status)
        status = lstm_adam_step(f->adam);
    return status ? status : lstm_params_zero_grad(f->params);
}

static void the_second_step_of_a_shape_allocates_nothing(void **state)
{
    (void)state;
    fixture f = create_fixture();
    assert_int_equal(train(&f), LSTM_OK);
    test_memory_limit(&memory, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(train(&f), LSTM_OK);
    test_memory_unlimit();
    destroy_fixture(&f);
}

static lstm_status save(fixture *f)
{
    return lstm_params_save(f->params, test_path("model"), NULL);
}

static void old_file_stays(fixture *f)
{
    (void)f;
    char text[8] = {0};
    FILE *file = fopen(test_path("model"), "rb");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof(text), file), 3);
    fclose(file);
    assert_string_equal(text, "old");
    assert_int_equal(test_count_files(test_folder), 1);
}

static void values_are_sevens(fixture *f)
{
    for (size_t i = 0; i < lstm_params_size(f->params); i++)
        assert_true(lstm_tensor_data(lstm_params_value(f->params, i))[0] == 7);
}

static lstm_status save_checkpoint(fixture *f)
{
    static const char *const pairs[] = {"lstm.", "model.rnn.", "key", "value"};
    lstm_file_options options = {.rename = pairs,
                                 .rename_count = 1,
                                 .metadata = pairs + 2,
                                 .metadata_count = 1,
                                 .adam = f->adam,
                                 .rng = f->rng};
    return lstm_params_save(f->params, test_path("model"), &options);
}

static lstm_status load_checkpoint(fixture *f)
{
    static const char *const pairs[] = {"lstm.", "model.rnn."};
    lstm_file_options options = {
        .rename = pairs, .rename_count = 1, .adam = f->adam, .rng = f->rng};
    return lstm_params_load(f->params, test_path("model"), &options);
}

static lstm_status load_layer(fixture *f)
{
    f->new_layer = (void *)(uintptr_t)64;
    return lstm_layer_load(&f->new_layer, test_path("model"), "model.rnn", f->rng);
}

static lstm_status load_linear(fixture *f)
{
    f->new_linear = (void *)(uintptr_t)64;
    return lstm_linear_load(&f->new_linear, test_path("model"), "fc");
}

static void checkpoints_fail_cleanly(void **state)
{
    (void)state;
    fixture f = create_fixture();
    test_write_file("model", "old", 3);
    /* Numbers with many digits: an allocation can fail in the middle of one. */
    assert_int_equal(lstm_adam_set_lr(f.adam, 0.01 / 3), LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(f.adam, 1, 0.1 / 3, 0.1), LSTM_OK);
    fail_each(&f, save_checkpoint, 40, old_file_stays);
    for (size_t i = 0; i < lstm_params_size(f.params); i++)
        assert_int_equal(lstm_tensor_fill(lstm_params_value(f.params, i), 7), LSTM_OK);
    uint64_t steps = lstm_adam_steps(f.adam);
    fail_each(&f, load_checkpoint, 15, values_are_sevens);
    assert_int_equal(lstm_adam_steps(f.adam), steps);
    fail_each(&f, load_layer, 15, no_layer);
    lstm_layer_destroy(&f.new_layer);
    fail_each(&f, load_linear, 10, no_linear);
    lstm_linear_destroy(&f.new_linear);
    destroy_fixture(&f);
}

static void saving_and_loading_fail_cleanly(void **state)
{
    (void)state;
    fixture f = create_fixture();
    test_write_file("model", "old", 3);
    fail_each(&f, save, 15, old_file_stays);
    for (size_t i = 0; i < lstm_params_size(f.params); i++)
        assert_int_equal(lstm_tensor_fill(lstm_params_value(f.params, i), 7), LSTM_OK);
    fail_each(&f, load, 10, values_are_sevens);
    assert_true(lstm_tensor_data(lstm_params_value(f.params, 0))[0] != 7);
    destroy_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(creating_tensors_and_views_fails_cleanly),
        TEST(creating_objects_fails_cleanly),
        TEST(adding_to_a_set_fails_cleanly),
        TEST(forward_and_backward_write_nothing_without_memory),
        TEST(the_second_step_of_a_shape_allocates_nothing),
        TEST(saving_and_loading_fail_cleanly),
        TEST(checkpoints_fail_cleanly),
    };
    return cmocka_run_group_tests(tests, test_folder_create, test_folder_remove);
}
