/* The curves of a run over its epochs: each step of the loss and its mean, accuracies,
 * and the learning rate. */
#include <math.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/report/chart.h"
#include "examples/report/experiment.h"
#include "examples/report/html.h"

/* More steps than this are drawn as the lowest and the highest loss of a column, which
 * is the same picture. */
enum { MOST_POINTS = 2400, MEANS = 300 };

/* The time of a step in epochs. */
static double time_of(const history *h, size_t i)
{
    return (double)history_position(h, &h->steps[i]) / (double)h->steps_per_epoch;
}

/* Number of steps that a mean is of: about a hundredth of the run, but at most a fifth
 * of an epoch where that is more than a few steps. */
static size_t window_of(const history *h)
{
    size_t window = h->step_count / 100;
    size_t most = h->steps_per_epoch / 5 > 10 ? h->steps_per_epoch / 5 : 10;
    return window < 1 ? 1 : window > most ? most : window;
}

/* The mean loss around a step. */
static double mean_at(const history *h, size_t i, size_t window)
{
    size_t first = i > window / 2 ? i - window / 2 : 0;
    size_t end =
        i + (window + 1) / 2 < h->step_count ? i + (window + 1) / 2 : h->step_count;
    double sum = 0;
    for (size_t k = first; k < end; k++)
        sum += (double)h->steps[k].loss;
    return sum / (double)(end - first);
}

/* Index of point i of count along the steps, the first and the last one included. */
static size_t place(const history *h, size_t i, size_t count)
{
    return count < 2 ? 0
                     : (size_t)((double)i * (double)(h->step_count - 1) /
                                    (double)(count - 1) +
                                0.5);
}

static size_t means_of(const history *h)
{
    return h->step_count < MEANS ? h->step_count : MEANS;
}

static void draw_steps(chart *c, const history *h)
{
    size_t columns = MOST_POINTS / 2, n = h->step_count;
    chart_curve(c, "steps");
    for (size_t i = 0; n <= MOST_POINTS && i < n; i++)
        chart_point(c, time_of(h, i), (double)h->steps[i].loss);
    for (size_t column = 0; n > MOST_POINTS && column < columns; column++) {
        size_t first = column * n / columns, end = (column + 1) * n / columns;
        size_t low = first, high = first;
        for (size_t i = first; i < end; i++) {
            low = h->steps[i].loss < h->steps[low].loss ? i : low;
            high = h->steps[i].loss > h->steps[high].loss ? i : high;
        }
        size_t one = low < high ? low : high, other = low < high ? high : low;
        chart_point(c, time_of(h, one), (double)h->steps[one].loss);
        chart_point(c, time_of(h, other), (double)h->steps[other].loss);
    }
    chart_curve_end(c);
}

static void draw_means(chart *c, const history *h, size_t window)
{
    size_t count = means_of(h);
    chart_curve(c, "mean");
    for (size_t i = 0; i < count; i++) {
        size_t at = place(h, i, count);
        chart_point(c, time_of(h, at), mean_at(h, at, window));
    }
    chart_curve_end(c);
}

/* The ends of the axis: all means, and most of the steps. */
static void find_range(chart *c, const history *h, size_t window)
{
    size_t count = means_of(h);
    double low = HUGE_VAL, high = 0, least = HUGE_VAL;
    for (size_t i = 0; i < count; i++) {
        double mean = mean_at(h, place(h, i, count), window);
        low = fmin(low, mean);
    }
    for (size_t i = 0; i < h->step_count; i++) {
        high = fmax(high, (double)h->steps[i].loss);
        least = fmin(least, (double)h->steps[i].loss);
    }
    c->logarithmic = least > 0 && high > 5 * low;
    c->low = c->logarithmic ? fmax(least, low / 10) : 0;
    c->high = high > 0 ? high : 1;
}

static size_t count_below(const history *h, double low)
{
    size_t below = 0;
    for (size_t i = 0; i < h->step_count; i++)
        below += (double)h->steps[i].loss < low;
    return below;
}

