/*
 * The states of a stream: reset, read and set.
 */
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/kernels/blocks.h"
#include "lib/lstm/kernels/pairs.h"
#include "lib/lstm/nn/stream.h"
#include "lib/lstm/tensor/tensor.h"

static void clear_row(const lstm_stream *stream, size_t row, size_t channels,
                      float *states)
{
    float *to = states + lstm_stream_offset(stream, row, channels);
    for (size_t block = 0; block < lstm_blocks(channels); block++)
        memset(to + block * stream->stride, 0, LSTM_BLOCK * sizeof(*to));
}

static void clear_h(const lstm_stream *stream, size_t row, float *states)
{
    static const float zeros[LSTM_BLOCK];
    float *to = states + lstm_stream_offset(stream, row, stream->state);
    if (!stream->kernels->to_pairs)
        clear_row(stream, row, stream->state, states);
    for (size_t block = 0;
         stream->kernels->to_pairs && block < lstm_blocks(stream->state); block++)
        lstm_pairs_put(to + block * stream->stride - row % 2 * LSTM_BLOCK, row % 2,
                       zeros);
}

lstm_status lstm_stream_reset(lstm_stream *stream, const bool *rows)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    bool all = true;
    for (size_t row = 0; row < stream->batch; row++) {
        bool wanted = !rows || rows[row];
        all = all && wanted;
        for (size_t l = 0; wanted && l < stream->layers; l++) {
            clear_h(stream, row, stream->at[l].h);
            clear_row(stream, row, stream->hidden, stream->at[l].c);
        }
    }
    stream->has_h = stream->has_h && !all;
    stream->has_c = stream->has_c && !all;
    return LSTM_OK;
}

static lstm_status check_states(const lstm_stream *stream, const lstm_tensor *h,
                                const lstm_tensor *c)
{
    size_t h_shape[] = {stream->layers, stream->batch, stream->state};
    size_t c_shape[] = {stream->layers, stream->batch, stream->hidden};
    lstm_status status = LSTM_OK;
    if (h)
        status = lstm_tensor_expect(h, "stream", "h", 3, h_shape);
    if (!status && c)
        status = lstm_tensor_expect(c, "stream", "c", 3, c_shape);
    return status;
}

static float *state_of(const lstm_tensor *tensor, size_t l, size_t row)
{
    return tensor->data + (ptrdiff_t)l * tensor->strides[0] +
           (ptrdiff_t)row * tensor->strides[1];
}

static void c_out(const lstm_stream *stream, lstm_tensor *to, size_t l)
{
    for (size_t row = 0; to && row < stream->batch; row++)
        lstm_row_from_blocks(
            stream->at[l].c + lstm_stream_offset(stream, row, stream->hidden),
            stream->stride, stream->hidden, state_of(to, l, row), to->strides[2]);
}

static void h_out(const lstm_stream *stream, lstm_tensor *to, size_t l)
{
    for (size_t row = 0; to && row < stream->batch; row++)
        lstm_stream_row_out(stream, stream->at[l].h, row, stream->state,
                            state_of(to, l, row), to->strides[2]);
}

static void states_in(const lstm_stream *stream, const lstm_tensor *from, size_t l,
                      size_t channels, float *states)
{
    for (size_t row = 0; row < stream->batch; row++)
        if (from)
            lstm_row_to_blocks(state_of(from, l, row), from->strides[2], channels,
                               states + lstm_stream_offset(stream, row, channels),
                               stream->stride);
        else
            clear_row(stream, row, channels, states);
}

lstm_status lstm_stream_get_state(const lstm_stream *stream, lstm_tensor *h,
                                  lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_status status = check_states(stream, h, c);
    for (size_t l = 0; !status && l < stream->layers; l++) {
        h_out(stream, h, l);
        c_out(stream, c, l);
    }
    return status;
}

lstm_status lstm_stream_set_state(lstm_stream *stream, const lstm_tensor *h,
                                  const lstm_tensor *c)
{
    if (!stream)
        return lstm_fail_null("stream", "stream");
    lstm_status status = check_states(stream, h, c);
    if (status)
        return status;
    for (size_t l = 0; l < stream->layers; l++) {
        states_in(stream, h, l, stream->state, stream->at[l].h);
        lstm_stream_to_pairs(stream, stream->state, stream->at[l].h);
        states_in(stream, c, l, stream->hidden, stream->at[l].c);
    }
    stream->has_h = h;
    stream->has_c = c;
    return LSTM_OK;
}
