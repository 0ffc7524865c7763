/*
 * The states of a stream: reset, read and set.
 */
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/stream.h"

static void reset_row(const lstm_tape *tape, size_t row)
{
    const lstm_blocked *blocked = &tape->batch.blocked;
    size_t state = lstm_blocks(tape->weights->state);
    size_t hidden = lstm_blocks(tape->weights->config.hidden);
    for (size_t l = 0; l < tape->weights->config.layers; l++) {
        lstm_blocked_row_clear(blocked, true, tape->at[l].h,
                               lstm_blocked_row(blocked, 0, row, state), state);
        lstm_blocked_row_clear(blocked, false, tape->at[l].c,
                               lstm_blocked_row(blocked, 0, row, hidden), hidden);
    }
}

lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_tape *tape = &stream->tape;
    bool all = true;
    for (size_t row = 0; row < tape->batch.blocked.rows; row++) {
        if (!rows || rows[row])
            reset_row(tape, row);
        else
            all = false;
    }
    tape->has_h0 = tape->has_h0 && !all;
    tape->has_c0 = tape->has_c0 && !all;
    return LSTM_OK;
}

static lstm_status check_states(const lstm_tape *tape, const lstm_tensor *h,
                                const lstm_tensor *c)
{
    const lstm_layer_config *config = &tape->weights->config;
    size_t batch = tape->batch.blocked.rows;
    size_t h_shape[] = {config->layers, batch, tape->weights->state};
    size_t c_shape[] = {config->layers, batch, config->hidden};
    lstm_status status = LSTM_OK;
    if (h)
        status = lstm_tensor_expect(h, "stream", "h", 3, h_shape);
    if (!status && c)
        status = lstm_tensor_expect(c, "stream", "c", 3, c_shape);
    return status;
}

lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    const lstm_tape *tape = &stream->tape;
    const lstm_range all = lstm_range_all(&tape->batch);
    lstm_status status = check_states(tape, h, c);
    for (size_t l = 0; !status && l < tape->weights->config.layers; l++) {
        if (h)
            lstm_first_state_out(&tape->batch, &all, tape->at[l].h,
                                 tape->weights->state, true, h, l);
        if (c)
            lstm_first_state_out(&tape->batch, &all, tape->at[l].c,
                                 tape->weights->config.hidden, false, c, l);
    }
    return status;
}

lstm_status lstm_stream_set_state(lstm_stream *stream, const lstm_tensor *h,
                                  const lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_tape *tape = &stream->tape;
    const lstm_range all = lstm_range_all(&tape->batch);
    lstm_status status = check_states(tape, h, c);
    if (status)
        return status;
    for (size_t l = 0; l < tape->weights->config.layers; l++) {
        lstm_state_in(&tape->batch, &all, h, l, tape->weights->state, true,
                      tape->at[l].h);
        lstm_state_in(&tape->batch, &all, c, l, tape->weights->config.hidden, false,
                      tape->at[l].c);
    }
    tape->has_h0 = h;
    tape->has_c0 = c;
    return LSTM_OK;
}
