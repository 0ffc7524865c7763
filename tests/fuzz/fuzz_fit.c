/*
 * The way of small pictures to MNIST's form. mnist_image_fit() and
 * mnist_image_fit_digits() agree, except that the first also accepts pictures that have
 * this form already.
 *
 * Input: paper, rows - 1, columns - 1, capacity, the grey of paper, then pixels, of
 * which missing ones are paper.
 */
#include <mnist/mnist.h>

#include "tests/fuzz/fuzz.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, MOST = 64, DIGITS = 4, UNUSED = 0x5a };

typedef struct drawing {
    uint8_t pixels[MOST * MOST];
    size_t rows, cols, capacity;
    mnist_fit_config config;
} drawing;

/* The digits of a picture. */
typedef struct result {
    uint8_t image[PIXELS], images[(DIGITS + 1) * PIXELS];
    mnist_box boxes[DIGITS];
    size_t count;
} result;

static void read_drawing(drawing *d, fuzz_input input)
{
    d->config.paper = (mnist_paper)(fuzz_byte(&input) % 3);
    d->rows = fuzz_byte(&input) % MOST + 1;
    d->cols = fuzz_byte(&input) % MOST + 1;
    d->capacity = fuzz_byte(&input) % (DIGITS + 1);
    unsigned paper = fuzz_byte(&input);
    for (size_t i = 0; i < d->rows * d->cols; i++)
        d->pixels[i] = (uint8_t)(i < input.size ? input.data[i] : paper);
}

static bool is_all(const uint8_t *image, size_t size, uint8_t value)
{
    return image[0] == value && memcmp(image, image + 1, size - 1) == 0;
}

/* Checks what mnist_image_fit_digits() has written. */
static void check_digits(const drawing *d, const result *r)
{
    size_t written = r->count < d->capacity ? r->count : d->capacity;
    for (size_t i = 0; i < written; i++) {
        const mnist_box *box = &r->boxes[i];
        FUZZ_CHECK(box->rows >= 1 && box->top + box->rows <= d->rows);
        FUZZ_CHECK(box->cols >= 1 && box->left + box->cols <= d->cols);
        FUZZ_CHECK(!is_all(r->images + i * PIXELS, PIXELS, 0));
    }
    FUZZ_CHECK(is_all(r->images + written * PIXELS,
                      sizeof(r->images) - written * PIXELS, UNUSED));
}

static void compare(const drawing *d, const result *r, mnist_status one,
                    mnist_status all)
{
    mnist_status expected = all ? all : r->count > 1 ? MNIST_SEVERAL_DIGITS : MNIST_OK;
    bool may_have_form = d->rows == SIDE && d->cols == SIDE;
    /* All digits are refused if something may hide one more. */
    bool may_hide = all == MNIST_BLANK && d->capacity > 1;
    FUZZ_CHECK(one == expected || may_hide || (may_have_form && one == MNIST_OK));
    if (one == MNIST_OK)
        FUZZ_CHECK(!is_all(r->image, PIXELS, 0));
    if (one == MNIST_OK && !all && d->capacity > 0 && !may_have_form)
        FUZZ_CHECK(memcmp(r->image, r->images, PIXELS) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static drawing d;
    static result r;
    read_drawing(&d, (fuzz_input){data, size});
    memset(&r, UNUSED, sizeof(r));
    mnist_status all = mnist_image_fit_digits(d.pixels, d.rows, d.cols, &d.config,
                                              d.capacity, r.images, r.boxes, &r.count);
    FUZZ_CHECK(all == MNIST_OK || all == MNIST_BLANK);
    if (all)
        fuzz_check_message(mnist_last_error());
    else
        check_digits(&d, &r);
    mnist_status one = mnist_image_fit(d.pixels, d.rows, d.cols, &d.config, r.image);
    if (one)
        fuzz_check_message(mnist_last_error());
    compare(&d, &r, one, all);
    return 0;
}
