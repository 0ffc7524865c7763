#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/train/line.h"
#include "examples/train/locks.h"
#include "examples/train/log.h"
#include "examples/train/stored.h"

/* A step of a run, in the order of time. */
typedef struct moment {
    size_t epoch, step;
} moment;

/* What a log has up to the position of a checkpoint. */
typedef struct scan {
    moment last;
    float loss;
    /* Bytes up to there, and of the whole file. */
    long kept, size;
    /* Whether memory was exhausted. */
    bool failed;
} scan;

static int compare(moment a, moment b)
{
    if (a.epoch != b.epoch)
        return a.epoch < b.epoch ? -1 : 1;
    return a.step < b.step ? -1 : a.step > b.step;
}

/* Whether there is a log with content. */
static bool exists(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0;
}

static bool failed(const char *path)
{
    return message_error("%s: %s", path, message_write_reason(path));
}

bool log_check(const train_options *options)
{
    if (line_name_misleads(options->log))
        return message_error("%s: a log is not one JSON value, expected a name with "
                             ".jsonl for JSON lines, or with .csv",
                             options->log);
    if (options->log && !output_is_apart(options->log))
        return false;
    if (!options->log || options->resume || options->force || !exists(options->log))
        return true;
    return message_error("%s: the log exists; --force replaces it, or choose another "
                         "name",
                         options->log);
}

/* Reads lines up to a moment. Returns false for a file that is not a log. What follows
 * may be anything: a killed run may leave a part of a line, and a loss of power blocks
 * that were never written. */
static bool read_lines(FILE *file, line_format format, moment end, scan *s,
                       train_page *page)
{
    char *line = NULL;
    size_t room = 0;
    const char *header = line_header(format);
    bool valid =
        !*header || (getline(&line, &room, file) > 0 && strcmp(line, header) == 0);
    s->kept = ftell(file);
    for (ssize_t size; valid && compare(s->last, end) < 0 &&
                       (size = getline(&line, &room, file)) > 0;) {
        train_line read;
        double accuracy;
        if (line[size - 1] != '\n')
            break;
        valid = line_read(line, format, &read, &accuracy);
        moment now = {read.epoch, read.step};
        valid = valid && compare(s->last, now) < 0;
        if (!valid || compare(now, end) > 0)
            break;
        if (!page_read(page, &read, accuracy)) {
            s->failed = true;
            break;
        }
        s->last = now;
        s->loss = read.loss;
        s->kept = ftell(file);
    }
    free(line);
    return valid && !ferror(file) && fseek(file, 0, SEEK_END) == 0 &&
           (s->size = ftell(file)) >= 0;
}

/* The last step of the checkpoint that is in the log. */
static moment position(const train_state *trainer)
{
    size_t logged = trainer_logged_steps(trainer);
    if (trainer->epoch == 0)
        return (moment){0, 0};
    if (logged > 0)
        return (moment){trainer->epoch, logged};
    size_t steps = mnist_loader_batches(trainer->train);
    return (moment){trainer->epoch - 1, trainer->epoch > 1 ? steps : 0};
}

/* The learning rate of the first step. */
static double first_rate(const train_state *trainer)
{
    const train_schedule *schedule = &trainer->schedule;
    double lr = lstm_adam_lr(trainer->adam);
    bool changes = schedule->name && !schedule->on_plateau;
    return changes && lstm_schedule_lr(&schedule->rates, 0, &lr) != LSTM_OK ? 0 : lr;
}

/* Whether a line is, or begins to be, that of the first step of the run. */
static bool is_first(const char *line, line_format format, const train_state *trainer)
{
    train_line read;
    double accuracy;
    return !strchr(line, '\n') ||
           (line_read(line, format, &read, &accuracy) && read.epoch == 1 &&
            read.step == 1 && read.lr == first_rate(trainer));
}

/* Whether a log is of this run, as far as can be told by a checkpoint without a step:
 * the run was killed before the next one. It has made that log if the checkpoint names
 * it, because a run does not begin with a log of others. */
