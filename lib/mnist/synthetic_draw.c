/*
 * Draws one synthetic digit.
 *
 * The skeleton is interpolated between two shapes of a family, and its knots are moved
 * at random. A curve through the knots is bent by a smooth random field, stretched,
 * slanted and rotated, scaled into MNIST's box of 20 by 20 pixels, painted with a pen
 * of random width, and centred by mass.
 *
 * The result is the same on every machine: the code uses integers, and of doubles only
 * +, -, *, / and sqrt, which IEEE 754 rounds exactly. The build forbids contraction.
 */
#include <math.h>
#include <string.h>

#include "lib/mnist/fit.h"
#include "lib/mnist/synthetic.h"
#include "lib/mnist/synthetic_shapes.h"

enum {
    BOX = MNIST_FIT_BOX,
    /* Line segments of the curve between two knots. */
    SEGMENTS = 6,
    MAX_VERTICES = SYNTHETIC_MAX_POINTS * SEGMENTS,
    /* Coefficients of the bending field per coordinate. */
    FIELD_TERMS = 7
};

/* Parameters of the variation between writers, pens and scans. All are standard
 * deviations except the means, minima and maxima. Lengths are in units of half the
 * height of a digit, except those of the pen, which are in pixels. */
static const double blend_excess = 0.25;
static const double knot_jitter = 0.12;
static const double end_jitter = 0.1;
static const double end_stretch = 0.2;
static const double tangent_jitter = 0.07;
static const double quadratic_bend = 0.11;
static const double cubic_bend = 0.07;
static const double mean_slant = 0.12;
static const double slant_spread = 0.24;
static const double rotation_spread = 0.08;
static const double aspect_spread = 0.18;
static const double mean_radius = 1.32;
static const double radius_spread = 0.33;
static const double radius_wave = 0.10;
static const double min_softness = 0.9;
static const double max_softness = 1.7;
static const double max_roughness = 0.5;

typedef struct vector {
    double x, y;
} vector;

/* What the pen does at a point of the skeleton. */
typedef enum move { CURVE, CORNER, PEN } move;

typedef struct knot {
    vector at;
    enum move move;
} knot;

/* The curve as a polygon, with the radius of the pen at each vertex. */
typedef struct vertex {
    vector at;
    double radius;
    bool starts;
} vertex;

typedef struct path {
    size_t count;
    vertex vertices[MAX_VERTICES];
} path;

