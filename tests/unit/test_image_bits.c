/*
 * Drawings of digits on paper of all kinds have the same bits everywhere, because all
 * of the arithmetic is with integers. A change of them is on purpose: --print writes a
 * new tests/golden/pictures.h.
 */
#include <inttypes.h>

#include <mnist/mnist.h>

#include "tests/golden/pictures.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, DIGITS = 40, MOST = 3, ROOM = 800 };

/* A picture under construction. */
typedef struct page {
    size_t rows, cols;
    uint8_t pixels[ROOM * ROOM];
} page;

/* Puts a digit, enlarged by scale / 4, on the page: the darker, the more ink it has. */
static void put(page *p, const uint8_t *digit, size_t top, size_t left, size_t scale,
                int ink)
{
    for (size_t row = 0; row < SIDE * scale / 4 && top + row < p->rows; row++)
        for (size_t col = 0; col < SIDE * scale / 4 && left + col < p->cols; col++) {
            uint8_t *pixel = &p->pixels[(top + row) * p->cols + left + col];
            int amount = digit[row * 4 / scale * SIDE + col * 4 / scale];
            *pixel = (uint8_t)(*pixel + (ink - *pixel) * amount / 255);
        }
}

/* Darkens the page towards one side, and adds noise. */
static void shade(page *p, uint64_t *seed, size_t slope, size_t noise)
{
    for (size_t row = 0; row < p->rows; row++)
        for (size_t col = 0; col < p->cols; col++) {
            uint8_t *pixel = &p->pixels[row * p->cols + col];
            size_t dark = slope * (row + 2 * col) / (p->rows + 2 * p->cols);
            size_t grain = noise ? draw_size(seed, 0, noise) : 0;
            size_t lost = dark + grain;
            *pixel = (uint8_t)(*pixel > lost ? *pixel - lost : 0);
        }
}

/* A frame, a ruled line or a speck. */
static void clutter(page *p, uint64_t *seed, size_t kind, uint8_t ink)
{
    size_t line = draw_size(seed, 0, p->rows - 1);
    for (size_t col = 0; kind == 1 && col < p->cols; col++)
        p->pixels[line * p->cols + col] = ink;
    for (size_t col = 0; kind == 2 && col < p->cols; col++)
        p->pixels[col] = p->pixels[(p->rows - 1) * p->cols + col] = ink;
    for (size_t row = 0; kind == 2 && row < p->rows; row++)
        p->pixels[row * p->cols] = p->pixels[row * p->cols + p->cols - 1] = ink;
    if (kind == 3)
        p->pixels[draw_size(seed, 0, p->rows * p->cols - 1)] = ink;
}

static void draw(page *p, const mnist_dataset *digits, size_t number)
{
    uint64_t seed = number;
    size_t scale = draw_size(&seed, 2, 14), count = draw_size(&seed, 0, MOST);
    size_t side = SIDE * scale / 4;
    bool dark = draw_size(&seed, 0, 4) == 0;
    size_t paper = dark ? draw_size(&seed, 0, 60) : draw_size(&seed, 140, 255);
    size_t ink = dark ? draw_size(&seed, 140, 255) : draw_size(&seed, 0, 100);
    /* The library makes large pictures smaller. */
    size_t margin = number % 10 ? 60 : 500;
    p->rows = side + draw_size(&seed, 0, margin);
    p->cols = side * (count > 1 ? 2 : 1) + draw_size(&seed, 0, margin);
    memset(p->pixels, (int)paper, p->rows * p->cols);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *digit =
            mnist_dataset_image(digits, draw_size(&seed, 0, DIGITS - 1));
        size_t top = draw_size(&seed, 0, p->rows - side);
        size_t left = draw_size(&seed, 0, p->cols - side);
        put(p, digit, top, left, scale, (int)ink);
    }
    clutter(p, &seed, draw_size(&seed, 0, 5), (uint8_t)ink);
    /* One after the other: compilers call the functions of arguments in any order. */
    size_t shaded = draw_size(&seed, 0, 1), slope = draw_size(&seed, 0, 100);
    size_t grainy = draw_size(&seed, 0, 1), noise = draw_size(&seed, 0, 24);
    shade(p, &seed, shaded * slope, grainy * noise);
}

static uint64_t hash_number(uint64_t hash, size_t number)
{
    uint32_t value = (uint32_t)number;
    return hash_bytes(hash, &value, sizeof(value));
}

/* One hash of what the library makes of a picture, as one digit and as several. */
static uint64_t hash_of(const page *p)
{
    uint64_t hash = HASH_START;
    for (mnist_paper paper = MNIST_PAPER_AUTO; paper <= MNIST_PAPER_LIGHT; paper++) {
        const mnist_fit_config config = {.paper = paper};
        uint8_t out[MOST * PIXELS] = {0};
        mnist_box boxes[MOST] = {{0}};
        size_t count = 0;
        hash = hash_number(hash,
                           mnist_image_fit(p->pixels, p->rows, p->cols, &config, out));
        hash = hash_bytes(hash, out, PIXELS);
        memset(out, 0, sizeof(out));
        hash = hash_number(hash,
                           mnist_image_fit_digits(p->pixels, p->rows, p->cols, &config,
                                                  MOST, out, boxes, &count));
        hash = hash_number(hash, count);
        hash = hash_bytes(hash, out, sizeof(out));
        for (size_t i = 0; i < MOST; i++) {
            hash = hash_number(hash_number(hash, boxes[i].top), boxes[i].left);
            hash = hash_number(hash_number(hash, boxes[i].rows), boxes[i].cols);
        }
    }
    return hash;
}

static uint64_t hash_of_number(size_t number)
{
    static page p;
    mnist_dataset *digits;
    assert_int_equal(mnist_dataset_synthetic(&digits, DIGITS, 1), MNIST_OK);
    draw(&p, digits, number);
    mnist_dataset_destroy(&digits);
    return hash_of(&p);
}

static void pictures_have_the_same_bits_everywhere(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < PICTURES; i++)
        if (hash_of_number(i) != pictures[i]) {
            print_message("# picture %zu has other bits\n", i);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static int print(void)
{
    printf("/* Made by test-unit-image_bits --print. */\n"
           "#ifndef TESTS_GOLDEN_PICTURES_H\n#define TESTS_GOLDEN_PICTURES_H\n\n"
           "#include <stdint.h>\n\nenum { PICTURES = %d };\n\n"
           "/* Hashes of the digits in each picture of test_image_bits.c. */\n"
           "static const uint64_t pictures[] = {\n",
           PICTURES);
    for (size_t i = 0; i < PICTURES; i++)
        printf("%sUINT64_C(0x%016" PRIx64 "),%s", i % 2 ? " " : "    ",
               hash_of_number(i), i % 2 ? "\n" : "");
    printf("};\n\n#endif\n");
    return 0;
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        TEST(pictures_have_the_same_bits_everywhere),
    };
    if (count > 1 && strcmp(words[1], "--print") == 0)
        return print();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
