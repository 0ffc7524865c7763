#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/markup.h"
#include "examples/common/output.h"
#include "examples/forecast/chart.h"
#include "examples/forecast/replace.h"
#include "examples/forecast/ticks.h"

enum {
    WIDTH = 900,
    HEIGHT = 440,
    TOP = 58,
    RIGHT = 20,
    BOTTOM = 52,
    /** Of a character of a label, and between labels and what is beside them. */
    CHARACTER = 7,
    GAP = 8
};

/* What is drawn, and its place. */
typedef struct chart {
    FILE *file;
    const answer *a;
    /* The first value, the number of known ones from it on, and the times of future
     * ones. */
    size_t first, known;
    double left, x_low, x_high, y_low, y_high;
} chart;

/* Time and value of the i-th point; those after the known ones are forecasts. */
static double time_of(const chart *c, size_t i)
{
    const series *s = c->a->series;
    if (i < c->known)
        return s->times[c->first + i];
    return axis_after(&s->axis, s->last_row, i - c->known + 1);
}

static double margin_of(const chart *c, size_t i)
{
    return i < c->known ? 0 : c->a->margins[i - c->known];
}

static double value_of(const chart *c, size_t i)
{
    return c->a->series->values[c->first + i];
}

static double predicted_of(const chart *c, size_t i)
{
    return i < c->known ? c->a->predicted[c->first + i] : c->a->future[i - c->known];
}

/* The forecast begins at the last known value. */
static double forecast_of(const chart *c, size_t i)
{
    return i < c->known ? value_of(c, i) : predicted_of(c, i);
}

/* Halves avoid an overflow of differences. */
static double place(double value, double low, double high)
{
    return (value / 2 - low / 2) / (high / 2 - low / 2);
}

static double x_of(const chart *c, double time)
{
    return c->left + (WIDTH - RIGHT - c->left) * place(time, c->x_low, c->x_high);
}

static double y_of(const chart *c, double value)
{
    double share = place(value, c->y_low, c->y_high);
    /* Points far outside would be beyond the range of some programs. */
    share = fmax(-10, fmin(10, share));
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
}

/* The first point that has a prediction before it was known. */
static size_t first_predicted(const chart *c)
{
    return c->a->first_held_out > c->first ? c->a->first_held_out - c->first : 0;
}

static void extend(chart *c, double value)
{
    c->y_low = fmin(c->y_low, report_limit(value));
    c->y_high = fmax(c->y_high, report_limit(value));
}

/* Sets the ranges: all values, and the band as far as twice the range of the values. */
static void set_ranges(chart *c)
{
    size_t all = c->known + c->a->steps;
    c->y_low = DBL_MAX;
    c->y_high = -DBL_MAX;
    for (size_t i = 0; i < c->known; i++)
        extend(c, value_of(c, i));
    for (size_t i = first_predicted(c); i < all; i++)
        extend(c, predicted_of(c, i));
    double most = report_limit(2 * (c->y_high / 2 - c->y_low / 2));
    double low = c->y_low, high = c->y_high;
    for (size_t i = c->known; i < all; i++) {
        extend(c, fmax(predicted_of(c, i) - margin_of(c, i), low - most));
        extend(c, fmin(predicted_of(c, i) + margin_of(c, i), high + most));
    }
    double room = report_limit(0.1 * (c->y_high / 2 - c->y_low / 2));
    if (!(room > 0))
        room = fabs(c->y_high) > 0 ? fabs(c->y_high) / 10 : 1;
    c->y_low = report_limit(c->y_low - room);
    c->y_high = report_limit(c->y_high + room);
    c->x_low = time_of(c, 0);
    c->x_high = time_of(c, all - 1);
}

static void draw_text(const chart *c, double x, double y, const char *anchor,
                      const char *more, const char *text)
{
    fprintf(c->file, "<text x='%.1f' y='%.1f' text-anchor='%s'%s>", x, y, anchor, more);
    markup_text(c->file, text);
    fputs("</text>\n", c->file);
}

static void draw_line(const chart *c, double x1, double y1, double x2, double y2,
                      const char *style)
{
    fprintf(c->file, "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' %s/>\n", x1, y1, x2,
            y2, style);
}

static const char grid[] = "stroke='#ddd'", frame[] = "stroke='#444'";

/* Sets the left margin, which the longest label needs, and draws the vertical axis. */
static void draw_y_axis(chart *c)
{
    ticks t;
    size_t longest = 0;
    ticks_of_numbers(&t, c->y_low, c->y_high, 6);
    for (size_t i = 0; i < t.count; i++)
        longest = strlen(t.labels[i]) > longest ? strlen(t.labels[i]) : longest;
    c->left = (double)(CHARACTER * longest + 3 * GAP + 14);
    for (size_t i = 0; i < t.count; i++) {
        double y = y_of(c, t.at[i]);
        draw_line(c, c->left, y, WIDTH - RIGHT, y, grid);
        draw_text(c, c->left - GAP, y + 4, "end", "", t.labels[i]);
    }
    char turned[80];
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    snprintf(turned, sizeof(turned), " transform='rotate(-90 %.1f %.1f)'", 16.0,
             middle);
    draw_text(c, 16, middle, "middle", turned, c->a->series->name);
    draw_line(c, c->left, TOP, c->left, HEIGHT - BOTTOM, frame);
}