uint64_t mnist_random_next(mnist_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double uniform(mnist_random *random, double low, double high)
{
    double unit = (double)(mnist_random_next(random) >> 11) * 0x1p-53;
    return low + unit * (high - low);
}

/* Approximates a standard normal variable, at most 3.5 in magnitude, by the sum of four
 * uniform variables of 16 bits. Their sum has the variance 4 / 12. */
static double normal(mnist_random *random)
{
    static const double root_of_three = 1.7320508075688772;
    uint64_t word = mnist_random_next(random);
    int64_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += (int64_t)(word >> (16 * i) & 0xffff);
    return ((double)sum * 0x1p-16 - 2 + 2 * 0x1p-16) * root_of_three;
}

static vector plus(vector a, double scale, vector b)
{
    return (vector){a.x + scale * b.x, a.y + scale * b.y};
}

static double length_of(vector a)
{
    return sqrt(a.x * a.x + a.y * a.y);
}

static vector unit_of(vector a)
{
    double length = length_of(a);
    return length > 0 ? (vector){a.x / length, a.y / length} : (vector){0, 0};
}

static const synthetic_family *choose_family(int digit, mnist_random *random)
{
    const synthetic_family *families = mnist_synthetic_families[digit];
    unsigned total = 0, count = 0;
    while (count < SYNTHETIC_MAX_FAMILIES && families[count].weight)
        total += families[count++].weight;
    unsigned ticket = (unsigned)(mnist_random_next(random) % total);
    while (ticket >= families->weight)
        ticket -= families++->weight;
    return families;
}

static double read_number(const char **text)
{
    int number = 0;
    while (**text >= '0' && **text <= '9')
        number = 10 * number + *(*text)++ - '0';
    return number;
}

/* Parses a shape, scaled so that y runs from -1 to 1; returns its number of points. */
static size_t read_shape(const char *text, knot *knots)
{
    size_t count = 0;
    while (*text && count < SYNTHETIC_MAX_POINTS) {
        knot *next = &knots[count++];
        next->move = *text == '/' ? PEN : *text == '^' ? CORNER : CURVE;
        text += next->move != CURVE;
        next->at.x = (read_number(&text) - 40) / 50;
        text++;
        next->at.y = (read_number(&text) - 50) / 50;
        text += *text == ' ';
    }
    return count;
}

/* Interpolates between two random shapes of a family; returns the number of knots. */
static size_t choose_knots(int digit, mnist_random *random, knot *knots)
{
    const synthetic_family *family = choose_family(digit, random);
    uint64_t word = mnist_random_next(random);
    /* The weight of the second shape changes along the path. */
    double first = uniform(random, -blend_excess, 1 + blend_excess);
    double last = uniform(random, -blend_excess, 1 + blend_excess);
    knot others[SYNTHETIC_MAX_POINTS];
    read_shape(family->shapes[(word >> 32) % family->count], others);
    size_t count = read_shape(family->shapes[(uint32_t)word % family->count], knots);
    for (size_t i = 0; i < count; i++) {
        double weight = first + (last - first) * (double)i / (double)count;
        knots[i].at = plus(knots[i].at, weight, plus(others[i].at, -1, knots[i].at));
    }
    return count;
}

static bool ends_at(const knot *knots, size_t count, size_t index)
{
    return index + 1 == count || knots[index + 1].move == PEN;
}

/* Moves each knot at random, correlated with its neighbours. */
static void jitter(knot *knots, size_t count, mnist_random *random)
{
    vector shift[SYNTHETIC_MAX_POINTS + 2];
    for (size_t i = 0; i < count + 2; i++)
        shift[i] = (vector){normal(random), normal(random)};
    for (size_t i = 0; i < count; i++) {
        bool end = knots[i].move == PEN || ends_at(knots, count, i);
        double spread = end ? end_jitter : knot_jitter;
        /* The sum has the variance 1 + 4 + 1, and 0.408 is 1 / sqrt(6). */
        vector sum = plus(plus(shift[i], 2, shift[i + 1]), 1, shift[i + 2]);
        knots[i].at = plus(knots[i].at, spread * 0.408, sum);
    }
}

/* Lengthens or shortens strokes at their ends. */
static void stretch_ends(knot *knots, size_t count, mnist_random *random)
{
    for (size_t i = 0; i < count; i++) {
        bool first = knots[i].move == PEN, last = ends_at(knots, count, i);
        if (first == last)
            continue;
        vector inner = knots[first ? i + 1 : i - 1].at;
        vector outward = plus(knots[i].at, -1, inner);
        knots[i].at = plus(knots[i].at, end_stretch * normal(random), outward);
    }
}

/*
 * Computes the tangents of the curve before and after each knot. On a smooth curve,
 * both are the mean of the two adjacent chords, with more weight on the shorter one, as
 * for a circle through the three points. At a corner, each follows its own chord up to
 * a random amount.
 */
static void direct(const knot *knots, size_t count, mnist_random *random,
                   vector *before, vector *after)
{
    for (size_t i = 0; i < count; i++) {
        bool first = knots[i].move == PEN, last = ends_at(knots, count, i);
        vector in = first ? (vector){0, 0} : plus(knots[i].at, -1, knots[i - 1].at);
        vector out = last ? (vector){0, 0} : plus(knots[i + 1].at, -1, knots[i].at);
        double in_length = length_of(in), out_length = length_of(out);
        vector mean = {unit_of(in).x * out_length + unit_of(out).x * in_length,
                       unit_of(in).y * out_length + unit_of(out).y * in_length};
        mean = unit_of(mean);
        mean.x += tangent_jitter * normal(random);
        mean.y += tangent_jitter * normal(random);
        double sharp = knots[i].move == CORNER ? uniform(random, 0.3, 1) : 0;
        if (first || last)
            sharp = 1;
        before[i] = plus(plus(mean, -sharp, mean), sharp, unit_of(in));
        after[i] = plus(plus(mean, -sharp, mean), sharp, unit_of(out));
    }
}

/* Cubic Hermite curve from a to b with the derivatives da and db at its ends. */
static vector hermite(vector a, vector da, vector b, vector db, double t)
{
    double s = 1 - t;
    double ha = s * s * (1 + 2 * t), hb = t * t * (1 + 2 * s);
    double hda = s * s * t, hdb = -t * t * s;
    return (vector){ha * a.x + hb * b.x + hda * da.x + hdb * db.x,
                    ha * a.y + hb * b.y + hda * da.y + hdb * db.y};
}

static void add_vertex(path *line, vector at, bool starts)
{
    line->vertices[line->count++] = (vertex){.at = at, .starts = starts};
}

/* Draws the curve through the knots. */
static void draw_curve(const knot *knots, size_t count, mnist_random *random,
                       path *line)
{
    vector before[SYNTHETIC_MAX_POINTS], after[SYNTHETIC_MAX_POINTS];
    direct(knots, count, random, before, after);
    line->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (knots[i].move == PEN) {
            add_vertex(line, knots[i].at, true);
            continue;
        }
        vector a = knots[i - 1].at, b = knots[i].at;
        double length = length_of(plus(b, -1, a));
        /* The direction at an end of a stroke is free, so the curve ends naturally. */
        vector da = after[i - 1], db = before[i];
        if (knots[i - 1].move == PEN)
            da = plus(plus(da, 0.5, da), -0.5, db);
        if (ends_at(knots, count, i))
            db = plus(plus(db, 0.5, db), -0.5, da);
        da = (vector){da.x * length, da.y * length};
        db = (vector){db.x * length, db.y * length};
        for (int k = 1; k <= SEGMENTS; k++)
            add_vertex(line, hermite(a, da, b, db, (double)k / SEGMENTS), false);
    }
}

