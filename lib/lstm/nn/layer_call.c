/*
 * The public calls: checks of shapes and states, memory, packing of the weights.
 */
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/tensor/tensor.h"

/* Checks ------------------------------------------------------------------------------
 */

static lstm_status check_sequence(const lstm_call *c, const lstm_tensor *tensor,
                                  const char *name, size_t channels)
{
    if (!tensor)
        return LSTM_OK;
    const lstm_run *run = &c->tape->run;
    size_t shape[3] = {run->steps, run->batch, channels};
    if (c->layer->config.batch_first) {
        shape[0] = run->batch;
        shape[1] = run->steps;
    }
    return lstm_tensor_expect(tensor, "layer", name, 3, shape);
}

static lstm_status check_state(const lstm_call *c, const lstm_tensor *tensor,
                               const char *name, size_t channels)
{
    if (!tensor)
        return LSTM_OK;
    size_t shape[3] = {c->layer->config.layers * c->layer->directions,
                       c->tape->run.batch, channels};
    return lstm_tensor_expect(tensor, "layer", name, 3, shape);
}

static lstm_status check_input(const lstm_layer *layer, const lstm_tensor *x)
{
    if (lstm_tensor_rank(x) == 3 && x->shape[2] == layer->config.inputs)
        return LSTM_OK;
    char text[LSTM_SHAPE_TEXT];
    return lstm_fail(LSTM_SHAPE_MISMATCH, "layer: x is %s, expected [%s, %zu]",
                     lstm_shape_text(text, x->rank, x->shape),
                     layer->config.batch_first ? "N, T" : "T, N", layer->config.inputs);
}

static lstm_status check_forward(const lstm_call *c)
{
    const lstm_layer *layer = c->layer;
    size_t state = layer->state, hidden = layer->config.hidden;
    lstm_status status = check_state(c, c->h0, "h0", state);
    if (!status)
        status = check_state(c, c->c0, "c0", hidden);
    if (!status)
        status = check_sequence(c, c->out, "out", layer->directions * state);
    if (!status)
        status = check_state(c, c->hn, "hn", state);
    if (!status)
        status = check_state(c, c->cn, "cn", hidden);
    return status;
}

static lstm_status check_backward(const lstm_call *c)
{
    const lstm_layer *layer = c->layer;
    size_t state = layer->state, hidden = layer->config.hidden;
    lstm_status status = check_sequence(c, c->dout, "dout", layer->directions * state);
    if (!status)
        status = check_state(c, c->dhn, "dhn", state);
    if (!status)
        status = check_state(c, c->dcn, "dcn", hidden);
    if (!status)
        status = check_sequence(c, c->dx, "dx", layer->config.inputs);
    if (!status)
        status = check_state(c, c->dh0, "dh0", state);
    if (!status)
        status = check_state(c, c->dc0, "dc0", hidden);
    return status;
}

/* Forward -----------------------------------------------------------------------------
 */

static lstm_status check_lengths(const lstm_run *run, const size_t *lengths)
{
    for (size_t n = 0; lengths && n < run->batch; n++)
        if (lengths[n] < 1 || lengths[n] > run->steps)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "layer: length of row %zu is %zu, expected 1 to %zu", n,
                             lengths[n], run->steps);
    return LSTM_OK;
}

/* Gives the tape the shape of a batch, if that and all tensors are valid. */
static lstm_status shape_run(const lstm_call *c, const size_t *lengths)
{
    lstm_run *run = &c->tape->run, before = *run;
    size_t step = c->layer->config.batch_first ? 1 : 0;
    lstm_run_shape(c->layer, run, c->x->shape[1 - step], c->x->shape[step],
                   c->layer->training);
    run->has_h0 = c->h0;
    run->has_c0 = c->c0;
    lstm_status status = check_forward(c);
    if (!status)
        status = check_lengths(run, lengths);
    if (status)
        *run = before;
    return status;
}

static lstm_status prepare_forward(const lstm_call *c, const size_t *lengths)
{
    lstm_status status = lstm_tape_check(c->layer, c->tape);
    if (!status)
        status = check_input(c->layer, c->x);
    if (!status)
        status = shape_run(c, lengths);
    if (status)
        return status;
    c->tape->pending = false;
    /* Training without a tape reads the weights at each forward. */
    status = lstm_panels_update(c->layer, c->layer->training && c->tape->own);
    if (!status)
        status = lstm_tape_reserve(c->layer, c->tape);
    if (!status)
        lstm_run_set_lengths(&c->tape->run, lengths);
    return status;
}

lstm_status lstm_layer_forward(lstm_layer *layer, lstm_tape *tape, const lstm_tensor *x,
                               const size_t *lengths, const lstm_tensor *h0,
                               const lstm_tensor *c0, lstm_tensor *out, lstm_tensor *hn,
                               lstm_tensor *cn)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    if (!x)
        return lstm_fail_null("layer", "x");
    tape = tape ? tape : layer->tape;
    const lstm_call call = {.layer = layer,
                            .tape = tape,
                            .x = x,
                            .h0 = h0,
                            .c0 = c0,
                            .out = out,
                            .hn = hn,
                            .cn = cn};
    lstm_status status = prepare_forward(&call, lengths);
    if (status)
        return status;
    if (layer->training)
        lstm_draw_masks(layer, &tape->run, tape->rng);
    lstm_run_forward(&call);
    tape->pending = layer->training;
    tape->version = layer->version;
    return LSTM_OK;
}

/* Backward ----------------------------------------------------------------------------
 */

static lstm_status check_pending(const lstm_layer *layer, const lstm_tape *tape)
{
    if (!tape->pending)
        return lstm_fail(LSTM_INVALID_STATE,
                         "layer: no pending forward in training mode");
    if (tape->version != layer->version)
        return lstm_fail(LSTM_INVALID_STATE,
                         "layer: weights have changed since the forward");
    return LSTM_OK;
}

static lstm_status prepare_backward(const lstm_call *c)
{
    lstm_status status = lstm_tape_check(c->layer, c->tape);
    if (!status)
        status = check_pending(c->layer, c->tape);
    if (!status)
        status = check_backward(c);
    if (!status)
        status = lstm_back_panels_update(c->layer);
    return status ? status : lstm_scratch_reserve(c->layer, c->tape);
}

lstm_status lstm_layer_backward(lstm_layer *layer, lstm_tape *tape,
                                const lstm_tensor *dout, const lstm_tensor *dhn,
                                const lstm_tensor *dcn, lstm_tensor *dx,
                                lstm_tensor *dh0, lstm_tensor *dc0)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    const lstm_call call = {.layer = layer,
                            .tape = tape ? tape : layer->tape,
                            .dout = dout,
                            .dhn = dhn,
                            .dcn = dcn,
                            .dx = dx,
                            .dh0 = dh0,
                            .dc0 = dc0};
    lstm_status status = prepare_backward(&call);
    if (status)
        return status;
    lstm_run_backward(&call);
    call.tape->pending = false;
    return LSTM_OK;
}
