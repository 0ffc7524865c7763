/* libmnist. */
#include "tests/faults/calls.h"
#include "tests/support/idx.h"

#define MUST(call) assert_int_equal(call, 0)

/* Writes a data set to the folder "data": images with gzip, labels without. */
static void write_data(world *w)
{
    static const char *const images = "data/t10k-images-idx3-ubyte.gz";
    static const char *const labels = "data/t10k-labels-idx1-ubyte";
    (void)w;
    if (access(test_path(images), F_OK) == 0)
        return;
    test_make_folder("data");
    test_bytes plain = test_idx(3, (uint32_t[]){5, SIDE, SIDE}, 5 * SIDE * SIDE, 256);
    gzFile file = gzopen(test_path(images), "wb");
    assert_int_equal(gzwrite(file, plain.data, (unsigned)plain.size), plain.size);
    MUST(gzclose(file));
    test_bytes_free(&plain);
    plain = test_idx(1, (uint32_t[]){5}, 5, 10);
    test_write_file(labels, plain.data, plain.size);
    test_bytes_free(&plain);
}

static int call_mnist_dataset_open(world *w)
{
    const mnist_source source = {.directory = test_path("data"), .offline = true};
    return (int)mnist_dataset_open(&w->new_digits, &source, MNIST_TEST);
}

STATUS(mnist_dataset_read,
       mnist_dataset_read(&w->new_digits, test_path("data/t10k-images-idx3-ubyte.gz"),
                          test_path("data/t10k-labels-idx1-ubyte"), 10))
STATUS(mnist_dataset_read_limited,
       mnist_dataset_read_limited(&w->new_digits,
                                  test_path("data/t10k-images-idx3-ubyte.gz"),
                                  test_path("data/t10k-labels-idx1-ubyte"), 10,
                                  UINT64_MAX))
VALUE(mnist_version, strlen(mnist_version()))
VALUE(mnist_status_name, strlen(mnist_status_name(MNIST_IO_ERROR)))
VALUE(mnist_last_error, mnist_last_error() != NULL)
STATUS(mnist_dataset_synthetic, mnist_dataset_synthetic(&w->new_digits, 3, 9))
STATUS(mnist_dataset_narrow, mnist_dataset_narrow(&w->new_digits, w->digits, 1, 3))
VOID(mnist_dataset_destroy, mnist_dataset_destroy(&w->new_digits))
VALUE(mnist_dataset_count, mnist_dataset_count(w->digits))
VALUE(mnist_dataset_rows, mnist_dataset_rows(w->digits))
VALUE(mnist_dataset_cols, mnist_dataset_cols(w->digits))
VALUE(mnist_dataset_classes, mnist_dataset_classes(w->digits))
VALUE(mnist_dataset_image, mnist_dataset_image(w->digits, 2)[300])
VALUE(mnist_dataset_label, mnist_dataset_label(w->digits, 2))
VALUE(mnist_dataset_origin, strlen(mnist_dataset_origin(w->digits)))
VALUE(mnist_dataset_is_synthetic, mnist_dataset_is_synthetic(w->digits))
STATUS(mnist_image_fit, mnist_image_fit(mnist_dataset_image(w->digits, 3), SIDE, SIDE,
                                        NULL, (uint8_t *)w->values))
STATUS(mnist_image_fit_digits,
       mnist_image_fit_digits(mnist_dataset_image(w->digits, 3), SIDE, SIDE, NULL, 1,
                              (uint8_t *)w->values, NULL, &(size_t){0}))
VALUE(mnist_dataset_paper, mnist_dataset_paper(w->digits))
STATUS(mnist_loader_create,
       mnist_loader_create(&w->new_loader, w->digits,
                           &(mnist_loader_config){
                               .batch_size = ROWS, .shuffle = true, .elastic = 1}))
VOID(mnist_loader_destroy, mnist_loader_destroy(&w->new_loader))
VALUE(mnist_loader_batches, mnist_loader_batches(w->loader))
STATUS(mnist_loader_start, mnist_loader_start(w->loader, 11))
VALUE(mnist_loader_next, mnist_loader_next(w->loader, w->values, w->numbers + 8))
VALUE(mnist_loader_position, mnist_loader_position(w->loader))
VALUE(mnist_loader_order, mnist_loader_order(w->loader)[1])
STATUS(mnist_loader_restore,
       mnist_loader_restore(w->loader, mnist_loader_order(w->loader), 2))

static void have_digits(world *w)
{
    MUST(call_mnist_dataset_synthetic(w));
}

static void have_loader(world *w)
{
    MUST(call_mnist_loader_create(w));
}

const world_call world_mnist_calls[] = {
    CALL(mnist_version),
    CALL(mnist_status_name),
    CALL(mnist_last_error),
    {"mnist_dataset_open", call_mnist_dataset_open, write_data,
     offsetof(world, new_digits)},
    {"mnist_dataset_read", call_mnist_dataset_read, write_data,
     offsetof(world, new_digits)},
    {"mnist_dataset_read_limited", call_mnist_dataset_read_limited, write_data,
     offsetof(world, new_digits)},
    NEW(mnist_dataset_synthetic, new_digits),
    NEW(mnist_dataset_narrow, new_digits),
    AFTER(mnist_dataset_destroy, have_digits),
    CALL(mnist_dataset_count),
    CALL(mnist_dataset_rows),
    CALL(mnist_dataset_cols),
    CALL(mnist_dataset_classes),
    CALL(mnist_dataset_image),
    CALL(mnist_dataset_label),
    CALL(mnist_dataset_origin),
    CALL(mnist_dataset_is_synthetic),
    CALL(mnist_image_fit),
    CALL(mnist_image_fit_digits),
    CALL(mnist_dataset_paper),
    NEW(mnist_loader_create, new_loader),
    AFTER(mnist_loader_destroy, have_loader),
    CALL(mnist_loader_batches),
    CALL(mnist_loader_start),
    CALL(mnist_loader_next),
    CALL(mnist_loader_position),
    CALL(mnist_loader_order),
    CALL(mnist_loader_restore),
};
const size_t world_mnist_count =
    sizeof(world_mnist_calls) / sizeof(world_mnist_calls[0]);
