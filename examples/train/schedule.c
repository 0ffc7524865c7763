#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/train/schedule.h"

/* Bits of the schedules, for the set of schedules to which an option belongs. */
enum {
    STEP = 1,
    MULTI_STEP = 2,
    EXPONENTIAL = 4,
    COSINE = 8,
    ONE_CYCLE = 16,
    PLATEAU = 32,
    WARM = STEP | MULTI_STEP | EXPONENTIAL | COSINE
};

static const struct name {
    const char *name;
    unsigned bit;
    lstm_schedule_kind kind;
    const char *help;
} names[] = {
    {"step", STEP, LSTM_SCHEDULE_STEP, "multiply by gamma once per 'every' epochs"},
    {"multistep", MULTI_STEP, LSTM_SCHEDULE_MULTI_STEP,
     "multiply by gamma at each milestone, for example at=4,at=8"},
    {"exponential", EXPONENTIAL, LSTM_SCHEDULE_EXPONENTIAL,
     "multiply by gamma per epoch, in equal factors per step"},
    {"cosine", COSINE, LSTM_SCHEDULE_COSINE,
     "half a cosine wave down to min over the run"},
    {"one-cycle", ONE_CYCLE, LSTM_SCHEDULE_ONE_CYCLE,
     "rise from lr/div to lr in a fraction 'rise' of the run, then fall to\n"
     "      lr/div/final-div"},
    {"plateau", PLATEAU, LSTM_SCHEDULE_CONSTANT,
     "multiply by factor after more than 'patience' epochs without improvement"},
};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

#define FIELD(name) offsetof(train_schedule, name)

/* In the order of --help. Valid values are above low, or equal to it if inclusive, and
 * at most high. */
