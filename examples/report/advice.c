/* What to try next: rules that look at the curves, the answers and the options, the
 * most urgent first. */
#include <math.h>

#include "examples/report/experiment.h"
#include "examples/report/html.h"

/* The accuracy that the run is judged by; negative if there is none. */
static double accuracy_of(const experiment *e, const history_epoch *epoch)
{
    return e->validates ? epoch->validation : epoch->test;
}

/* Index of the best epoch; the number of epochs if none was evaluated. */
static size_t best_of(const experiment *e)
{
    const history *h = e->history;
    size_t best = h->epoch_count;
    for (size_t i = 0; i < h->epoch_count; i++) {
        double accuracy = accuracy_of(e, &h->epochs[i]);
        if (accuracy >= 0 &&
            (best == h->epoch_count || accuracy > accuracy_of(e, &h->epochs[best])))
            best = i;
    }
    return best;
}

static void advise_on_divergence(FILE *out, const experiment *e)
{
    if (e->diverges)
        fprintf(out,
                "<li><b>The run diverges.</b> The steps are probably too large: try "
                "<code>--lr %g</code>, or <code>--clip-norm 1</code>. If that does not "
                "help, the labels may not fit the images.</li>\n",
                e->lr > 0.001 ? fmax(e->lr / 10, 0.001) : e->lr / 10);
}

static void advise_on_data(FILE *out, const experiment *e)
{
    if (e->synthetic)
        fputs("<li><b>These digits are synthetic.</b> Set <code>--data</code> or "
              "<code>MNIST_DIR</code> to a folder with MNIST: only its test set can be "
              "compared with results elsewhere.</li>\n",
              out);
}

/* A loss that still falls: more epochs. */
static void advise_on_length(FILE *out, const experiment *e)
{
    const history *h = e->history;
    size_t n = h->epoch_count, best = best_of(e);
    if (n < 2 || e->diverges || h->epochs[n - 2].mean <= 0 || h->epochs[n - 1].mean < 0)
        return;
    double ratio = h->epochs[n - 1].mean / h->epochs[n - 2].mean;
    if (best != n - 1 || ratio > 0.95)
        return;
    fprintf(out,
            "<li><b>The run was short.</b> In the last epoch the mean loss fell by "
            "%.0f%%, and the accuracy was the best so far: try ",
            100 * (1 - ratio));
    if (e->checkpoint && e->constant_rate) {
        fputs("<code>--resume ", out);
        html_text(out, e->checkpoint);
        fprintf(out, " --epochs %zu</code>", 2 * e->epochs);
    } else
        fprintf(out, "<code>--epochs %zu</code>", 2 * e->epochs);
    fputs(".</li>\n", out);
}

/* A loss that falls while the accuracy does not rise: the network learns its training
 * set by heart. */
static void advise_on_overfitting(FILE *out, const experiment *e)
{
    const history *h = e->history;
    size_t n = h->epoch_count, best = best_of(e);
    if (e->diverges || n < 3 || best + 2 > n - 1 || h->epochs[n - 1].mean < 0 ||
        h->epochs[n - 1].mean >= h->epochs[best].mean)
        return;
    fprintf(out,
            "<li><b>The network may learn its training set by heart.</b> The loss fell "
            "after epoch %zu, but the accuracy did not rise above the ",
            h->epochs[best].epoch);
    html_percent(out, accuracy_of(e, &h->epochs[best]), 2);
    fputs(" of that epoch: try ", out);
    fputs(e->dropout ? "a larger <code>--dropout</code>" : "<code>--dropout 0.3</code>",
          out);
    fputs(", <code>--label-smoothing 0.05</code>", out);
    fputs(e->keeps_best ? ".</li>\n"
                        : ", or <code>--validation 5000 --keep best --patience "
                          "3</code>.</li>\n",
          out);
}

static void advise_on_rate(FILE *out, const experiment *e)
{
    if (e->constant_rate && e->epochs > 1 && !e->diverges)
        fputs(
            "<li><b>The learning rate was constant.</b> A rate that falls to zero "
            "usually ends lower: try <code>--schedule cosine:warmup=0.5</code>.</li>\n",
            out);
}

static void advise_on_network(FILE *out, const experiment *e)
{
    if (!e->bidirectional && !e->diverges)
        fputs("<li><b>The network reads from top to bottom only.</b> "
              "<code>--bidirectional</code> also reads upwards: more accurate, and "
              "about twice as slow.</li>\n",
              out);
}

/* The most frequent mistake. */
static void advise_on_mistakes(FILE *out, const answers *a)
{
    size_t label = 0, read = 0, most = 0;
    for (size_t i = 0; i < a->classes; i++)
        for (size_t k = 0; k < a->classes; k++)
            if (i != k && answers_at(a, i, k) > most) {
                most = answers_at(a, i, k);
                label = i;
                read = k;
            }
    if (most < 2)
        return;
    fprintf(out,
            "<li><b>The most frequent mistake is %zu read as %zu</b>, %zu of the %zu "
            "wrong answers. Look at these pictures first: some have labels that a "
            "person would not give either.</li>\n",
            label, read, most, a->count - a->correct);
}

static void advise_on_validation(FILE *out, const experiment *e)
{
    if (!e->validates)
        fputs("<li><b>Do not choose by the test set.</b> To compare options, train "
              "with <code>--validation 5000</code> and look at the test set once, at "
              "the end.</li>\n",
              out);
}

static void advise_on_chance(FILE *out, const experiment *e)
{
    const answers *a = e->answers;
    double low, high;
    answers_interval(a, &low, &high);
    fputs("<li><b>Repeat it with other seeds.</b> With ", out);
    html_count(out, a->count);
    fprintf(out,
            " images, a difference of less than %.2g percentage points between two "
            "runs can be chance.</li>\n",
            100 * (high - low) / 2 * sqrt(2));
}

void experiment_advice(FILE *out, const experiment *e)
{
    fputs("<ul id=\"advice\">\n", out);
    advise_on_divergence(out, e);
    advise_on_data(out, e);
    advise_on_length(out, e);
    advise_on_overfitting(out, e);
    if (e->history->step_count > 0) {
        advise_on_rate(out, e);
        advise_on_network(out, e);
    }
    if (e->answers)
        advise_on_mistakes(out, e->answers);
    if (e->history->step_count > 0)
        advise_on_validation(out, e);
    if (e->answers)
        advise_on_chance(out, e);
    fputs("</ul>\n", out);
}
