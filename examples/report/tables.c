/* How a set was read: the confusion matrix, precision and recall of each class, and the
 * pictures of the images that were read worst. */
#include <math.h>

#include "examples/report/experiment.h"
#include "examples/report/html.h"

/* The largest number of images of one label that were read as one other class. */
static size_t most_wrong(const answers *a)
{
    size_t most = 1;
    for (size_t i = 0; i < a->classes; i++)
        for (size_t k = 0; k < a->classes; k++)
            if (i != k && answers_at(a, i, k) > most)
                most = answers_at(a, i, k);
    return most;
}

/* A cell is darker the larger its share: of the label on the diagonal, else of the most
 * frequent mistake. */
static void write_cell(FILE *out, const answers *a, size_t label, size_t read,
                       size_t most)
{
    size_t count = answers_at(a, label, read), all = answers_labels(a, label);
    double share = label == read ? (double)count / (double)(all > 0 ? all : 1)
                                 : sqrt((double)count / (double)most);
    const char *class = label == read ? "right" : count > 0 ? "wrong" : "none";
    fprintf(out, "<td class=\"%s\" style=\"--share:%.2f\" title=\"", class, share);
    html_count(out, count);
    fprintf(out, " of label %zu read as %zu\">%zu</td>", label, read, count);
}

void experiment_table(FILE *out, const answers *a)
{
    size_t most = most_wrong(a);
    fprintf(out,
            "<div class=\"scroll\"><table class=\"matrix%s\" id=\"matrix\"><thead>"
            "<tr><td></td><th colspan=\"%zu\">read as</th></tr>\n"
            "<tr><th>label</th>",
            a->classes > 16 ? " many" : "", a->classes);
    for (size_t i = 0; i < a->classes; i++)
        fprintf(out, "<th scope=\"col\">%zu</th>", i);
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < a->classes; i++) {
        fprintf(out, "<tr><th scope=\"row\">%zu</th>", i);
        for (size_t k = 0; k < a->classes; k++)
            write_cell(out, a, i, k, most);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n<p class=\"note\">Rows are labels, columns are "
          "answers: blue is right, red is wrong.</p>\n",
          out);
}

/* The class that images of a label are read as most often by mistake; the label itself
 * if all are right. */
static size_t mistake_of(const answers *a, size_t label)
{
    size_t worst = label;
    for (size_t i = 0; i < a->classes; i++)
        if (i != label && answers_at(a, label, i) > 0 &&
            (worst == label || answers_at(a, label, i) > answers_at(a, label, worst)))
            worst = i;
    return worst;
}

/* A share of a count that may be 0. */
static void write_share(FILE *out, size_t part, size_t of)
{
    fputs("<td>", out);
    if (of == 0)
        fputs("&#8211;", out);
    else
        html_percent(out, (double)part / (double)of, 1);
    fputs("</td>", out);
}

static void write_class(FILE *out, const answers *a, size_t label)
{
    size_t right = answers_at(a, label, label), all = answers_labels(a, label);
    size_t reads = answers_reads(a, label), mistake = mistake_of(a, label);
    fprintf(out, "<tr><th scope=\"row\">%zu</th><td>", label);
    html_count(out, all);
    fputs("</td>", out);
    write_share(out, right, reads);
    write_share(out, right, all);
    /* The harmonic mean of both. */
    write_share(out, 2 * right, reads + all);
    if (mistake == label)
        fputs("<td>&#8211;</td></tr>\n", out);
    else if (answers_at(a, label, mistake) == 1)
        fprintf(out, "<td>as %zu, once</td></tr>\n", mistake);
    else
        fprintf(out, "<td>as %zu, %zu times</td></tr>\n", mistake,
                answers_at(a, label, mistake));
}

void experiment_classes(FILE *out, const answers *a)
{
    fputs("<div class=\"scroll\"><table id=\"classes\"><thead><tr><th>class</th>"
          "<th>images</th><th>precision</th><th>recall</th><th>F1</th>"
          "<th>most often misread</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < a->classes; i++)
        write_class(out, a, i);
    fputs("</tbody></table></div>\n<p class=\"note\">Precision: of the images read as "
          "this class, the share that has the label. Recall: of the images with the "
          "label, the share read as this class.</p>\n",
          out);
}

static void write_worst(FILE *out, const experiment *e, const answer *w)
{
    bool wrong = w->read != w->label;
    fprintf(out, "<figure class=\"digit%s\" data-index=\"%zu\"><img src=\"",
            wrong ? " misread" : "", w->index);
    html_picture(out, e->image(w->index, e->user), e->rows, e->cols);
    fprintf(out,
            "\" width=\"%zu\" height=\"%zu\" alt=\"image %zu: label %zu, read as %zu\">"
            "<figcaption><b>%zu</b> read as <b>%zu</b><br>",
            3 * e->cols, 3 * e->rows, w->index, w->label, w->read, w->label, w->read);
    fprintf(out, "<span>%zu: ", w->read);
    html_percent(out, w->probability, 1);
    fputs("</span>", out);
    if (wrong) {
        fprintf(out, "<br><span>%zu: ", w->label);
        html_percent(out, w->label_probability, w->label_probability < 0.01 ? 3 : 1);
        fputs("</span>", out);
    }
    fputs("</figcaption></figure>\n", out);
}

void experiment_worst(FILE *out, const experiment *e)
{
    const answers *a = e->answers;
    size_t wrong = a->count - a->correct;
    fputs("<p>The network gave the label of these images the lowest probabilities, the "
          "worst first. Each has its label, the answer, and the probabilities of "
          "both. ",
          out);
    html_count(out, wrong);
    fputs(" of ", out);
    html_count(out, a->count);
    fprintf(out, " images %s read wrong.</p>\n<div class=\"digits\" id=\"worst\">\n",
            wrong == 1 ? "was" : "were");
    for (size_t i = 0; i < a->worst_count; i++)
        write_worst(out, e, &a->worst[i]);
    fputs("</div>\n", out);
}
