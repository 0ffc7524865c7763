/*
 * The steps from a picture to its ink, and from ink to the form of MNIST, have the same
 * bits everywhere, because all of their arithmetic is with integers. A change of a
 * hash is on purpose: the message has the new one.
 */
#include "lib/mnist/background.h"
#include "lib/mnist/fit.h"
#include "lib/mnist/ink.h"
#include "lib/mnist/paper.h"
#include "lib/mnist/stroke.h"
#include "tests/support/steps.h"

/* Adds some greys between two others to a histogram. */
static void draw_greys(uint64_t *seed, size_t *histogram, size_t low, size_t high)
{
    size_t spikes = draw_size(seed, 1, 5), most = one_in(seed, 4) ? 4000 : 9;
    for (size_t i = 0; i < spikes; i++)
        histogram[draw_size(seed, low, high)] += draw_size(seed, 0, most);
}

/* Three greys of a histogram of 1,000 pixels, cut near the shares that count. */
static void draw_shares(uint64_t *seed, size_t *histogram, size_t low, size_t high)
{
    static const size_t shares[] = {3, 160, 200, 250, 333, 500, 667, 750, 800, 997};
    size_t first = shares[draw_size(seed, 0, 9)] + draw_size(seed, 0, 2) - 1;
    size_t last = shares[draw_size(seed, 0, 9)] + draw_size(seed, 0, 2) - 1;
    size_t middle = draw_size(seed, low, high);
    if (last < first)
        last = first;
    histogram[low] += first;
    histogram[middle] += last - first;
    histogram[high] += 1000 - last;
}

static uint64_t papers(uint64_t hash, uint64_t *seed)
{
    mnist_greys greys = {0};
    size_t low = draw_size(seed, 0, 250), high = draw_size(seed, low, 255);
    if (!one_in(seed, 3) && low + 40 < high)
        high = low + 40;
    if (one_in(seed, 3))
        draw_shares(seed, greys.all, low, high);
    else
        draw_greys(seed, greys.all, low, high);
    if (one_in(seed, 3))
        draw_shares(seed, greys.border, low, high);
    else if (!one_in(seed, 4))
        draw_greys(seed, greys.border, low, high);
    size_t part = draw_size(seed, 0, 1000);
    hash = hash_number(hash, mnist_greys_quantile(greys.all, part));
    hash = hash_number(hash, mnist_greys_paper(&greys));
    hash = hash_number(hash, mnist_greys_have_an_even_border(&greys));
    return hash_number(hash, mnist_greys_are_uneven(&greys));
}

/* Fills a plane with a few greys. */
static void grain(mnist_plane *p, uint64_t *seed)
{
    size_t least = draw_size(seed, 0, 255), most = draw_size(seed, least, 255);
    for (size_t i = 0; i < p->rows * p->cols; i++)
        p->pixels[i] = (uint8_t)draw_size(seed, least, most);
}

static uint64_t histograms(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_plane(seed, 1, 5, 5, 0);
    grain(&p, seed);
    const mnist_greys greys = mnist_greys_of(p.pixels, p.rows, p.cols);
    mnist_plane_destroy(&p);
    for (size_t i = 0; i < MNIST_GREYS; i++)
        if (greys.border[i] || greys.all[i])
            hash = hash_number(hash, i + 256 * greys.border[i] + 65536 * greys.all[i]);
    return hash;
}

