/* The value of --schedule. What is accepted gives a finite learning rate of at least 0
 * at each step. */
#include <math.h>

#include "examples/train/schedule.h"
#include "tests/fuzz/fuzz.h"

static void check_rates(train_schedule *schedule)
{
    enum { STEPS_PER_EPOCH = 10, EPOCHS = 4 };
    schedule_start(schedule, 0.001, STEPS_PER_EPOCH, EPOCHS);
    for (uint64_t step = 0; step <= STEPS_PER_EPOCH * EPOCHS; step++) {
        double lr = -1;
        if (lstm_schedule_lr(&schedule->rates, step, &lr) == LSTM_OK)
            FUZZ_CHECK(lr >= 0 && !isnan(lr));
        else
            fuzz_check_message(lstm_last_error());
    }
}

static void check_levels(train_schedule *schedule)
{
    enum { EPOCHS = 20 };
    schedule_start(schedule, 0.001, 1, EPOCHS);
    for (int epoch = 0; epoch < EPOCHS; epoch++)
        if (lstm_plateau_update(&schedule->levels, 1.0 / (1 + epoch % 4)) == LSTM_OK)
            FUZZ_CHECK(schedule->levels.lr >= 0 && isfinite(schedule->levels.lr));
        else
            fuzz_check_message(lstm_last_error());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    char *text = fuzz_text(&input, 0);
    char why[200] = "";
    train_schedule schedule = {0};
    if (!schedule_parse(&schedule, text, why, sizeof(why)))
        FUZZ_CHECK(*why);
    else if (schedule.on_plateau)
        check_levels(&schedule);
    else
        check_rates(&schedule);
    free(text);
    return 0;
}
