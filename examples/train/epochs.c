/* An epoch consists of its steps, then the evaluation, the line of its last step in the
 * log, and a checkpoint. A run that is stopped during the evaluation repeats all of
 * them when it is resumed. */
#include <math.h>
#include <stdio.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/train/checkpoint.h"
#include "examples/train/diverge.h"
#include "examples/train/epochs.h"
#include "examples/train/ranks.h"

/* Evaluates on a set and reports the accuracy of an epoch, unless stopped. */
static bool evaluate(const train_run *run, const char *name, train_tester *set,
                     size_t epoch, size_t *correct)
{
    return trainer_evaluate(run->trainer, set, correct, run->stop) &&
           (*run->stop ||
            report_accuracy(run->report, name, epoch, *correct, set->count));
}

static train_line last_line(const train_state *trainer)
{
    return (train_line){trainer->epoch, trainer->step, trainer->loss_last,
                        lstm_adam_lr(trainer->adam), trainer->seconds};
}

/* Writes a checkpoint. The log comes first: after a loss of power it has at least the
 * steps of the checkpoint. */
static bool save(const train_run *run)
{
    return report_sync(run->report) &&
           checkpoint_save(run->trainer, run->options->checkpoint);
}

/* Writes a checkpoint within the epoch if --checkpoint-every says so. */
static bool save_regularly(train_run *run)
{
    const train_interval *every = &run->options->checkpoint_every;
    double now = report_seconds();
    run->unsaved_steps++;
    if ((every->steps == 0 || run->unsaved_steps < every->steps) &&
        (every->seconds == 0 || now - run->saved < every->seconds))
        return true;
    run->unsaved_steps = 0;
    run->saved = now;
    return save(run);
}

/* Writes the page of a run that ends in the middle of an epoch. */
static bool save_last_page(const train_run *run, const char *why)
{
    char state[160];
    snprintf(state, sizeof(state), "The run %s at step %zu of epoch %zu.", why,
             run->trainer->step, run->trainer->epoch);
    return report_page(run->report, run->trainer, state);
}

/* Reports a loss that is NaN or infinite, on the page too. */
static bool end_diverged(const train_run *run, const train_line *line)
{
    run->report->page->diverges = true;
    diverge_loss(line, run->options);
    save_last_page(run, "diverged: its loss was no number");
    return false;
}

static bool train_step(train_run *run)
{
    size_t samples;
    train_state *trainer = run->trainer;
    if (!trainer_step(trainer, &samples))
        return false;
    trainer->seconds = report_elapsed(run->report);
    train_line line = last_line(trainer);
    if (!isfinite(line.loss))
        return end_diverged(run, &line);
    if (line.epoch == 1 && line.step == 1)
        run->first_loss = (double)line.loss;
    return report_step(run->report, &line, samples) &&
           (line.step == run->report->steps || report_log(run->report, &line, -1)) &&
           save_regularly(run);
}

/* Says how long the steps of an epoch took, and of this the exchange between ranks. */
static void describe_time(const train_state *trainer, size_t steps, double seconds,
                          double exchange)
{
    double each = 1e3 / (double)(steps > 0 ? steps : 1);
    char text[60] = "";
    if (trainer->ranks)
        snprintf(text, sizeof(text), ", %.3f ms of it in the exchange",
                 exchange * each);
    message_info("epoch %zu: %zu step%s in %.2f s, %.3f ms each%s", trainer->epoch,
                 steps, number_plural(steps), seconds, seconds * each, text);
}

/* Trains the remaining steps of the epoch. */
static bool train_steps(train_run *run)
{
    const train_state *trainer = run->trainer;
    double started = report_seconds(), exchanged = ranks_exchange(trainer);
    size_t first = trainer->step;
    while (trainer->step < run->report->steps && !ranks_stop(trainer))
        if (!train_step(run))
            return false;
    describe_time(trainer, trainer->step - first, report_seconds() - started,
                  ranks_exchange(trainer) - exchanged);
    return true;
}

/* Whether to test the epoch. At the end of the run, --keep best tests the best epoch
 * instead. */
static bool tests_epoch(const train_run *run)
{
    const train_options *options = run->options;
    return options->eval == TRAIN_EVAL_EPOCH ||
           (options->eval == TRAIN_EVAL_END && options->keep != TRAIN_KEEP_BEST &&
            trainer_is_last(run->trainer, options));
}

