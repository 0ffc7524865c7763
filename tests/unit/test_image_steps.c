/*
 * Small pictures, read as one digit and as several, have the same bits everywhere. A
 * change of a hash is on purpose: the message has the new one.
 */
#include <mnist/mnist.h>

#include "lib/mnist/ink.h"
#include "tests/support/steps.h"

/* What the library makes of a picture, as one digit and as several. */
static uint64_t hash_reading(uint64_t hash, const mnist_plane *p, uint64_t *seed)
{
    enum { MOST = 3, PIXELS = 28 * 28 };
    uint8_t out[MOST * PIXELS] = {0};
    mnist_box found[MOST] = {{0}};
    size_t count = 0, capacity = draw_size(seed, 0, MOST);
    mnist_fit_config config = {.paper = (mnist_paper)draw_size(seed, 0, 2)};
    if (one_in(seed, 2))
        config.paper = MNIST_PAPER_AUTO;
    mnist_status status = mnist_image_fit(p->pixels, p->rows, p->cols, &config, out);
    hash = hash_bytes(hash_number(hash, status), out, PIXELS);
    status = mnist_image_fit_digits(p->pixels, p->rows, p->cols, &config, capacity, out,
                                    one_in(seed, 4) ? NULL : found, &count);
    hash = hash_bytes(hash_number(hash_number(hash, status), count), out, sizeof(out));
    for (size_t i = 0; i < MOST; i++) {
        hash = hash_number(hash_number(hash, found[i].top), found[i].left);
        hash = hash_number(hash_number(hash, found[i].rows), found[i].cols);
    }
    return hash;
}

/* Turns a picture into ink on paper of one grey, or of two. */
static void draw_paper(mnist_plane *p, uint64_t *seed)
{
    size_t paper = draw_size(seed, 0, 255), ink = draw_size(seed, 0, 255);
    size_t other = one_in(seed, 3) ? draw_size(seed, 0, 255) : paper;
    size_t edge = draw_size(seed, 0, p->cols);
    bool faint = one_in(seed, 2);
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        size_t here = i % p->cols < edge ? paper : other;
        size_t drawn = faint ? here / 3 : ink;
        p->pixels[i] = (uint8_t)(p->pixels[i] ? drawn : here);
    }
}

/* Low pictures, which keep their size. */
static uint64_t readings(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 7, 24, 24, 0);
    size_t rows = p.rows, cols = draw_size(seed, one_in(seed, 4) ? 80 : 160, 180);
    mnist_plane_destroy(&p);
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    for (size_t i = draw_size(seed, 0, 5); i > 0; i--)
        draw_fill(&p, seed, rows, 4, MNIST_INK);
    for (size_t i = draw_size(seed, 0, 2); i > 0; i--)
        draw_fill(&p, seed, 3, one_in(seed, 2) ? 12 : cols, MNIST_INK);
    draw_paper(&p, seed);
    hash = hash_reading(hash, &p, seed);
    mnist_plane_destroy(&p);
    return hash;
}

/* Wide pictures, which become smaller, with strokes near the border; all is in their
 * boxes. */
static uint64_t places(uint64_t hash, uint64_t *seed)
{
    enum { MOST = 3 };
    static uint8_t out[MOST * 28 * 28];
    mnist_box found[MOST] = {{0}};
    mnist_plane p = draw_plane(seed, 20, 40, 40, 0);
    size_t rows = p.rows, cols = draw_size(seed, 481, 497), count = 0;
    if (one_in(seed, 3))
        cols = draw_size(seed, 700, 1450);
    mnist_plane_destroy(&p);
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    memset(p.pixels, 255, rows * cols);
    for (size_t i = draw_size(seed, 1, 3); i > 0; i--) {
        size_t left =
            one_in(seed, 2) ? draw_size(seed, 1, 9) : cols - draw_size(seed, 3, 14);
        size_t top = draw_size(seed, 1, 4), high = draw_size(seed, 5, rows - 5);
        plane_fill(&p, top, left, high, draw_size(seed, 2, one_in(seed, 2) ? 12 : 4),
                   0);
    }
    mnist_status status =
        mnist_image_fit_digits(p.pixels, rows, cols, NULL, MOST, out, found, &count);
    hash = hash_number(hash_number(hash, status), count);
    for (size_t i = 0; i < MOST; i++) {
        hash = hash_number(hash_number(hash, found[i].top), found[i].left);
        hash = hash_number(hash_number(hash, found[i].rows), found[i].cols);
    }
    mnist_plane_destroy(&p);
    return hash;
}

/* A part of a picture in light, the other in a shadow: what is darker is compared with
 * what is lighter. */
static uint64_t sides(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 8, 16, 16, 0);
    size_t rows = p.rows, cols = draw_size(seed, 160, 180), count = 0;
    uint8_t out[28 * 28] = {0};
    mnist_plane_destroy(&p);
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    size_t light = draw_size(seed, 100, 255), dark = draw_size(seed, 0, 100);
    size_t edge = draw_size(seed, 20, cols - 20), slant = draw_size(seed, 0, 4);
    size_t soft = draw_size(seed, 1, one_in(seed, 2) ? 2 : 12);
    for (size_t i = 0; i < rows * cols; i++) {
        size_t at = i % cols + slant * (i / cols), over = at > edge ? at - edge : 0;
        over = over < soft ? over : soft;
        p.pixels[i] = (uint8_t)(light - (light - dark) * over / soft);
    }
    for (size_t i = draw_size(seed, 0, 3); i > 0; i--)
        draw_fill(&p, seed, rows, 5, (uint8_t)draw_size(seed, 0, 255));
    mnist_status status =
        mnist_image_fit_digits(p.pixels, rows, cols, NULL, 1, out, NULL, &count);
    hash = hash_number(hash_number(hash, status), count);
    hash = hash_bytes(hash, out, sizeof(out));
    mnist_plane_destroy(&p);
    return hash;
}

