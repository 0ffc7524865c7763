/*
 * Drawings of digits, and sketches of strokes, dots and lines, on paper of all kinds
 * have the same bits everywhere, because all of the arithmetic is with integers. A
 * change of them is on purpose: --print writes a new tests/golden/pictures.h.
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
static uint64_t hash_of(const page *p, mnist_paper last)
{
    uint64_t hash = HASH_START;
    for (mnist_paper paper = MNIST_PAPER_AUTO; paper <= last; paper++) {
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

/* Sketches: small pages of simple figures, which meet the limits of the rules more
 * often than digits do. */

static void dot(page *p, size_t row, size_t col, size_t width, uint8_t ink)
{
    for (size_t r = row; r < row + width && r < p->rows; r++)
        for (size_t c = col; c < col + width && c < p->cols; c++)
            p->pixels[r * p->cols + c] = ink;
}

/* A straight stroke from one corner of a box to the other. */
static void stroke(page *p, mnist_box box, bool falling, size_t width, uint8_t ink)
{
    size_t steps = box.rows + box.cols;
    for (size_t i = 0; i <= steps; i++) {
        size_t along = falling ? i : steps - i;
        dot(p, box.top + i * box.rows / steps, box.left + along * box.cols / steps,
            width, ink);
    }
}

/* The outline of a box without the sides that are not in the set. */
static void outline(page *p, mnist_box box, size_t sides, size_t width, uint8_t ink)
{
    const mnist_box lines[] = {
        {box.top, box.left, 1, box.cols},
        {box.top + box.rows, box.left, 1, box.cols},
        {box.top, box.left, box.rows, 1},
        {box.top, box.left + box.cols, box.rows, 1},
        {box.top + box.rows / 2, box.left, 1, box.cols},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (sides >> i & 1)
            stroke(p, lines[i], true, width, ink);
}

static void figure(page *p, uint64_t *seed, mnist_box box, size_t width, uint8_t ink)
{
    size_t kind = draw_size(seed, 0, 7), sides = draw_size(seed, 1, 31);
    if (kind == 0)
        dot(p, box.top, box.left, 2 * width, ink);
    else if (kind == 1)
        stroke(p, (mnist_box){box.top + box.rows / 2, box.left, 1, box.cols}, true,
               width, ink);
    else if (kind == 2)
        stroke(p, (mnist_box){box.top, box.left, box.rows, 1}, true, width, ink);
    else if (kind == 3)
        stroke(p, box, false, width, ink);
    else if (kind == 4)
        outline(p, box, 15, width, ink);
    else
        outline(p, box, sides, width, ink);
}

/* Lines of the paper: rulings, squares, a margin, a frame, a line that is not level. */
static void rule(page *p, uint64_t *seed, uint8_t ink)
{
    size_t kind = draw_size(seed, 0, 9), apart = draw_size(seed, 5, 30);
    size_t width = draw_size(seed, 1, 2), tilt = draw_size(seed, 0, 6);
    for (size_t row = apart / 2; kind <= 1 && row < p->rows; row += apart)
        stroke(p, (mnist_box){row, 0, 1, p->cols}, true, width, ink);
    for (size_t col = apart / 2; kind == 1 && col < p->cols; col += apart)
        stroke(p, (mnist_box){0, col, p->rows, 1}, true, width, ink);
    if (kind == 2)
        stroke(p, (mnist_box){0, apart, p->rows, 1}, true, width, ink);
    if (kind == 3)
        outline(p,
                (mnist_box){tilt, tilt, p->rows - 2 * tilt - 2, p->cols - 2 * tilt - 2},
                15, width, ink);
    if (kind == 4)
        stroke(p, (mnist_box){p->rows - 8, 0, tilt, p->cols}, tilt % 2, width, ink);
}

static void sketch(page *p, size_t number)
{
    uint64_t seed = number + 1000000;
    size_t count = draw_size(&seed, 1, 5), tall = draw_size(&seed, 8, 30);
    size_t width = draw_size(&seed, 1, 1 + tall / 6);
    bool row = draw_size(&seed, 0, 3) > 0;
    p->rows = tall + draw_size(&seed, 4, 40);
    p->cols = count * tall + draw_size(&seed, 4, 40);
    size_t paper = draw_size(&seed, 150, 255), ink = draw_size(&seed, 0, 120);
    memset(p->pixels, (int)paper, p->rows * p->cols);
    rule(p, &seed, (uint8_t)draw_size(&seed, ink, paper));
    for (size_t i = 0; i < count; i++) {
        size_t rows =
            row ? draw_size(&seed, tall * 2 / 3, tall) : draw_size(&seed, 1, tall);
        size_t cols = draw_size(&seed, 1, tall * 2 / 3);
        size_t low = draw_size(&seed, 0, p->rows - rows - 1);
        size_t left = draw_size(&seed, 0, p->cols - cols - 1);
        size_t jitter = draw_size(&seed, 0, tall / 3);
        mnist_box box = {low, left, rows, cols};
        if (row)
            box = (mnist_box){(p->rows - rows) / 2, i * tall + jitter, rows, cols};
        figure(p, &seed, box, width, (uint8_t)ink);
    }
    size_t slope = draw_size(&seed, 0, 200), noise = draw_size(&seed, 0, 60);
    shade(p, &seed, slope > 100 ? slope - 100 : 0, noise > 40 ? noise - 40 : 0);
}

/* One hash of many sketches. */
static uint64_t hash_of_sketches(size_t group)
{
    static page p;
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < SKETCHES; i++) {
        sketch(&p, group * SKETCHES + i);
        uint64_t one = hash_of(&p, MNIST_PAPER_AUTO);
        hash = hash_bytes(hash, &one, sizeof(one));
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
    return hash_of(&p, MNIST_PAPER_LIGHT);
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

static void sketches_have_the_same_bits_everywhere(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < GROUPS; i++)
        if (hash_of_sketches(i) != sketches[i]) {
            print_message("# a sketch from %zu on has other bits\n", i * SKETCHES);
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static void print_hashes(size_t count, uint64_t (*hash)(size_t))
{
    for (size_t i = 0; i < count; i++)
        printf("%sUINT64_C(0x%016" PRIx64 "),%s", i % 2 ? " " : "    ", hash(i),
               i % 2 ? "\n" : "");
    printf("};\n\n");
}

static int print(void)
{
    printf("/* Made by test-unit-image_bits --print. */\n"
           "#ifndef TESTS_GOLDEN_PICTURES_H\n#define TESTS_GOLDEN_PICTURES_H\n\n"
           "#include <stdint.h>\n\n"
           "enum { PICTURES = %d, GROUPS = %d, SKETCHES = %d };\n\n"
           "/* Hashes of the digits in each picture of test_image_bits.c. */\n"
           "static const uint64_t pictures[] = {\n",
           PICTURES, GROUPS, SKETCHES);
    print_hashes(PICTURES, hash_of_number);
    printf("/* Hashes of groups of sketches. */\n"
           "static const uint64_t sketches[] = {\n");
    print_hashes(GROUPS, hash_of_sketches);
    printf("#endif\n");
    return 0;
}

int main(int count, char **words)
{
    const struct CMUnitTest tests[] = {
        TEST(pictures_have_the_same_bits_everywhere),
        TEST(sketches_have_the_same_bits_everywhere),
    };
    if (count > 1 && strcmp(words[1], "--print") == 0)
        return print();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
