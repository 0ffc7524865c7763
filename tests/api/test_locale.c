/* Numbers in files and messages have a decimal point in every locale, even if printf()
 * of the program writes a comma. */
#include <locale.h>
#include <sys/wait.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

#include "tests/support/folder.h"

enum { ROOM = 1 << 16 };

/* Switches to a locale with a decimal comma: one of the system, or one that localedef
 * makes in the test's folder. */
static bool use_comma(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8",
                                        "de_DE"};
    char command[2 * TEST_PATH_SIZE + 64];
    for (size_t i = 0; i < 4; i++)
        if (setlocale(LC_ALL, names[i]) && *localeconv()->decimal_point == ',')
            return true;
    snprintf(command, sizeof(command),
             "localedef -i de_DE -f UTF-8 '%s/de_DE.UTF-8' >'%s/log' 2>&1", test_folder,
             test_folder);
    if (system(command) != 0 || setenv("LOCPATH", test_folder, 1))
        return false;
    return setlocale(LC_ALL, names[0]) && *localeconv()->decimal_point == ',';
}

/* A network whose options and rates are not integers. */
typedef struct network {
    lstm_rng *rng;
    lstm_layer *layer;
    lstm_params *params;
    lstm_adam *adam;
} network;

static network create_network(double scale)
{
    network n;
    const lstm_layer_config config = {
        .inputs = 2, .hidden = 3, .layers = 2, .dropout = 0.1 / 3};
    assert_int_equal(lstm_rng_create(&n.rng, 1), LSTM_OK);
    assert_int_equal(lstm_layer_create(&n.layer, &config, n.rng), LSTM_OK);
    assert_int_equal(lstm_params_create(&n.params), LSTM_OK);
    assert_int_equal(lstm_params_add_layer(n.params, "lstm", n.layer), LSTM_OK);
    assert_int_equal(
        lstm_adam_create(&n.adam, n.params, &(lstm_adam_config){.lr = 0.025 * scale}),
        LSTM_OK);
    assert_int_equal(lstm_adam_set_parameter(n.adam, 1, 1.5 * scale, 1e-7 / 3 * scale),
                     LSTM_OK);
    return n;
}

static void destroy_network(network *n)
{
    lstm_adam_destroy(&n->adam);
    lstm_params_destroy(&n->params);
    lstm_layer_destroy(&n->layer);
    lstm_rng_destroy(&n->rng);
}

static size_t save(network *n, void *bytes)
{
    const lstm_file_options options = {.adam = n->adam, .rng = n->rng};
    assert_int_equal(lstm_params_save(n->params, test_path("model"), &options),
                     LSTM_OK);
    return test_read_file("model", bytes, ROOM);
}

static void check_messages_of_mnist(void)
{
    const mnist_loader_config config = {.batch_size = 1, .std = -0.5f};
    mnist_dataset *dataset;
    mnist_loader *loader;
    assert_int_equal(mnist_dataset_synthetic(&dataset, 1, 1), MNIST_OK);
    assert_int_equal(mnist_loader_create(&loader, dataset, &config),
                     MNIST_INVALID_ARGUMENT);
    assert_contains(mnist_last_error(), "std is -0.5");
    mnist_dataset_destroy(&dataset);
}

static void files_and_messages_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    static char point[ROOM], comma[ROOM];
    char text[16];
    network n = create_network(1), other = create_network(0.5);
    const lstm_file_options options = {.adam = other.adam, .rng = other.rng};
    lstm_layer *layer;
    size_t size = save(&n, point);
    assert_true(use_comma());
    snprintf(text, sizeof(text), "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    assert_int_equal(save(&n, comma), size);
    assert_memory_equal(comma, point, size);
    assert_int_equal(lstm_params_load(other.params, test_path("model"), &options),
                     LSTM_OK);
    assert_true(lstm_adam_lr(other.adam) == 0.025);
    assert_int_equal(save(&other, comma), size);
    assert_memory_equal(comma, point, size);
    assert_int_equal(lstm_layer_load(&layer, test_path("model"), NULL, n.rng), LSTM_OK);
    assert_true(lstm_layer_get_config(layer)->dropout == 0.1 / 3);
    lstm_layer_destroy(&layer);
    assert_int_equal(lstm_adam_set_lr(n.adam, -0.5), LSTM_INVALID_ARGUMENT);
    assert_contains(lstm_last_error(), "lr is -0.5");
    check_messages_of_mnist();
    /* The locale of the program is unchanged. */
    snprintf(text, sizeof(text), "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    destroy_network(&n);
    destroy_network(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_and_messages_do_not_depend_on_the_locale),
    };
    test_folder_create(NULL);
    bool comma = use_comma();
    setlocale(LC_ALL, "C");
    if (!comma) {
        test_folder_remove(NULL);
        test_skip_all("no locale with a decimal comma, and localedef made none");
    }
    return cmocka_run_group_tests(tests, NULL, test_folder_remove);
}