/* An upright stroke whose sides fade over some pixels. */
static void fade(mnist_plane *p, uint64_t *seed, size_t ink)
{
    size_t top = draw_size(seed, 1, 6), end = p->rows - draw_size(seed, 1, 6);
    size_t middle = draw_size(seed, 20, p->cols - 20), pen = draw_size(seed, 1, 3);
    size_t left = draw_size(seed, 1, 14), right = draw_size(seed, 1, 14);
    for (size_t row = top; row < end; row++)
        for (size_t col = middle - pen - left; col < middle + pen + right; col++) {
            uint8_t *at = &p->pixels[row * p->cols + col];
            size_t side = col < middle ? left : right;
            size_t from = col < middle ? middle - col : col - middle;
            size_t lack = from > pen ? from - pen : 0;
            *at = (uint8_t)((ink * (side - lack) + *at * lack) / side);
        }
}

/* Dark and light strokes on paper of a middle grey whose light rises: only their edges
 * tell the ink. */
static uint64_t edges(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 16, 26, 26, 0);
    size_t rows = p.rows, cols = 170, count = 0, low = draw_size(seed, 40, 70);
    size_t rises = draw_size(seed, 100, 180);
    mnist_box box = {0};
    static uint8_t out[28 * 28];
    mnist_plane_destroy(&p);
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    for (size_t i = 0; i < rows * cols; i++)
        p.pixels[i] = (uint8_t)(low + rises * (i % cols) / cols);
    fade(&p, seed, 0);
    fade(&p, seed, 255);
    mnist_status status =
        mnist_image_fit_digits(p.pixels, rows, cols, NULL, 1, out, &box, &count);
    hash = hash_number(hash_number(hash, status), count);
    hash = hash_number(hash_number(hash, box.left), box.cols);
    mnist_plane_destroy(&p);
    return hash;
}

/* Pictures of the size of MNIST, most of which have its form. */
static uint64_t forms(uint64_t hash, uint64_t *seed)
{
    enum { FORM = 28 };
    uint8_t pixels[FORM * FORM] = {0}, out[FORM * FORM] = {0};
    mnist_plane p = {FORM, FORM, pixels};
    size_t side = one_in(seed, 2) ? 20 : draw_size(seed, 19, 21);
    size_t top = draw_size(seed, 0, FORM - side), pen = draw_size(seed, 1, 3);
    size_t left = draw_size(seed, 0, FORM - side);
    bool turned = one_in(seed, 2), light = one_in(seed, 2);
    uint8_t ink = (uint8_t)(one_in(seed, 2) ? 255 : draw_size(seed, 220, 228));
    plane_fill(&p, top, left, turned ? side : pen, turned ? pen : side, ink);
    for (size_t i = draw_size(seed, 0, 4); i > 0; i--) {
        size_t down = draw_size(seed, 0, side - 4),
               right = draw_size(seed, 0, side - 4);
        size_t length = draw_size(seed, 1, side);
        plane_fill(&p, top + down, left + right, turned ? 4 : length,
                   turned ? length : 4, (uint8_t)draw_size(seed, 0, ink));
    }
    if (one_in(seed, 4)) {
        /* Two corners make the box, and are brighter. */
        top = one_in(seed, 2) ? 0 : 8;
        left = one_in(seed, 2) ? 0 : 8;
        uint8_t corner = ink;
        if (one_in(seed, 2))
            ink = 223;
        memset(pixels, 0, sizeof(pixels));
        plane_fill(&p, top + 1, left + 1, 18, 18, ink);
        plane_fill(&p, top + 3, left + 3, 14, 14, 0);
        plane_fill(&p, top, turned ? left : left + 19, 1, 1, corner);
        plane_fill(&p, top + 19, turned ? left + 19 : left, 1, 1, corner);
    }
    for (size_t i = 0; light && i < sizeof(pixels); i++)
        pixels[i] ^= 255;
    size_t rows = FORM - one_in(seed, 8), cols = FORM - one_in(seed, 8);
    mnist_status status = mnist_image_fit(pixels, rows, cols, NULL, out);
    return hash_bytes(hash_number(hash, status), out, sizeof(out));
}

static void each_reading_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    static const step steps[] = {
        {"readings", readings, 300, UINT64_C(0xb6987f9c739c4b14)},
        {"places", places, 200, UINT64_C(0x97c25053b34b62ef)},
        {"sides", sides, 800, UINT64_C(0x4a57ee0d4f45d1ea)},
        {"edges", edges, 1200, UINT64_C(0x3712dc043b0fae0b)},
        {"forms", forms, 100, UINT64_C(0x04254afd5dfe3d6d)},
    };
    step_assert_all(steps, sizeof(steps) / sizeof(steps[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_reading_has_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