static uint64_t sizes(uint64_t hash, uint64_t *seed)
{
    static const size_t longest[] = {1, 5, 27, 53, 79, 158, 478, 959, 1438};
    size_t longer = longest[draw_size(seed, 0, 8)] + draw_size(seed, 0, 4);
    bool upright = one_in(seed, 2), keep = one_in(seed, 2);
    mnist_plane to = {0}, p = draw_plane(seed, 1, upright ? 1 : 4, upright ? 4 : 1, 0);
    mnist_plane_destroy(&p);
    assert_int_equal(
        mnist_plane_create(&p, upright ? longer : p.rows, upright ? p.cols : longer),
        MNIST_OK);
    grain(&p, seed);
    mnist_paper paper = one_in(seed, 2) ? MNIST_PAPER_LIGHT : MNIST_PAPER_DARK;
    assert_int_equal(mnist_plane_resize(p.pixels, p.rows, p.cols, paper, keep, &to),
                     MNIST_OK);
    hash = hash_plane(hash, &to);
    mnist_plane_destroy(&to);
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t means(uint64_t hash, uint64_t *seed)
{
    uint8_t scratch[36];
    mnist_plane p = draw_plane(seed, 1, 6, 6, 0);
    grain(&p, seed);
    mnist_plane_smooth(&p, scratch);
    hash = hash_plane(hash, &p);
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t backgrounds(uint64_t hash, uint64_t *seed)
{
    size_t most = one_in(seed, 8) ? 80 : 20;
    mnist_plane p = draw_plane(seed, 1, most, most, 0);
    mnist_plane found = {p.rows, p.cols, NULL};
    assert_int_equal(mnist_plane_create(&found, p.rows, p.cols), MNIST_OK);
    grain(&p, seed);
    if (one_in(seed, 2))
        draw_fill(&p, seed, p.rows, p.cols, 200);
    assert_int_equal(mnist_background_find(&p, one_in(seed, 2), found.pixels),
                     MNIST_OK);
    hash = hash_plane(hash, &found);
    mnist_plane_destroy(&found);
    mnist_plane_destroy(&p);
    return hash;
}

/* Paper on which the light falls to one side and strokes of all contrasts are. */
static void draw_strokes(mnist_plane *p, uint64_t *seed)
{
    size_t light = draw_size(seed, 20, 255), falls = 0, noise = 0;
    if (one_in(seed, 2))
        falls = draw_size(seed, 0, light);
    if (one_in(seed, 2))
        noise = draw_size(seed, 1, one_in(seed, 2) ? 4 : 20);
    size_t strokes = draw_size(seed, 0, 5);
    size_t ink = draw_size(seed, 0, one_in(seed, 3) ? 255 : 30);
    for (size_t i = 0; i < strokes; i++) {
        size_t darker = one_in(seed, 3) ? draw_size(seed, 0, 255) : ink;
        uint8_t value = (uint8_t)(255 - darker);
        if (one_in(seed, 6))
            plane_fill(p, 0, 0, draw_size(seed, 1, p->rows), 5, value);
        else
            draw_fill(p, seed, p->rows, 9, value);
    }
    for (size_t i = 0; i < p->rows * p->cols; i++) {
        size_t here = light - falls * (i % p->cols) / p->cols;
        size_t seen = p->pixels[i] * here / 255;
        size_t lost = noise ? draw_size(seed, 0, noise) : 0;
        p->pixels[i] = (uint8_t)(seen > lost ? seen - lost : 0);
    }
}

/* A low picture, of a size that is kept or, in 1 of 12 cases, not. */
static mnist_plane draw_picture(uint64_t *seed)
{
    mnist_plane p;
    size_t rows = draw_size(seed, 1, 9), cols = draw_size(seed, 160, 200);
    if (one_in(seed, 12))
        cols = draw_size(seed, 20, 159);
    else if (one_in(seed, 12))
        cols = draw_size(seed, 200, 1000);
    assert_int_equal(mnist_plane_create(&p, rows, cols), MNIST_OK);
    memset(p.pixels, 255, rows * cols);
    /* A dot is less than the share of the picture that tells the ink. */
    if (one_in(seed, 12))
        draw_fill(&p, seed, 2, 2, (uint8_t)draw_size(seed, 0, 2));
    else
        draw_strokes(&p, seed);
    return p;
}

static uint64_t inks(uint64_t hash, uint64_t *seed)
{
    mnist_plane p = draw_picture(seed), ink;
    bool shaded = false;
    mnist_paper paper = one_in(seed, 4) ? MNIST_PAPER_DARK : MNIST_PAPER_LIGHT;
    hash = hash_number(hash,
                       mnist_find_ink(p.pixels, p.rows, p.cols, paper, &ink, &shaded));
    hash = hash_number(hash_plane(hash, &ink), shaded);
    mnist_plane_destroy(&ink);
    mnist_plane_destroy(&p);
    return hash;
}

/* Strokes of one digit, or of two beside each other. */
static uint64_t widths(uint64_t hash, uint64_t *seed)
{
    enum { SIDE = 40 };
    static uint32_t owners[SIDE * SIDE];
    mnist_plane p = draw_plane(seed, 4, SIDE, SIDE, 0), drawing;
    mnist_group boxes[2];
    size_t tall = p.rows, half = p.cols / 2, thickness = 0;
    boxes[0] = (mnist_group){.bottom = tall, .right = half};
    boxes[1] = (mnist_group){.top = draw_size(seed, 0, tall - 2),
                             .left = half,
                             .bottom = tall,
                             .right = p.cols};
    mnist_groups groups = {boxes, draw_size(seed, 1, 2), owners, false};
    for (size_t i = draw_size(seed, 1, 4); i > 0; i--)
        draw_fill(&p, seed, tall, 5, MNIST_INK);
    for (size_t i = 0; i < p.rows * p.cols; i++)
        owners[i] = p.pixels[i] ? 1 + (i % p.cols >= half) : 0;
    assert_int_equal(mnist_stroke_thickness(&p, &groups, &thickness), MNIST_OK);
    hash = hash_number(hash, thickness);
    for (size_t i = 0; i < groups.count; i++) {
        assert_int_equal(mnist_stroke_draw(&p, &groups, i, &drawing), MNIST_OK);
        hash = hash_plane(hash, &drawing);
        mnist_plane_destroy(&drawing);
    }
    mnist_plane_destroy(&p);
    return hash;
}

static uint64_t scales(uint64_t hash, uint64_t *seed)
{
    uint8_t out[MNIST_FIT_SIDE * MNIST_FIT_SIDE];
    mnist_plane p = draw_plane(seed, 1, 50, 50, 0);
    size_t count = draw_size(seed, 0, 12), most = one_in(seed, 2) ? 255 : 3;
    for (size_t i = 0; i < count; i++) {
        uint8_t value = (uint8_t)draw_size(seed, 0, most);
        draw_fill(&p, seed, 9, 9, value);
    }
    hash = hash_number(hash, mnist_image_scale(p.pixels, p.rows, p.cols, out));
    hash = hash_bytes(hash, out, sizeof(out));
    mnist_plane_destroy(&p);
    return hash;
}

static void each_step_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    static const step steps[] = {
        {"papers", papers, 80000, UINT64_C(0x6f29d1daa54e9fdd)},
        {"histograms", histograms, 1000, UINT64_C(0x29febbd098c5b78d)},
        {"sizes", sizes, 600, UINT64_C(0xb040115db8162626)},
        {"means", means, 1000, UINT64_C(0x6d23feccdf8a8ad3)},
        {"backgrounds", backgrounds, 2000, UINT64_C(0x60bf7e31139cee56)},
        {"inks", inks, 3000, UINT64_C(0xad77064a211fd535)},
        {"widths", widths, 3000, UINT64_C(0xd26f791b54af5e6c)},
        {"scales", scales, 3000, UINT64_C(0x6fd2e796f7a9878a)},
    };
    step_assert_all(steps, sizeof(steps) / sizeof(steps[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_step_has_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
