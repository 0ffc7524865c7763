#include <math.h>
#include <stdio.h>

#include "examples/common/message.h"
#include "examples/train/diverge.h"

enum { ADVICE_SIZE = 120 };
/* Batches differ in their loss. */
static const double margin = 1.05;

/* Smaller steps than those of the options. */
static const char *advise(char *text, const train_options *options)
{
    double lr = options->lr > 0.001 ? fmax(options->lr / 10, 0.001) : options->lr / 10;
    int size = snprintf(text, ADVICE_SIZE, "try --lr %g", lr);
    if (options->clip_norm == 0)
        snprintf(text + size, ADVICE_SIZE - (size_t)size, " or --clip-norm 1");
    return text;
}

bool diverge_loss(const train_line *line, const train_options *options)
{
    char advice[ADVICE_SIZE];
    return message_error("epoch %zu, step %zu: the loss is %g, expected a finite "
                         "number: the run diverged, probably because its steps are too "
                         "large (--lr %g); %s",
                         line->epoch, line->step, (double)line->loss, options->lr,
                         advise(advice, options));
}

bool diverge_found(double mean, double first, size_t classes, double *start)
{
    double guessing = log((double)(classes > 1 ? classes : 2));
    *start = first < 0 ? guessing : fmax(first, guessing / 2);
    return mean > margin * *start;
}

bool diverge_warn(size_t epoch, double mean, double first, size_t classes,
                  const train_options *options)
{
    char advice[ADVICE_SIZE];
    double start;
    if (!diverge_found(mean, first, classes, &start))
        return false;
    const char *what = start == first ? "the loss of the first step"
                       : first < 0    ? "the loss of guessing"
                                      : "half the loss of guessing";
    message_warning("epoch %zu: the mean loss is %.4g, above %.4g, %s: the run "
                    "diverges, probably because its steps are too large (--lr %g); %s; "
                    "if that does not help, the labels may not fit the images",
                    epoch, mean, start, what, options->lr, advise(advice, options));
    return true;
}