static void explain_loss(FILE *out, const history *h, const chart *c, size_t window)
{
    const history_step *first = &h->steps[0];
    fprintf(out, "<figcaption><span class=\"key %s\"></span>each step",
            window > 1 ? "steps" : "mean"); /* the mean of one step covers it */
    if (window > 1)
        fprintf(out, " &#8194;<span class=\"key mean\"></span>mean of %zu steps",
                window);
    fprintf(out, "%s", c->logarithmic ? " &#8194;(logarithmic axis)" : "");
    size_t below = count_below(h, c->low * 0.999);
    if (below > 0) {
        fputs(". ", out);
        html_count(out, below);
        fprintf(out, " steps below %g are drawn at %g", c->low, c->low);
    }
    fputs("</figcaption></figure>\n", out);
    if (!history_is_whole(h))
        fprintf(out,
                "<p class=\"note\">The curve begins at step %zu of epoch %zu: the run "
                "was resumed there, and this part continues no <code>--log</code> of "
                "the earlier steps.</p>\n",
                first->step, first->epoch);
}

static void write_loss(FILE *out, const history *h)
{
    size_t window = window_of(h);
    chart c = {.out = out, .height = 330};
    c.left = history_is_whole(h) ? 0 : floor(time_of(h, 0) - 1e-9);
    c.right = fmax(time_of(h, h->step_count - 1), c.left + 0.05);
    find_range(&c, h, window);
    chart_round(&c);
    char below[60];
    snprintf(below, sizeof(below), "epochs of %zu step%s", h->steps_per_epoch,
             number_plural(h->steps_per_epoch));
    fputs("<h2>Loss</h2>\n<figure class=\"chart\" id=\"loss\">\n", out);
    chart_begin(&c, "Training loss of each step, and its mean", below, "%g");
    draw_steps(&c, h);
    draw_means(&c, h, window);
    chart_end(&c);
    explain_loss(out, h, &c, window);
}

/* The value of an epoch that a chart shows; negative if it has none. */
typedef double (*value_of)(const history_epoch *epoch);

static double validation_of(const history_epoch *epoch)
{
    return epoch->validation < 0 ? -1 : 100 * epoch->validation;
}

static double test_of(const history_epoch *epoch)
{
    return epoch->test < 0 ? -1 : 100 * epoch->test;
}

static double rate_of(const history_epoch *epoch)
{
    return epoch->lr;
}

/* Widens the ends of the axis; whether there is a value. */
static bool widen(chart *c, const history *h, value_of value)
{
    bool found = false;
    for (size_t i = 0; i < h->epoch_count; i++) {
        double y = value(&h->epochs[i]);
        if (y < 0)
            continue;
        found = true;
        c->low = fmin(c->low, y);
        c->high = fmax(c->high, y);
    }
    return found;
}

static void draw_values(chart *c, const history *h, value_of value, const char *class,
                        const char *form)
{
    enum { MOST_DOTS = 60 };
    char text[80];
    chart_curve(c, class);
    for (size_t i = 0; i < h->epoch_count; i++)
        if (value(&h->epochs[i]) >= 0)
            chart_point(c, (double)h->epochs[i].epoch, value(&h->epochs[i]));
    chart_curve_end(c);
    for (size_t i = 0; h->epoch_count <= MOST_DOTS && i < h->epoch_count; i++) {
        double y = value(&h->epochs[i]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof(text), form, h->epochs[i].epoch, y);
#pragma GCC diagnostic pop
        if (y >= 0)
            chart_dot(c, class, (double)h->epochs[i].epoch, y, text);
    }
}

/* The same time axis as that of the loss. */
static chart over_epochs(FILE *out, const history *h, double height)
{
    double first = (double)h->epochs[0].epoch;
    double last = (double)h->epochs[h->epoch_count - 1].epoch;
    return (chart){.out = out,
                   .left = first > 1 ? first - 1 : 0,
                   .right = last,
                   .low = HUGE_VAL,
                   .high = -HUGE_VAL,
                   .height = height};
}

