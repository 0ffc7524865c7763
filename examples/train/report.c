#include <time.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/train/report.h"

/* Interval between updates of the progress line. */
static const double update_seconds = 0.2;

double report_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool log_failed(train_report *report)
{
    report->failed = true;
    return message_error("%s: %s", report->log_name, message_errno());
}

static bool events_failed(train_report *report)
{
    report->failed = true;
    return message_error("%s: events: %s", report->events_name, message_errno());
}

double report_elapsed(const train_report *report)
{
    return report->before + report_seconds() - report->started;
}

void report_open(train_report *report, const train_options *options, size_t steps,
                 size_t samples, double before, train_files *files)
{
    *report = (train_report){
        .epochs = options->epochs,
        .steps = steps,
        .log_every = options->log_every,
        .log = files->log,
        .log_name = options->log,
        .events = files->events,
        .events_name = options->tensorboard,
        .page = &files->page,
        .before = before,
        .progress = !options->quiet && !options->no_progress && message_has_terminal(),
        .samples_total = options->epochs * samples,
        .started = report_seconds(),
    };
}

bool report_close(train_report *report)
{
    FILE *log = report->log;
    report->log = NULL;
    message_clear_progress();
    bool closed = events_close(&report->events) || events_failed(report);
    return (!log || fclose(log) == 0 || log_failed(report)) && closed;
}

static bool check_output(train_report *report, int printed)
{
    if (printed >= 0 && fflush(stdout) == 0)
        return true;
    report->failed = true;
    return message_error("standard output: %s", message_errno());
}

/* Shows the form of the line that fits the terminal, the shortest if none does. */
static void show(const train_line *line, const train_report *report, double rate,
                 int minutes, int seconds)
{
    double loss = (double)line->loss;
    char text[200];
    int room = (int)message_columns(), size;
    size =
        snprintf(text, sizeof(text),
                 "epoch %zu/%zu  step %zu/%zu  loss %.4f  %.0f samples/s  %d:%02d left",
                 line->epoch, report->epochs, line->step, report->steps, loss, rate,
                 minutes, seconds);
    if (size >= room)
        size =
            snprintf(text, sizeof(text),
                     "epoch %zu/%zu  step %zu/%zu  loss %.4f  %d:%02d", line->epoch,
                     report->epochs, line->step, report->steps, loss, minutes, seconds);
    if (size >= room)
        snprintf(text, sizeof(text), "%zu/%zu %zu/%zu %.3f %d:%02d", line->epoch,
                 report->epochs, line->step, report->steps, loss, minutes, seconds);
    message_progress("%s", text);
}

static void draw_progress(train_report *report, const train_line *line)
{
    double now = report_seconds();
    if (!report->progress || now - report->drawn < update_seconds)
        return;
    double rate = (double)report->samples_done / (now - report->started);
    double left = (double)(report->samples_total - report->samples_done) / rate;
    report->drawn = now;
    show(line, report, rate, (int)(left / 60), (int)left % 60);
}

bool report_step(train_report *report, const train_line *line, size_t samples)
{
    report->samples_done += samples;
    if (line->step % report->log_every == 0) {
        message_clear_progress();
        if (!check_output(report,
                          printf("Epoch [%zu/%zu], Step [%zu/%zu], Loss: %.4f\n",
                                 line->epoch, report->epochs, line->step, report->steps,
                                 (double)line->loss)))
            return false;
    }
    draw_progress(report, line);
    return true;
}

bool report_log(train_report *report, const train_line *line, double accuracy)
{
    if (report->log &&
        !line_write(report->log, line_format_of(report->log_name), line, accuracy))
        return log_failed(report);
    if (!events_step(&report->events, line))
        return events_failed(report);
    return page_step(report->page, line) || !(report->failed = true);
}

bool report_epoch(train_report *report, const train_line *line, double mean,
                  bool diverges)
{
    if (!events_epoch(&report->events, line->epoch, mean, line->lr))
        return events_failed(report);
    return page_end_epoch(report->page, line, diverges) || !(report->failed = true);
}

bool report_page(train_report *report, const train_state *trainer, const char *state)
{
    return page_save(report->page, trainer, state) || !(report->failed = true);
}

bool report_sync(train_report *report)
{
    if (report->log && !output_sync(report->log))
        return log_failed(report);
    return events_sync(&report->events) || events_failed(report);
}

bool report_accuracy(train_report *report, const char *set, size_t epoch,
                     size_t correct, size_t count)
{
    double accuracy = (double)correct / (double)count;
    message_clear_progress();
    if (!check_output(report,
                      printf("Epoch [%zu/%zu], %s accuracy: %.2f%% (%zu/%zu)\n", epoch,
                             report->epochs, set,
                             100.0 * (double)correct / (double)count, correct, count)))
        return false;
    page_accuracy(report->page, set, epoch, accuracy);
    return events_accuracy(&report->events, set, epoch, accuracy) ||
           events_failed(report);
}
