/* The frame of the page: head, results in large type, what was run, and the order of
 * the parts. The policy of the page allows no script and no other file. */
#include <string.h>

#include "examples/report/experiment.h"
#include "examples/report/html.h"

static void write_head(FILE *out, const experiment *e)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"mnist-train.run\" content=\"",
          out);
    html_text(out, e->run);
    fputs("\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
          "'none'; style-src 'unsafe-inline'; img-src data:\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>Training report: ",
          out);
    html_text(out, e->data);
    fputs(", ", out);
    html_text(out, e->network);
    fputs("</title>\n", out);
    experiment_style(out);
    fputs("</head>\n<body>\n<header>\n<h1>", out);
    html_text(out, e->data);
    fputs(": training report</h1>\n<p class=\"lead\">", out);
    html_text(out, e->network);
    fputs("</p>\n", out);
    if (e->state) {
        fputs("<p class=\"state\">", out);
        html_text(out, e->state);
        fputs("</p>\n", out);
    }
}

static void write_accuracy(FILE *out, const experiment *e)
{
    const answers *a = e->answers;
    double low, high;
    answers_interval(a, &low, &high);
    fprintf(out, "<div><dt>%s accuracy", e->set);
    if (e->set_epoch > 0 && e->set_epoch != e->epochs)
        fprintf(out, " after epoch %zu", e->set_epoch);
    fputs("</dt><dd id=\"headline\">", out);
    html_percent(out, (double)a->correct / (double)a->count, 2);
    fputs("<small>", out);
    html_count(out, a->correct);
    fputs(" of ", out);
    html_count(out, a->count);
    fprintf(out, "; 95%% interval %.2f to %.2f</small></dd></div>\n", 100 * low,
            100 * high);
}

static void write_tiles(FILE *out, const experiment *e)
{
    const history *h = e->history;
    const history_epoch *last = h->epoch_count ? &h->epochs[h->epoch_count - 1] : NULL;
    fputs("<dl class=\"tiles\">\n", out);
    if (e->answers)
        write_accuracy(out, e);
    if (last && last->mean >= 0)
        fprintf(out,
                "<div><dt>mean training loss</dt><dd>%.4g<small>in epoch %zu</small>"
                "</dd></div>\n",
                last->mean, last->epoch);
    if (e->epochs > 0)
        fprintf(out,
                "<div><dt>epochs</dt><dd>%zu<small>of at most %zu</small></dd></div>\n",
                last ? last->epoch : 0, e->epochs);
    if (e->epochs > 0) {
        fputs("<div><dt>time of training</dt><dd><time>", out);
        html_duration(out, e->seconds);
        fputs("</time><small>evaluations included</small></dd></div>\n", out);
    }
    fputs("</dl>\n</header>\n<main>\n", out);
}

/* Words of what one types are broken only where a line is too short for them. */
static void write_code(FILE *out, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, " ");
        fputs("<code>", out);
        html_part(out, text, size);
        text += size;
        fputs(*text ? "</code> " : "</code>", out);
        text += *text != '\0';
    }
}

static void write_facts(FILE *out, const experiment *e)
{
    fputs("<h2>What was run</h2>\n<dl class=\"facts\" id=\"facts\">\n", out);
    for (size_t i = 0; i < e->fact_count; i++) {
        const experiment_fact *fact = &e->facts[i];
        if (!fact->text)
            continue;
        fprintf(out, "<dt>%s</dt><dd>", fact->name);
        if (fact->code)
            write_code(out, fact->text);
        else
            html_text(out, fact->text);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
}

static void write_answers(FILE *out, const experiment *e)
{
    if (!e->answers) {
        fputs("<h2>Answers</h2>\n<p>No set was evaluated yet.</p>\n", out);
        return;
    }
    fprintf(out, "<h2>Confusion matrix, %s set", e->set);
    if (e->set_epoch > 0)
        fprintf(out, " after epoch %zu", e->set_epoch);
    fputs("</h2>\n", out);
    experiment_table(out, e->answers);
    fputs("<h2>Classes</h2>\n", out);
    experiment_classes(out, e->answers);
    size_t worst = e->answers->worst_count;
    if (worst == 1)
        fputs("<h2>The image</h2>\n", out);
    else
        fprintf(out, "<h2>The %zu images read worst</h2>\n", worst);
    experiment_worst(out, e);
}

void experiment_write(FILE *out, const experiment *e)
{
    write_head(out, e);
    write_tiles(out, e);
    write_facts(out, e);
    experiment_curves(out, e);
    write_answers(out, e);
    fputs("<h2>What to try next</h2>\n", out);
    experiment_advice(out, e);
    fputs("</main>\n<footer>Written by mnist-train, <time>", out);
    html_text(out, e->date);
    fputs("</time>. The page needs no other file, has no script, and sends and loads "
          "nothing.</footer>\n</body>\n</html>\n",
          out);
}
