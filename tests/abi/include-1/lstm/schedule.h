#ifndef LSTM_SCHEDULE_H
#define LSTM_SCHEDULE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lstm/export.h>
#include <lstm/status.h>
#ifdef __cplusplus
extern "C" {
#endif
/* cdef begin */
typedef enum lstm_schedule_kind {
    LSTM_SCHEDULE_CONSTANT = 0,
    LSTM_SCHEDULE_STEP = 1,
    LSTM_SCHEDULE_MULTI_STEP = 2,
    LSTM_SCHEDULE_EXPONENTIAL = 3,
    LSTM_SCHEDULE_COSINE = 4,
    LSTM_SCHEDULE_ONE_CYCLE = 5
} lstm_schedule_kind;
typedef struct lstm_schedule {
    lstm_schedule_kind kind;
    double lr;
    uint64_t steps;
    const uint64_t *milestones;
    size_t milestone_count;
    double gamma;
    double min_lr;
    uint64_t warmup;
    double warmup_start;
    double rise;
    double div_factor;
    double final_div_factor;
    bool three_phase;
    bool linear;
    uint64_t reserved[8];
} lstm_schedule;
LSTM_API
lstm_status lstm_schedule_lr(const lstm_schedule *schedule, uint64_t step, double *lr);
typedef struct lstm_plateau {
    double lr;
    bool maximize;
    double factor;
    int64_t patience;
    double threshold;
    bool absolute;
    uint64_t cooldown;
    double min_lr;
    bool started;
    double best;
    uint64_t bad;
    uint64_t cooling;
    uint64_t reserved[8];
} lstm_plateau;
LSTM_API
lstm_status lstm_plateau_update(lstm_plateau *plateau, double metric);
/* cdef end */
#ifdef __cplusplus
}
#endif
#endif