static void write_accuracy(FILE *out, const history *h)
{
    chart c = over_epochs(out, h, 260);
    bool validation = widen(&c, h, validation_of), test = widen(&c, h, test_of);
    if (!validation && !test)
        return;
    /* Differences of less than a percent are seldom more than chance. */
    c.low = fmax(fmin(c.low, c.high - 1), 0);
    c.high = fmax(c.high, c.low + 1);
    chart_round(&c);
    c.high = fmin(c.high, 100);
    fputs("<h2>Accuracy</h2>\n<figure class=\"chart\" id=\"accuracy\">\n", out);
    chart_begin(&c, "Accuracy after each epoch", "epoch", "%g");
    if (validation)
        draw_values(&c, h, validation_of, "validation", "epoch %zu: validation %.2f%%");
    if (test)
        draw_values(&c, h, test_of, "test", "epoch %zu: test %.2f%%");
    chart_end(&c);
    fputs("<figcaption>", out);
    if (validation)
        fputs("<span class=\"key validation\"></span>validation &#8194;", out);
    if (test)
        fputs("<span class=\"key test\"></span>test", out);
    fputs(": percent read right after each epoch</figcaption></figure>\n", out);
}

static void write_rate(FILE *out, const history *h)
{
    chart c = over_epochs(out, h, 170);
    widen(&c, h, rate_of);
    if (c.low == c.high) {
        fprintf(out, "<h2>Learning rate</h2>\n<p id=\"rate\">%g in all epochs.</p>\n",
                c.high);
        return;
    }
    c.low = 0;
    chart_round(&c);
    fputs("<h2>Learning rate</h2>\n<figure class=\"chart\" id=\"rate\">\n", out);
    chart_begin(&c, "Learning rate at the end of each epoch", "epoch", "%g");
    draw_values(&c, h, rate_of, "rate", "epoch %zu: %g");
    chart_end(&c);
    fputs("<figcaption>of the last step of each epoch</figcaption></figure>\n", out);
}

/* A cell with a percentage, or a dash for what was not measured. */
static void write_share(FILE *out, double share)
{
    fputs("<td>", out);
    if (share < 0)
        fputs("&#8211;", out);
    else
        html_percent(out, share, 2);
    fputs("</td>", out);
}

static void write_epoch(FILE *out, const history *h, size_t i, bool validation,
                        bool test)
{
    const history_epoch *epoch = &h->epochs[i];
    double before = i > 0 ? h->epochs[i - 1].seconds : epoch->epoch == 1 ? 0 : -1;
    fprintf(out, "<tr><th scope=\"row\">%zu</th>", epoch->epoch);
    if (epoch->mean < 0)
        fputs("<td>&#8211;</td>", out);
    else
        fprintf(out, "<td>%.4g</td>", epoch->mean);
    if (validation)
        write_share(out, epoch->validation);
    if (test)
        write_share(out, epoch->test);
    fprintf(out, "<td>%.4g</td><td>", epoch->lr);
    if (before < 0)
        fputs("&#8211;", out);
    else {
        fputs("<time>", out);
        html_duration(out, epoch->seconds - before);
        fputs("</time>", out);
    }
    fputs("</td></tr>\n", out);
}

static void write_epochs(FILE *out, const history *h)
{
    chart unused = over_epochs(out, h, 0);
    bool validation = widen(&unused, h, validation_of),
         test = widen(&unused, h, test_of);
    fprintf(out,
            "<details%s><summary>Epochs in numbers</summary><div class=\"scroll\">"
            "<table id=\"epochs\"><thead><tr><th>epoch</th><th>mean loss</th>%s%s"
            "<th>learning rate</th><th>time</th></tr></thead><tbody>\n",
            h->epoch_count <= 30 ? " open" : "",
            validation ? "<th>validation</th>" : "", test ? "<th>test</th>" : "");
    for (size_t i = 0; i < h->epoch_count; i++)
        write_epoch(out, h, i, validation, test);
    fputs("</tbody></table></div></details>\n", out);
}

void experiment_curves(FILE *out, const experiment *e)
{
    const history *h = e->history;
    if (h->step_count > 0)
        write_loss(out, h);
    if (h->epoch_count == 0)
        return;
    write_accuracy(out, h);
    write_rate(out, h);
    write_epochs(out, h);
}
