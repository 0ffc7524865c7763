#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/machine.h"
#include "tests/bench/report.h"

report report_create(bool table_to_stderr)
{
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    report r = {json_object(), json_array(), json_array(),
                table_to_stderr ? stderr : stdout};
    json_object_set_new(r.root, "processor", json_string(machine_name()));
    json_object_set_new(r.root, "processors",
                        json_integer((json_int_t)machine_processors()));
    json_object_set_new(r.root, "kernels", json_string(lstm_kernels_name()));
    json_object_set_new(r.root, "version", json_string(lstm_version()));
    json_object_set_new(r.root, "date", json_string(date));
    json_object_set_new(r.root, "limits", r.limits);
    json_object_set_new(r.root, "results", r.results);
    fprintf(r.table, "%s, %zu processors; liblstm %s, kernels %s; %s\n", machine_name(),
            machine_processors(), lstm_version(), lstm_kernels_name(), date);
    return r;
}

static bool write_json(const report *r, const char *path)
{
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(6);
    if (path[0] == '-' && path[1] == '\0')
        return json_dumpf(r->root, stdout, flags) == 0 && putchar('\n') != EOF;
    if (json_dump_file(r->root, path, flags) == 0)
        return true;
    fprintf(stderr, "lstm-bench: %s: cannot be written\n", path);
    return false;
}

bool report_finish(report *r, const char *path)
{
    bool written = !path || write_json(r, path);
    json_decref(r->root);
    return written;
}

void report_limit(report *r, const char *name, const char *unit, size_t threads,
                  double value)
{
    if (threads == 1)
        fprintf(r->table, "\n%-24s", name);
    fprintf(r->table, " %9.1f %s with %zu thread%s", value / 1e9, unit, threads,
            threads == 1 ? "" : "s");
    json_array_append_new(r->limits,
                          json_pack("{s:s, s:s, s:i, s:f}", "name", name, "unit", unit,
                                    "threads", (int)threads, "value", value / 1e9));
}

void report_heading(report *r, const char *title)
{
    fprintf(r->table, "\n\n%s\n%-26s %2s %-10s %10s %10s %10s %9s %7s %9s", title,
            "N x T x I, H, L", "th", "work", "median ms", "p10 ms", "cpu ms", "GFLOP/s",
            "of peak", "best/peak");
}

static json_t *result_json(const result *x)
{
    const shape *s = &x->shape;
    json_t *shape_array = json_pack("[i,i,i,i,i]", (int)s->batch, (int)s->steps,
                                    (int)s->inputs, (int)s->hidden, (int)s->layers);
    json_t *out = json_pack("{s:s, s:o, s:i, s:f, s:f}", "name", x->name, "shape",
                            shape_array, "threads", (int)x->threads, "median_ms",
                            x->median * 1e3, "p10_ms", x->p10 * 1e3);
    if (x->cpu > 0)
        json_object_set_new(out, "cpu_ms", json_real(x->cpu * 1e3));
    if (x->flop > 0) {
        double time = x->cpu > 0 ? x->cpu : x->median;
        json_object_set_new(out, "gflops", json_real(x->flop / time / 1e9));
        json_object_set_new(out, "flop", json_real(x->flop));
        json_object_set_new(out, "peak_gflops", json_real(x->peak / 1e9));
        json_object_set_new(out, "of_peak", json_real(x->flop / time / x->peak));
    }
    return out;
}

void report_result(report *r, const result *x)
{
    const shape *s = &x->shape;
    char text[80];
    snprintf(text, sizeof(text), "%zu x %zu x %zu, %zu, %zu", s->batch, s->steps,
             s->inputs, s->hidden, s->layers);
    fprintf(r->table, "\n%-26s %2zu %-10s %10.4f %10.4f", text, x->threads, x->name,
            x->median * 1e3, x->p10 * 1e3);
    if (x->cpu > 0)
        fprintf(r->table, " %10.4f", x->cpu * 1e3);
    else
        fprintf(r->table, " %10s", "");
    if (x->flop > 0) {
        double time = x->cpu > 0 ? x->cpu : x->median;
        fprintf(r->table, " %9.1f %6.1f%% %8.1f%%", x->flop / time / 1e9,
                100 * x->flop / time / x->peak, 100 * x->flop / x->p10 / x->peak);
    }
    fflush(r->table);
    json_array_append_new(r->results, result_json(x));
}