static const struct key {
    const char *name;
    unsigned schedules;
    size_t field;
    double standard, low, high;
    bool inclusive;
} keys[] = {
    {"every", STEP, FIELD(every), 1, 0, 1e6, false},
    {"at", MULTI_STEP, FIELD(at), 0, 0, 1e6, true},
    {"gamma", STEP | MULTI_STEP, FIELD(gamma), 0.1, 0, 1e6, false},
    {"gamma", EXPONENTIAL, FIELD(gamma), 0.9, 0, 1e6, false},
    {"rise", ONE_CYCLE, FIELD(rates.rise), 0.3, 0, 0.999, false},
    {"div", ONE_CYCLE, FIELD(rates.div_factor), 25, 0, 1e12, false},
    {"final-div", ONE_CYCLE, FIELD(rates.final_div_factor), 1e4, 0, 1e12, false},
    {"factor", PLATEAU, FIELD(levels.factor), 0.1, 0, 0.999, false},
    {"patience", PLATEAU, FIELD(patience), 2, 0, 1e6, true},
    {"threshold", PLATEAU, FIELD(levels.threshold), 1e-4, 0, 1e6, false},
    {"cooldown", PLATEAU, FIELD(cooldown), 0, 0, 1e6, true},
    {"min", COSINE, FIELD(rates.min_lr), 0, 0, 1e6, true},
    {"min", PLATEAU, FIELD(levels.min_lr), 0, 0, 1e6, true},
    {"warmup", WARM, FIELD(warmup), 0, 0, 1e6, true},
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

void schedule_print_help(void)
{
    for (size_t i = 0; i < NAMES; i++) {
        const char *before = ":";
        printf("  %s", names[i].name);
        for (size_t k = 0; k < KEYS; k++)
            if (keys[k].schedules & names[i].bit) {
                if (keys[k].field == FIELD(at))
                    printf("%s%s=EPOCH", before, keys[k].name);
                else
                    printf("%s%s=%g", before, keys[k].name, keys[k].standard);
                before = ",";
            }
        printf("\n      %s\n", names[i].help);
    }
}

static const struct name *find_name(const char *text, size_t length)
{
    for (size_t i = 0; i < NAMES; i++)
        if (strlen(names[i].name) == length &&
            strncmp(text, names[i].name, length) == 0)
            return &names[i];
    return NULL;
}

static const struct key *find_key(unsigned schedule, const char *text, size_t length)
{
    for (size_t i = 0; i < KEYS; i++)
        if ((keys[i].schedules & schedule) && strlen(keys[i].name) == length &&
            strncmp(text, keys[i].name, length) == 0)
            return &keys[i];
    return NULL;
}

static double *field(train_schedule *schedule, const struct key *key)
{
    return (double *)(void *)((char *)schedule + key->field);
}

/* Whether the values are numbers of epochs that the library counts. */
static bool is_count(const struct key *key)
{
    return key->field == FIELD(patience) || key->field == FIELD(cooldown);
}

/* Parses a decimal number up to the next comma. */
static bool parse_value(const struct key *key, const char *text, double *value)
{
    char *end;
    size_t length = strcspn(text, ",");
    *value = strtod(text, &end);
    return length > 0 && strspn(text, "0123456789.eE+-") >= length &&
           end == text + length && *value <= key->high &&
           (!is_count(key) || *value == floor(*value)) &&
           (*value > key->low || (key->inclusive && *value == key->low));
}

/* Parses KEY=VALUE. seen has a bit for each key that was given. */
static bool parse_pair(train_schedule *schedule, unsigned bit, const char *text,
                       unsigned *seen, char *why, size_t size)
{
    size_t length = strcspn(text, "=,");
    const struct key *key = text[length] == '=' ? find_key(bit, text, length) : NULL;
    if (!key) {
        snprintf(why, size, "unknown option '%.*s' of %s", (int)strcspn(text, ","),
                 text, schedule->name);
        return false;
    }
    double value;
    const char *given = text + length + 1;
    if (!parse_value(key, given, &value)) {
        snprintf(why, size, "%s is '%.*s', expected %s %s %g and at most %g", key->name,
                 (int)strcspn(given, ","), given,
                 is_count(key) ? "an integer" : "a number",
                 key->inclusive ? "of at least" : "above", key->low, key->high);
        return false;
    }
    bool is_milestone = key->field == FIELD(at);
    if (is_milestone && schedule->at_count == SCHEDULE_MAX_MILESTONES) {
        snprintf(why, size, "at is given more than %d times", SCHEDULE_MAX_MILESTONES);
        return false;
    }
    unsigned mark = 1u << (key - keys);
    if (!is_milestone && (*seen & mark)) {
        snprintf(why, size, "%s is given twice", key->name);
        return false;
    }
    *seen |= mark;
    field(schedule, key)[is_milestone ? schedule->at_count++ : 0] = value;
    return true;
}

bool schedule_parse(train_schedule *schedule, const char *text, char *why, size_t size)
{
    size_t length = strcspn(text, ":");
    const struct name *name = find_name(text, length);
    if (!name) {
        snprintf(why, size,
                 "expected step, multistep, exponential, cosine, one-cycle "
                 "or plateau");
        return false;
    }
    *schedule = (train_schedule){.name = name->name,
                                 .on_plateau = name->bit == PLATEAU,
                                 .rates.kind = name->kind};
    for (size_t i = 0; i < KEYS; i++)
        if ((keys[i].schedules & name->bit) && keys[i].field != FIELD(at))
            *field(schedule, &keys[i]) = keys[i].standard;
    const char *next = text + length;
    unsigned seen = 0;
    while (*next != '\0') {
        if (!parse_pair(schedule, name->bit, ++next, &seen, why, size))
            return false;
        next += strcspn(next, ",");
    }
    if (name->bit == MULTI_STEP && schedule->at_count == 0) {
        snprintf(why, size, "multistep requires at least one at=EPOCH");
        return false;
    }
    return true;
}

/* Rounds a time in epochs to a number of steps. */
static uint64_t step_at(double epochs, size_t steps_per_epoch)
{
    return (uint64_t)llround(epochs * (double)steps_per_epoch);
}

void schedule_start(train_schedule *schedule, double lr, size_t steps_per_epoch,
                    size_t epochs)
{
    lstm_schedule *rates = &schedule->rates;
    uint64_t run = (uint64_t)steps_per_epoch * epochs;
    rates->lr = lr;
    rates->gamma = schedule->gamma;
    rates->warmup = step_at(schedule->warmup, steps_per_epoch);
    rates->steps = run - (rates->warmup < run ? rates->warmup : 0);
    if (rates->kind == LSTM_SCHEDULE_EXPONENTIAL)
        rates->gamma = pow(schedule->gamma, 1 / (double)steps_per_epoch);
    if (rates->kind == LSTM_SCHEDULE_STEP)
        rates->steps = step_at(schedule->every, steps_per_epoch);
    if (rates->steps == 0)
        rates->steps = 1;
    for (size_t i = 0; i < schedule->at_count; i++)
        schedule->milestones[i] = step_at(schedule->at[i], steps_per_epoch);
    rates->milestones = schedule->milestones;
    rates->milestone_count = schedule->at_count;
    schedule->levels.lr = lr;
    /* In lstm_plateau, 0 selects the default and a negative value means 0. */
    schedule->levels.patience =
        schedule->patience < 1 ? -1 : (int64_t)schedule->patience;
    schedule->levels.cooldown = (uint64_t)schedule->cooldown;
}

bool schedule_rises(const train_schedule *schedule, size_t steps, size_t *step,
                    double *lr)
{
    /* More than the rounding of a factor. */
    const double most = schedule->rates.lr * (1 + 1e-9);
    if (!schedule->name || schedule->on_plateau)
        return false;
    double begin = 0, end = 0;
    if (lstm_schedule_lr(&schedule->rates, 0, &begin) != LSTM_OK ||
        lstm_schedule_lr(&schedule->rates, steps - 1, &end) != LSTM_OK)
        return false;
    *step = end > begin ? steps : 1;
    *lr = end > begin ? end : begin;
    return *lr > most;
}

bool schedule_step(const train_schedule *schedule, lstm_adam *adam)
{
    double lr;
    if (!schedule->name || schedule->on_plateau)
        return true;
    return lstm_schedule_lr(&schedule->rates, lstm_adam_steps(adam), &lr) == LSTM_OK &&
           lstm_adam_set_lr(adam, lr) == LSTM_OK;
}

bool schedule_end_epoch(train_schedule *schedule, lstm_adam *adam, double loss)
{
    if (!schedule->on_plateau)
        return true;
    return lstm_plateau_update(&schedule->levels, loss) == LSTM_OK &&
           lstm_adam_set_lr(adam, schedule->levels.lr) == LSTM_OK;
}