static void draw_x_axis(const chart *c)
{
    ticks t;
    double end = 0;
    ticks_of_axis(&t, &c->a->series->axis, c->x_low, c->x_high, 7);
    for (size_t i = 0; i < t.count; i++) {
        double x = x_of(c, t.at[i]);
        double half = (double)(CHARACTER * strlen(t.labels[i])) / 2;
        draw_line(c, x, TOP, x, HEIGHT - BOTTOM, grid);
        /* A label that does not fit beside the one before, or the picture, is left out.
         */
        if (x - half < end || x + half > WIDTH)
            continue;
        draw_text(c, x, HEIGHT - BOTTOM + 18, "middle", "", t.labels[i]);
        end = x + half + GAP;
    }
    draw_text(c, (c->left + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", "",
              c->a->series->axis.name);
    draw_line(c, c->left, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, frame);
}

static void draw_band(const chart *c)
{
    fputs(
        "<polygon id='band' fill='crimson' fill-opacity='0.18' clip-path='url(#plot)' "
        "points='",
        c->file);
    size_t all = c->known + c->a->steps;
    /* From the last known value on, above; then back, below. */
    fprintf(c->file, "%.1f,%.1f ", x_of(c, time_of(c, c->known - 1)),
            y_of(c, value_of(c, c->known - 1)));
    for (size_t i = c->known; i < all; i++)
        fprintf(c->file, "%.1f,%.1f ", x_of(c, time_of(c, i)),
                y_of(c, report_limit(predicted_of(c, i) + margin_of(c, i))));
    for (size_t i = all; i-- > c->known;)
        fprintf(c->file, "%.1f,%.1f ", x_of(c, time_of(c, i)),
                y_of(c, report_limit(predicted_of(c, i) - margin_of(c, i))));
    fputs("'/>\n", c->file);
}

static void draw_points(const chart *c, const char *id, const char *style, size_t from,
                        size_t to, double (*value)(const chart *, size_t))
{
    fprintf(c->file, "<polyline id='%s' fill='none' %s clip-path='url(#plot)' points='",
            id, style);
    for (size_t i = from; i < to; i++)
        fprintf(c->file, "%.1f,%.1f ", x_of(c, time_of(c, i)), y_of(c, value(c, i)));
    fputs("'/>\n", c->file);
}

static const char black[] = "stroke='#222' stroke-width='1.5'";
static const char blue[] = "stroke='steelblue' stroke-width='1.5'";
static const char red[] = "stroke='crimson' stroke-width='2'";
static const char dashed[] = "stroke='#888' stroke-dasharray='4 3'";

static void draw_legend(const chart *c)
{
    static const struct {
        const char *style, *text;
        double width;
    } rows[] = {{black, "values", 80},
                {blue, "predicted one step ahead, held out", 250},
                {red, "forecast", 90},
                {NULL, "95% band, from errors on held-out values", 0}};
    double x = c->left;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (rows[i].style)
            draw_line(c, x, 40, x + 22, 40, rows[i].style);
        else
            fprintf(c->file,
                    "<rect x='%.1f' y='34' width='22' height='12' fill='crimson' "
                    "fill-opacity='0.18'/>\n",
                    x);
        draw_text(c, x + 28, 44, "start", "", rows[i].text);
        x += rows[i].width;
    }
}

static void draw_all(chart *c)
{
    char title[120];
    fprintf(c->file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
            "viewBox='0 0 %d %d' font-family='sans-serif' font-size='12'>\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT);
    snprintf(title, sizeof(title), FORECAST_TITLE "%s", c->a->series->name);
    fputs("<title>", c->file);
    markup_text(c->file, title);
    fputs("</title>\n<rect width='100%' height='100%' fill='white'/>\n", c->file);
    draw_y_axis(c);
    draw_x_axis(c);
    fprintf(c->file,
            "<clipPath id='plot'><rect x='%.1f' y='%d' width='%.1f' height='%d'/>"
            "</clipPath>\n",
            c->left, TOP, WIDTH - RIGHT - c->left, HEIGHT - BOTTOM - TOP);
    draw_text(c, WIDTH / 2.0, 22, "middle", " font-size='15'", title);
    draw_legend(c);
    double begin = x_of(c, time_of(c, c->known - 1));
    draw_line(c, begin, TOP, begin, HEIGHT - BOTTOM, dashed);
    draw_band(c);
    draw_points(c, "values", black, 0, c->known, value_of);
    draw_points(c, "predicted", blue, first_predicted(c), c->known, predicted_of);
    draw_points(c, "forecast", red, c->known - 1, c->known + c->a->steps, forecast_of);
    fputs("</svg>\n", c->file);
}

bool chart_draw(const answer *a, const char *path)
{
    /* So many values that the forecast keeps a good part of the picture. */
    enum { FEWEST = 40 };
    output out;
    size_t held_out = a->series->count - a->first_held_out;
    size_t known = 2 * held_out < 10 * a->steps ? 2 * held_out : 10 * a->steps;
    known = known < FEWEST ? FEWEST : known;
    known = known < a->series->count ? known : a->series->count;
    chart c = {.a = a, .first = a->series->count - known, .known = known};
    if (!output_open(&out, path))
        return false;
    c.file = out.stream;
    set_ranges(&c);
    draw_all(&c);
    return output_commit(&out);
}