static bool check_first(const char *path, const train_options *options,
                        const train_state *trainer, FILE *file, const scan *s)
{
    char *line = NULL;
    size_t room = 0;
    const char *named = stored_file("log");
    if (s->size == s->kept)
        return true;
    if (!named || strcmp(named, path) != 0)
        return message_error("%s: the log cannot be compared with %s, which has no "
                             "step yet and names %s; --force removes its lines",
                             path, options->resume, named ? "another log" : "no log");
    bool own = fseek(file, s->kept, SEEK_SET) == 0 && getline(&line, &room, file) > 0 &&
               is_first(line, line_format_of(path), trainer);
    free(line);
    return own ||
           message_error("%s: the log is of another run: it does not begin with "
                         "step 1 of epoch 1 and the rate %g; --force removes its "
                         "lines",
                         path, first_rate(trainer));
}

/* Whether the lines of the log are of this run. */
static bool check_lines(const char *path, const train_options *options,
                        const train_state *trainer, const scan *s, moment end)
{
    if (compare(s->last, end) != 0)
        return message_error("%s: the log ends at step %zu of epoch %zu, expected step "
                             "%zu of epoch %zu, the last one in %s; another name "
                             "begins another log",
                             path, s->last.step, s->last.epoch, end.step, end.epoch,
                             options->resume);
    bool comparable = end.epoch == trainer->epoch && end.step == trainer->step;
    if (end.epoch > 0 && comparable && s->loss != trainer->loss_last)
        return message_error("%s: the log is of another run: the loss of step %zu of "
                             "epoch %zu is %.9g, expected %.9g",
                             path, end.step, end.epoch, (double)s->loss,
                             (double)trainer->loss_last);
    return true;
}

/* Replaces the log by its first bytes. */
static bool cut(const char *path, FILE *file, long size)
{
    output out;
    rewind(file);
    if (!output_open(&out, path))
        return false;
    for (int byte; size-- > 0 && (byte = getc(file)) != EOF;)
        putc(byte, out.stream);
    if (!ferror(file))
        return output_commit(&out);
    output_abandon(&out);
    return failed(path);
}

/* Prepares an existing log for what follows the checkpoint. */
static bool prepare(const char *path, const train_options *options,
                    const train_state *trainer, train_page *page)
{
    scan s = {0};
    moment end = position(trainer);
    FILE *file = fopen(path, "re");
    if (!file)
        return failed(path);
    line_format format = line_format_of(path);
    bool done =
        locks_take_open(fileno(file), path) &&
        (read_lines(file, format, end, &s, page)
             ? !s.failed && check_lines(path, options, trainer, &s, end) &&
                   (end.epoch > 0 || check_first(path, options, trainer, file, &s))
             : message_error("%s: is not a log with the %s " LINE_COLUMNS, path,
                             format == LINE_JSON ? "keys" : "columns"));
    if (done && s.size > s.kept) {
        if (end.epoch == 0)
            message_info("%s: removed the lines of steps, all of which are done again",
                         path);
        else
            message_info("%s: removed the lines after step %zu of epoch %zu, which are "
                         "done again",
                         path, end.step, end.epoch);
        done = cut(path, file, s.kept);
    }
    fclose(file);
    return done;
}

bool log_open(FILE **log, const train_options *options, const train_state *trainer,
              train_page *page)
{
    const char *path = options->log;
    *log = NULL;
    if (!path)
        return true;
    /* A log without a step of the checkpoint has nothing to keep. */
    bool begins = options->force && position(trainer).epoch == 0;
    bool goes_on = options->resume && exists(path) && !begins;
    struct stat facts;
    bool taken = stat(path, &facts) == 0;
    if (!taken && errno != ENOENT)
        return failed(path);
    if (goes_on ? !prepare(path, options, trainer, page) : !log_check(options))
        return false;
    /* "x": another run that starts now does not write the same file. An existing log is
     * emptied only after its lock is taken. */
    *log = fopen(path, goes_on || taken ? "ae" : "wxe");
    if (!*log)
        return failed(path);
    if (!locks_take_open(fileno(*log), path)) {
        fclose(*log);
        *log = NULL;
        return false;
    }
    if (!goes_on && taken && S_ISREG(facts.st_mode) && ftruncate(fileno(*log), 0))
        return failed(path);
    /* Line buffering, so that other programs can follow the file step by step. */
    setvbuf(*log, NULL, _IOLBF, BUFSIZ);
    return goes_on ||
           (fputs(line_header(line_format_of(path)), *log) >= 0 &&
            output_sync_new(*log, path)) ||
           failed(path);
}
