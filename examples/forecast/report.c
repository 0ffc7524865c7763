#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/forecast/report.h"

double report_limit(double value)
{
    return value > DBL_MAX ? DBL_MAX : value < -DBL_MAX ? -DBL_MAX : value;
}

void report_number(const answer *a, double value, double margin, char *text,
                   size_t size)
{
    enum { FEWEST = 6, MOST = 17 };
    double last = pow(10, -a->series->decimals);
    if (margin > 0)
        last = fmin(last, margin / 100);
    double digits =
        fabs(value) > 0 ? floor(log10(fabs(value))) + ceil(-log10(last)) + 1 : 1;
    int count = digits < FEWEST ? FEWEST : digits > MOST ? MOST : (int)digits;
    snprintf(text, size, "%.*g", count, value);
}

/* Says, on standard error if the answer is a table, when the network is of no use. */
static void print_verdict(const answer *a, FILE *file)
{
    double best = a->previous;
    const char *what = "";
    if (a->season > 0 && a->seasonal < best) {
        best = a->seasonal;
        what = "value";
    }
    if (a->season > 0 && a->by_change && a->changed < best) {
        best = a->changed;
        what = "change";
    }
    if (a->constant || a->error < best)
        return;
    if (*what)
        fprintf(file,
                "The model is not better than repeating the %s of %zu steps before.\n",
                what, a->season);
    else
        fprintf(file, "The model is not better than repeating the previous value.\n");
}

static void print_errors(const answer *a)
{
    printf("RMSE: %.4g, of repeating the previous value: %.4g\n", a->error,
           a->previous);
    if (a->season > 0)
        printf("RMSE of repeating the value of %zu steps before: %.4g\n", a->season,
               a->seasonal);
    if (a->season > 0 && a->by_change)
        printf("RMSE of repeating the change of %zu steps before: %.4g\n", a->season,
               a->changed);
    if (a->ramp)
        printf("The training values change by the same at each step: there is nothing "
               "to learn.\n");
    else if (a->constant)
        printf("The training values are all the same: there is nothing to learn.\n");
}

static void print_table(const answer *a)
{
    enum { ROOM = 64 };
    char time[ROOM], value[ROOM], low[ROOM], high[ROOM];
    puts("step,time,forecast,low,high");
    for (size_t i = 0; i < a->steps; i++) {
        double margin = a->margins[i];
        axis_print(&a->series->axis,
                   axis_after(&a->series->axis, a->series->last_row, i + 1), time,
                   ROOM);
        report_number(a, a->future[i], margin, value, ROOM);
        report_number(a, report_limit(a->future[i] - margin), margin, low, ROOM);
        report_number(a, report_limit(a->future[i] + margin), margin, high, ROOM);
        printf("%zu,%s,%s,%s,%s\n", i + 1, time, value, low, high);
    }
}

void report_print(const answer *a, bool csv)
{
    char text[64];
    if (csv) {
        print_table(a);
        print_verdict(a, stderr);
        return;
    }
    print_errors(a);
    print_verdict(a, stdout);
    for (size_t i = 0; i < a->steps; i++) {
        report_number(a, a->future[i], a->margins[i], text, sizeof(text));
        printf("%zu: %s +- %.3g\n", i + 1, text, a->margins[i]);
    }
}