/* Products of Legendre polynomials of x and y, of total degree 2 and 3. */
static void field_terms(vector at, double *terms)
{
    double x = at.x, y = at.y;
    double x2 = 1.5 * x * x - 0.5, y2 = 1.5 * y * y - 0.5;
    terms[0] = x2;
    terms[1] = x * y;
    terms[2] = y2;
    terms[3] = 2.5 * x * x * x - 1.5 * x;
    terms[4] = x2 * y;
    terms[5] = x * y2;
    terms[6] = 2.5 * y * y * y - 1.5 * y;
}

/* Bends the curve by a random smooth field. */
static void bend(path *line, mnist_random *random)
{
    double field[2][FIELD_TERMS];
    for (int axis = 0; axis < 2; axis++)
        for (int term = 0; term < FIELD_TERMS; term++)
            field[axis][term] =
                (term < 3 ? quadratic_bend : cubic_bend) * normal(random);
    for (size_t i = 0; i < line->count; i++) {
        vector *at = &line->vertices[i].at;
        double terms[FIELD_TERMS];
        field_terms(*at, terms);
        for (int term = 0; term < FIELD_TERMS; term++) {
            at->x += field[0][term] * terms[term];
            at->y += field[1][term] * terms[term];
        }
    }
}

/* Stretches, slants and rotates the curve. */
static void transform(path *line, mnist_random *random)
{
    double stretch = 1 + aspect_spread * normal(random);
    double slant = mean_slant + slant_spread * normal(random);
    /* Cosine and sine of 2 atan(half). */
    double half = rotation_spread / 2 * normal(random), norm = 1 + half * half;
    double cosine = (1 - half * half) / norm, sine = 2 * half / norm;
    for (size_t i = 0; i < line->count; i++) {
        vector *at = &line->vertices[i].at;
        double x = at->x * stretch - at->y * slant, y = at->y;
        *at = (vector){cosine * x - sine * y, sine * x + cosine * y};
    }
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Sets the radius of the pen at each vertex, in pixels; returns the largest. */
static double choose_radii(path *line, mnist_random *random)
{
    double radius = mean_radius * (1 + radius_spread * normal(random));
    double along = radius_wave * normal(random), down = radius_wave * normal(random);
    double largest = 0;
    radius = larger(radius, 0.55);
    for (size_t i = 0; i < line->count; i++) {
        double position = 2 * (double)i / (double)line->count - 1;
        double factor = 1 + along * position + down * line->vertices[i].at.y;
        double here = radius * larger(factor, 0.6);
        line->vertices[i].radius = here;
        largest = larger(here, largest);
    }
    return largest;
}

/* Scales the curve, pen width included, to fit into the box, and centres it. */
static void fit(path *line, double radius)
{
    vector low = line->vertices[0].at, high = low;
    for (size_t i = 1; i < line->count; i++) {
        vector at = line->vertices[i].at;
        low.x = smaller(at.x, low.x);
        low.y = smaller(at.y, low.y);
        high.x = larger(at.x, high.x);
        high.y = larger(at.y, high.y);
    }
    double width = high.x - low.x, height = high.y - low.y;
    double scale = (BOX - 2 * radius) / larger(width, height);
    for (size_t i = 0; i < line->count; i++) {
        vector *at = &line->vertices[i].at;
        at->x = (at->x - (low.x + high.x) / 2) * scale + BOX / 2.0;
        at->y = (at->y - (low.y + high.y) / 2) * scale + BOX / 2.0;
    }
}

/* Index of the pixel at a coordinate, clamped to 0 to BOX. */
static int pixel(double value)
{
    return value <= 0 ? 0 : value >= BOX ? BOX : (int)value;
}

/* Updates the depth inside the stroke of each pixel near the segment from a to b. */
static void draw_segment(const vertex *a, const vertex *b, double softness,
                         double *depth)
{
    vector along = plus(b->at, -1, a->at);
    double square = along.x * along.x + along.y * along.y;
    double reach = larger(a->radius, b->radius) + softness;
    int left = pixel(smaller(a->at.x, b->at.x) - reach);
    int right = pixel(larger(a->at.x, b->at.x) + reach + 1);
    int top = pixel(smaller(a->at.y, b->at.y) - reach);
    int bottom = pixel(larger(a->at.y, b->at.y) + reach + 1);
    for (int row = top; row < bottom; row++)
        for (int col = left; col < right; col++) {
            vector from = {col + 0.5 - a->at.x, row + 0.5 - a->at.y};
            double t = square > 0 ? (from.x * along.x + from.y * along.y) / square : 0;
            t = smaller(larger(t, 0), 1);
            double radius = a->radius + t * (b->radius - a->radius);
            double inside = radius - length_of(plus(from, -t, along));
            depth[row * BOX + col] = larger(depth[row * BOX + col], inside);
        }
}

/* Noise of paper and scanner at an edge, from -1 to 1. */
static double noise(mnist_random *random)
{
    return uniform(random, -1, 1);
}

/* Paints the curve: full ink inside, with a soft edge of softness pixels. */
static void paint(const path *line, mnist_random *random, uint8_t *pixels)
{
    double depth[BOX * BOX];
    double rough = uniform(random, 0, max_roughness);
    double softness = uniform(random, min_softness, max_softness);
    for (size_t i = 0; i < BOX * BOX; i++)
        depth[i] = -softness;
    for (size_t i = 1; i < line->count; i++)
        if (!line->vertices[i].starts)
            draw_segment(&line->vertices[i - 1], &line->vertices[i], softness, depth);
    for (size_t i = 0; i < BOX * BOX; i++) {
        double ink = (depth[i] + rough * noise(random)) / softness + 0.5;
        ink = smaller(larger(ink, 0), 1);
        pixels[i] = (uint8_t)(ink * 255 + 0.5);
    }
}

void mnist_synthetic_draw(uint8_t *out, int digit, uint64_t seed)
{
    mnist_random random = {seed};
    knot knots[SYNTHETIC_MAX_POINTS];
    path line;
    uint8_t pixels[BOX * BOX];
    size_t count = choose_knots(digit, &random, knots);
    jitter(knots, count, &random);
    stretch_ends(knots, count, &random);
    draw_curve(knots, count, &random, &line);
    bend(&line, &random);
    transform(&line, &random);
    fit(&line, choose_radii(&line, &random));
    paint(&line, &random, pixels);
    mnist_image_centre(pixels, BOX, BOX, out);
}
