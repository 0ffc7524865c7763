/*
 * Options of later versions: a call rejects a value in the reserved tail of a struct of
 * options before it reads the other fields.
 */
#include "tests/support/test.h"

#include <lstm/lstm.h>
#include <mnist/mnist.h>

enum { TAIL = 8 };

/* Each of these functions writes 7 to one value of the tail, and makes the call. */
typedef int call(size_t index);

static int create_layer(size_t index)
{
    lstm_layer_config config = {.inputs = 3, .hidden = 4};
    config.reserved[index] = 7;
    lstm_layer *layer = (lstm_layer *)&config;
    lstm_status status = lstm_layer_create(&layer, &config, NULL);
    assert_null(layer);
    return status;
}

static int create_linear(size_t index)
{
    lstm_linear_config config = {.inputs = 0};
    config.reserved[index] = 7;
    lstm_linear *linear = (lstm_linear *)&config;
    lstm_status status = lstm_linear_create(&linear, &config, NULL);
    assert_null(linear);
    return status;
}

static int create_embedding(size_t index)
{
    lstm_embedding_config config = {.count = 0};
    config.reserved[index] = 7;
    lstm_embedding *embedding = (lstm_embedding *)&config;
    lstm_status status = lstm_embedding_create(&embedding, &config, NULL);
    assert_null(embedding);
    return status;
}

static int create_adam(size_t index)
{
    lstm_adam_config config = {.lr = -1};
    config.reserved[index] = 7;
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    lstm_adam *adam = (lstm_adam *)&config;
    lstm_status status = lstm_adam_create(&adam, params, &config);
    assert_null(adam);
    lstm_params_destroy(&params);
    return status;
}

static int create_loss(size_t index)
{
    lstm_cross_entropy_config config = {.label_smoothing = -1};
    config.reserved[index] = 7;
    lstm_cross_entropy *loss = (lstm_cross_entropy *)&config;
    lstm_status status = lstm_cross_entropy_create(&loss, &config);
    assert_null(loss);
    return status;
}

static int compute_element_loss(size_t index)
{
    lstm_loss_options options = {.classes = 1};
    options.reserved[index] = 7;
    lstm_tensor *x;
    float value = 5;
    assert_int_equal(lstm_tensor_create(&x, 1, (size_t[]){1}), LSTM_OK);
    lstm_status status = lstm_mse_forward(x, x, &options, &value);
    assert_true(value == 5);
    lstm_tensor_destroy(&x);
    return status;
}

static int compute_rate(size_t index)
{
    lstm_schedule schedule = {.lr = -1};
    schedule.reserved[index] = 7;
    double lr = 5;
    lstm_status status = lstm_schedule_lr(&schedule, 0, &lr);
    assert_true(lr == 5);
    return status;
}

static int update_plateau(size_t index)
{
    lstm_plateau plateau = {.lr = -1};
    plateau.reserved[index] = 7;
    lstm_status status = lstm_plateau_update(&plateau, 1);
    assert_false(plateau.started);
    return status;
}

static int save(size_t index)
{
    lstm_file_options options = {.rename_count = 1};
    options.reserved[index] = 7;
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    lstm_status status = lstm_params_save(params, "/no/such/folder/file", &options);
    lstm_params_destroy(&params);
    return status;
}

static int load(size_t index)
{
    lstm_file_options options = {.rename_count = 1};
    options.reserved[index] = 7;
    lstm_params *params;
    assert_int_equal(lstm_params_create(&params), LSTM_OK);
    lstm_status status = lstm_params_load(params, "/no/such/folder/file", &options);
    lstm_params_destroy(&params);
    return status;
}

static int open_dataset(size_t index)
{
    mnist_source source = {.directory = "/no/such/folder", .name = "unknown"};
    source.reserved[index] = 7;
    mnist_dataset *dataset = (mnist_dataset *)&source;
    mnist_status status = mnist_dataset_open(&dataset, &source, MNIST_TEST);
    assert_null(dataset);
    return status;
}

static int create_loader(size_t index)
{
    mnist_loader_config config = {.batch_size = 0};
    config.reserved[index] = 7;
    mnist_dataset *dataset;
    assert_int_equal(mnist_dataset_synthetic(&dataset, 1, 1), MNIST_OK);
    mnist_loader *loader = (mnist_loader *)&config;
    mnist_status status = mnist_loader_create(&loader, dataset, &config);
    assert_null(loader);
    mnist_dataset_destroy(&dataset);
    return status;
}

static void assert_refused(call *make, size_t tail, const char *object, int expected,
                           const char *(*last_error)(void))
{
    for (size_t i = 0; i < tail; i++) {
        char message[64];
        snprintf(message, sizeof(message), "%s: reserved[%zu] is 7, expected 0", object,
                 i);
        assert_int_equal(make(i), expected);
        assert_contains(last_error(), message);
    }
}

static void liblstm_refuses_options_it_does_not_know(void **state)
{
    (void)state;
    const struct {
        call *make;
        const char *object;
    } calls[] = {
        {create_layer, "layer"},
        {create_linear, "linear"},
        {create_embedding, "embedding"},
        {create_adam, "adam"}, //
        {create_loss, "cross_entropy"},
        {compute_element_loss, "mse"},
        {compute_rate, "schedule"},
        {update_plateau, "plateau"},
        {save, "params"},
        {load, "params"},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        assert_refused(calls[i].make, TAIL, calls[i].object, LSTM_UNSUPPORTED,
                       lstm_last_error);
}

static void libmnist_refuses_options_it_does_not_know(void **state)
{
    (void)state;
    /* One of them is the limit. */
    assert_refused(open_dataset, TAIL - 1, "dataset", MNIST_UNSUPPORTED,
                   mnist_last_error);
    assert_refused(create_loader, TAIL, "loader", MNIST_UNSUPPORTED, mnist_last_error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(liblstm_refuses_options_it_does_not_know),
        TEST(libmnist_refuses_options_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
