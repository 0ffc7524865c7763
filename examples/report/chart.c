#include <math.h>

#include "examples/report/chart.h"
#include "examples/report/html.h"

/* Room around the area, for the numbers. */
static const double room_left = 66, room_right = 18, room_top = 14, room_bottom = 54;

static double x_of(const chart *c, double x)
{
    double width = CHART_WIDTH - room_left - room_right;
    return room_left + width * (x - c->left) / (c->right - c->left);
}

/* Values beyond the ends are drawn at the ends. */
static double y_of(const chart *c, double y)
{
    double height = c->height - room_top - room_bottom;
    y = fmin(fmax(y, c->low), c->high);
    double share = c->logarithmic ? log(y / c->low) / log(c->high / c->low)
                                  : (y - c->low) / (c->high - c->low);
    return room_top + height * (1 - share);
}

/* 1, 2 or 5 times a power of ten: the largest that is not above value. */
static double round_down(double value)
{
    double power = pow(10, floor(log10(value) + 1e-9)), rest = value / power + 1e-9;
    return power * (rest >= 5 ? 5 : rest >= 2 ? 2 : 1);
}

/* The next of these numbers. */
static double next_round(double value)
{
    double power = pow(10, floor(log10(value) + 1e-9)), rest = value / power;
    return power * (rest < 1.5 ? 2 : rest < 3 ? 5 : 10);
}

/* The distance of ticks so that there are at most most of them. */
static double tick_step(double range, double most)
{
    double step = round_down(range / most);
    while (range / step > most + 1e-9)
        step = next_round(step);
    return step;
}

/* Most ticks of the axis at the left. */
static double most_ticks(const chart *c)
{
    return fmax(floor(c->height / 50), 2);
}

void chart_round(chart *c)
{
    if (c->logarithmic) {
        c->low = round_down(c->low);
        double high = round_down(c->high);
        c->high = high < c->high * 0.999 ? next_round(high) : high;
        if (c->high <= c->low)
            c->high = next_round(c->low);
        return;
    }
    double range = c->high - c->low;
    double step =
        tick_step(range > 0 ? range : fmax(fabs(c->high), 1e-9), most_ticks(c));
    c->low = step * floor(c->low / step + 1e-9);
    c->high = step * ceil(c->high / step - 1e-9);
    if (c->high <= c->low)
        c->high = c->low + step;
}

static void tick_y(const chart *c, double value, const char *numbers)
{
    char text[40];
    /* The format is one of this program's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), numbers, value);
#pragma GCC diagnostic pop
    double y = y_of(c, value);
    fprintf(c->out,
            "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\" dy=\".35em\">%s</text>\n",
            room_left, y, CHART_WIDTH - room_right, room_left - 8, y, text);
}

static void ticks_y(const chart *c, const char *numbers)
{
    if (!c->logarithmic) {
        double step = tick_step(c->high - c->low, most_ticks(c));
        for (double i = ceil(c->low / step - 1e-9) + 0;
             i * step <= c->high + step * 1e-6; i++)
            tick_y(c, i * step, numbers);
        return;
    }
    bool decades = log10(c->high / c->low) > 3;
    for (double value = c->low; value <= c->high * 1.001; value = next_round(value)) {
        double power = pow(10, floor(log10(value) + 1e-9));
        if (!decades || value / power < 1.5)
            tick_y(c, value, numbers);
    }
}

/* Whole numbers along the axis below; every other one disappears on a narrow screen. */
static void ticks_x(const chart *c)
{
    double step = fmax(tick_step(c->right - c->left, 12), 1),
           y = c->height - room_bottom;
    /* 0 is added, because ceil() may give -0. */
    double first = ceil(c->left / step - 1e-9) + 0;
    for (double i = first; i * step <= c->right + 1e-9; i++)
        fprintf(c->out,
                "<path class=\"grid\" d=\"M%.1f %.1fv5\"/><text%s x=\"%.1f\" "
                "y=\"%.1f\" text-anchor=\"middle\" dy=\"1.35em\">%g</text>\n",
                x_of(c, i * step), y, fmod(i - first, 2) > 0.5 ? " class=\"wide\"" : "",
                x_of(c, i * step), y, i * step);
}

void chart_begin(chart *c, const char *label, const char *below, const char *numbers)
{
    fprintf(c->out, "<svg viewBox=\"0 0 %d %g\" role=\"img\" aria-label=\"",
            CHART_WIDTH, c->height);
    html_text(c->out, label);
    fputs("\">\n", c->out);
    ticks_y(c, numbers);
    ticks_x(c);
    fprintf(c->out, "<text class=\"axis\" x=\"%g\" y=\"%g\" text-anchor=\"end\">",
            CHART_WIDTH - room_right, c->height - 8);
    html_text(c->out, below);
    fputs("</text>\n", c->out);
}

void chart_curve(chart *c, const char *class)
{
    fprintf(c->out, "<path class=\"curve %s\" d=\"", class);
    c->points = 0;
}

void chart_point(chart *c, double x, double y)
{
    fprintf(c->out, "%s%.1f %.1f", c->points > 0 ? "L" : "M", x_of(c, x), y_of(c, y));
    c->points++;
}

void chart_curve_end(chart *c)
{
    /* A line without length is a dot with round ends. */
    fputs(c->points == 1 ? "h0\"/>\n" : "\"/>\n", c->out);
}

void chart_dot(chart *c, const char *class, double x, double y, const char *text)
{
    fprintf(c->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>",
            class, x_of(c, x), y_of(c, y));
    html_text(c->out, text);
    fputs("</title></circle>\n", c->out);
}

void chart_end(chart *c)
{
    fputs("</svg>\n", c->out);
}
