/**
 * @file
 * Charts as SVG inside a page. Colours and sizes of text come from the page's style.
 */
#ifndef EXAMPLES_REPORT_CHART_H
#define EXAMPLES_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** An area with axes: the values at its ends, and its height in units of which the
 *  chart is 720 wide. */
typedef struct chart {
    FILE *out;
    double left, right, low, high;
    bool logarithmic;
    double height;
    /** Number of points of the curve so far. */
    size_t points;
} chart;

enum { CHART_WIDTH = 720 };

/** Begins a chart: grid, numbers beside the axes, and the name of the axis below.
 *  numbers is the format of the values, as "%g". label says what the chart shows. */
void chart_begin(chart *c, const char *label, const char *below, const char *numbers);

/** Makes the values at the ends round numbers. */
void chart_round(chart *c);

/** Begins a curve of a class of the style; its points; and its end. */
void chart_curve(chart *c, const char *class);
void chart_point(chart *c, double x, double y);
void chart_curve_end(chart *c);

/** A dot on a curve, with a text that appears beside the pointer. */
void chart_dot(chart *c, const char *class, double x, double y, const char *text);

void chart_end(chart *c);

#endif
