#include <stdio.h>
#include <time.h>

#include "tests/bench/machine.h"
#include "tests/bench/report.h"

static void put_member(lstm_text *text, const char *key, const char *value)
{
    lstm_text_string(text, key);
    lstm_text_add(text, ": ");
    lstm_text_string(text, value);
    lstm_text_add(text, ",\n ");
}

report report_create(bool table_to_stderr)
{
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    report r = {.table = table_to_stderr ? stderr : stdout};
    put_member(&r.head, "processor", machine_name());
    lstm_text_add(&r.head, "\"processors\": %zu,\n ", machine_processors());
    put_member(&r.head, "kernels", lstm_kernels_name());
    put_member(&r.head, "version", lstm_version());
    put_member(&r.head, "date", date);
    fprintf(r.table, "%s, %zu processors; liblstm %s, kernels %s; %s\n", machine_name(),
            machine_processors(), lstm_version(), lstm_kernels_name(), date);
    return r;
}

static bool write_json(const report *r, FILE *file)
{
    const char *first = r->limits.data, *second = r->results.data;
    return fprintf(file, "{\n %s\"limits\": [%s\n ],\n \"results\": [%s\n ]\n}\n",
                   r->head.data, first ? first : "", second ? second : "") > 0;
}

static bool write_path(const report *r, const char *path)
{
    if (r->head.failed || r->limits.failed || r->results.failed)
        return false;
    if (path[0] == '-' && path[1] == '\0')
        return write_json(r, stdout) && fflush(stdout) == 0;
    FILE *file = fopen(path, "w");
    bool written = file && write_json(r, file);
    if (file && fclose(file) != 0)
        written = false;
    if (!written)
        fprintf(stderr, "lstm-bench: %s: cannot be written\n", path);
    return written;
}

bool report_finish(report *r, const char *path)
{
    bool written = !path || write_path(r, path);
    lstm_text_destroy(&r->head);
    lstm_text_destroy(&r->limits);
    lstm_text_destroy(&r->results);
    return written;
}

void report_limit(report *r, const char *name, const char *unit, size_t threads,
                  double value)
{
    if (threads == 1)
        fprintf(r->table, "\n%-24s", name);
    fprintf(r->table, " %9.1f %s with %zu thread%s", value / 1e9, unit, threads,
            threads == 1 ? "" : "s");
    lstm_text_add(&r->limits, "%s\n  {", r->limits.size > 0 ? "," : "");
    put_member(&r->limits, "name", name);
    put_member(&r->limits, "unit", unit);
    lstm_text_add(&r->limits, "\"threads\": %zu, \"value\": %.6g}", threads,
                  value / 1e9);
}

void report_heading(report *r, const char *title)
{
    fprintf(r->table, "\n\n%s\n%-26s %2s %-10s %10s %10s %10s %9s %7s %9s", title,
            "N x T x I, H, L", "th", "work", "median ms", "p10 ms", "cpu ms", "GFLOP/s",
            "of peak", "best/peak");
}

static void put_result(lstm_text *text, const result *x)
{
    const shape *s = &x->shape;
    lstm_text_add(text, "%s\n  {", text->size > 0 ? "," : "");
    put_member(text, "name", x->name);
    lstm_text_add(text, "\"shape\": [%zu, %zu, %zu, %zu, %zu], \"threads\": %zu",
                  s->batch, s->steps, s->inputs, s->hidden, s->layers, x->threads);
    lstm_text_add(text, ", \"median_ms\": %.6g, \"p10_ms\": %.6g", x->median * 1e3,
                  x->p10 * 1e3);
    if (x->cpu > 0)
        lstm_text_add(text, ", \"cpu_ms\": %.6g", x->cpu * 1e3);
    if (x->flop > 0) {
        double time = x->cpu > 0 ? x->cpu : x->median;
        lstm_text_add(text,
                      ", \"gflops\": %.6g, \"flop\": %.6g, \"peak_gflops\": %.6g, "
                      "\"of_peak\": %.6g",
                      x->flop / time / 1e9, x->flop, x->peak / 1e9,
                      x->flop / time / x->peak);
    }
    lstm_text_add(text, "}");
}

void report_result(report *r, const result *x)
{
    const shape *s = &x->shape;
    char text[80];
    snprintf(text, sizeof(text), "%zu x %zu x %zu, %zu, %zu", s->batch, s->steps,
             s->inputs, s->hidden, s->layers);
    /* A step of a small stream takes less than 0.0001 ms. */
    int digits = x->median < 1e-5 ? 7 : 4;
    fprintf(r->table, "\n%-26s %2zu %-10s %10.*f %10.*f", text, x->threads, x->name,
            digits, x->median * 1e3, digits, x->p10 * 1e3);
    if (x->cpu > 0)
        fprintf(r->table, " %10.*f", digits, x->cpu * 1e3);
    else
        fprintf(r->table, " %10s", "");
    if (x->flop > 0) {
        double time = x->cpu > 0 ? x->cpu : x->median;
        fprintf(r->table, " %9.1f %6.1f%% %8.1f%%", x->flop / time / 1e9,
                100 * x->flop / time / x->peak, 100 * x->flop / x->p10 / x->peak);
    }
    fflush(r->table);
    put_result(&r->results, x);
}