/* Evaluates the epoch; accuracy is negative if no set is evaluated. */
static bool evaluate_epoch(const train_run *run, double *accuracy)
{
    train_state *trainer = run->trainer;
    train_tester *validation = &trainer->validation, *test = &trainer->test;
    size_t correct;
    *accuracy = -1;
    if (validation->loader) {
        if (!evaluate(run, "Validation", validation, trainer->epoch, &correct))
            return false;
        *accuracy = (double)correct / (double)validation->count;
        if (!*run->stop)
            trainer_compare(trainer, correct);
    }
    if (*run->stop || !tests_epoch(run))
        return true;
    if (!evaluate(run, "Test", test, trainer->epoch, &correct))
        return false;
    if (!validation->loader)
        *accuracy = (double)correct / (double)test->count;
    return true;
}

/* Evaluates and ends an epoch whose steps are done. */
static bool complete_epoch(const train_run *run)
{
    train_state *trainer = run->trainer;
    const train_best before = trainer->best;
    double accuracy;
    bool done = evaluate_epoch(run, &accuracy);
    train_line line = last_line(trainer);
    if (!done || *run->stop || !report_log(run->report, &line, accuracy)) {
        trainer->best = before;
        return done && *run->stop;
    }
    double mean = trainer->loss_sum / (double)trainer->loss_count;
    bool diverges =
        diverge_warn(&line, mean, run->first_loss, trainer->classes, run->options);
    if (!report_epoch(run->report, &line, mean, diverges)) {
        trainer->best = before;
        return false;
    }
    if (!trainer_end_epoch(trainer))
        return false;
    if (trainer->epoch < run->options->epochs && trainer_is_last(trainer, run->options))
        message_info("the validation has not improved for %zu epoch%s",
                     trainer->best.bad, number_plural(trainer->best.bad));
    return true;
}

/* Writes the page of a run that goes on. After the last epoch it is written when all is
 * done. */
static bool save_page(const train_run *run)
{
    const train_state *trainer = run->trainer;
    char state[120];
    if (*run->stop || trainer_is_last(trainer, run->options))
        return true;
    snprintf(state, sizeof(state),
             "The run goes on: this page was written after epoch %zu of at most %zu.",
             trainer->epoch, (size_t)run->options->epochs);
    return report_page(run->report, trainer, state);
}

/* Trains an epoch, or the rest of it after a resume, and evaluates it. */
static bool train_epoch(train_run *run)
{
    return train_steps(run) && (*run->stop || complete_epoch(run)) &&
           (!run->options->checkpoint || save(run)) && save_page(run);
}

/* Gives the network the best weights, and tests them unless their epoch was tested. */
static bool use_best(const train_run *run)
{
    train_state *trainer = run->trainer;
    const train_best *best = &trainer->best;
    train_eval eval = run->options->eval;
    size_t correct;
    bool tests = eval == TRAIN_EVAL_END ||
                 (eval == TRAIN_EVAL_EPOCH && best->epoch != trainer->epoch);
    message_info("the best epoch is %zu", best->epoch);
    return trainer_use_best(trainer) &&
           (!tests || evaluate(run, "Test", &trainer->test, best->epoch, &correct));
}

/* Without a checkpoint, no later run writes the line of the last step of an epoch that
 * is not complete. */
static bool log_rest(const train_run *run)
{
    train_line line = last_line(run->trainer);
    return run->options->checkpoint ||
           trainer_logged_steps(run->trainer) == run->trainer->step ||
           report_log(run->report, &line, -1);
}

bool epochs_train(train_run *run)
{
    train_state *trainer = run->trainer;
    size_t correct;
    run->saved = report_seconds();
    run->first_loss = -1;
    if (run->options->epochs == 0)
        return evaluate(run, "Test", &trainer->test, 0, &correct) &&
               (*run->stop || report_page(run->report, trainer, NULL));
    /* An epoch that was not complete when the checkpoint was written. */
    if (trainer->completed < trainer->epoch && !train_epoch(run))
        return false;
    while (!trainer_is_finished(trainer, run->options) && !*run->stop)
        if (!trainer_start_epoch(trainer) || !train_epoch(run))
            return false;
    if (*run->stop)
        return log_rest(run) && save_last_page(run, "was interrupted");
    return (!trainer->best.weights || use_best(run)) &&
           report_page(run->report, trainer, NULL);
}
