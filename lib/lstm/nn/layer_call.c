/*
 * The public calls of forward and backward: checks of shapes and states, memory,
 * packing.
 */
#include "lib/lstm/core/status.h"
#include "lib/lstm/nn/copy.h"
#include "lib/lstm/nn/layer.h"
#include "lib/lstm/nn/pass.h"

/* Checks ------------------------------------------------------------------------------
 */

/* An argument of the call, NULL if it is optional and not given, and its last extent.
 */
typedef struct {
    const char *name;
    const lstm_tensor *tensor;
    size_t channels;
} argument;

static lstm_status check_sequence(const lstm_pass *p, argument sequence)
{
    if (!sequence.tensor)
        return LSTM_OK;
    const lstm_batch *batch = &p->tape->batch;
    size_t rows = batch->blocked.rows, steps = batch->steps;
    bool first = p->weights->config.batch_first;
    size_t shape[3] = {first ? rows : steps, first ? steps : rows, sequence.channels};
    return lstm_tensor_expect(sequence.tensor, "layer", sequence.name, 3, shape);
}

/* Checks the states up to the first one without a name. */
static lstm_status check_states(const lstm_pass *p, const argument *states)
{
    lstm_status status = LSTM_OK;
    for (; !status && states->name; states++) {
        size_t shape[3] = {lstm_weights_count(p->weights), p->tape->batch.blocked.rows,
                           states->channels};
        if (states->tensor)
            status =
                lstm_tensor_expect(states->tensor, "layer", states->name, 3, shape);
    }
    return status;
}

static lstm_status check_input(const lstm_pass *p)
{
    const lstm_layer_config *config = &p->weights->config;
    if (lstm_tensor_rank(p->x) == 3 && p->x->shape[2] == config->inputs)
        return LSTM_OK;
    char text[LSTM_SHAPE_TEXT];
    return lstm_fail(LSTM_SHAPE_MISMATCH, "layer: x is %s, expected [%s, %zu]",
                     lstm_shape_text(text, p->x->rank, p->x->shape),
                     config->batch_first ? "N, T" : "T, N", config->inputs);
}

static lstm_status check_forward(const lstm_pass *p)
{
    size_t state = p->weights->state, hidden = p->weights->config.hidden;
    const argument in[] = {{"h0", p->h0, state}, {"c0", p->c0, hidden}, {0}};
    const argument out[] = {{"hn", p->hn, state}, {"cn", p->cn, hidden}, {0}};
    lstm_status status = check_states(p, in);
    if (!status)
        status = check_sequence(
            p, (argument){"out", p->out, p->weights->directions * state});
    return status ? status : check_states(p, out);
}

static lstm_status check_backward(const lstm_pass *p)
{
    size_t state = p->weights->state, hidden = p->weights->config.hidden;
    const argument in[] = {{"dhn", p->dhn, state}, {"dcn", p->dcn, hidden}, {0}};
    const argument out[] = {{"dh0", p->dh0, state}, {"dc0", p->dc0, hidden}, {0}};
    lstm_status status =
        check_sequence(p, (argument){"dout", p->dout, p->weights->directions * state});
    if (!status)
        status = check_states(p, in);
    if (!status)
        status = check_sequence(p, (argument){"dx", p->dx, p->weights->config.inputs});
    return status ? status : check_states(p, out);
}

lstm_status lstm_layer_check_tape(const lstm_layer *layer, const lstm_tape *tape)
{
    if (!tape || tape->weights == &layer->weights)
        return LSTM_OK;
    return lstm_fail(LSTM_INVALID_ARGUMENT, "layer: tape belongs to another layer");
}

/* Forward -----------------------------------------------------------------------------
 */

static lstm_status check_lengths(const lstm_batch *batch, const size_t *lengths)
{
    for (size_t n = 0; lengths && n < batch->blocked.rows; n++)
        if (lengths[n] < 1 || lengths[n] > batch->steps)
            return lstm_fail(LSTM_INVALID_ARGUMENT,
                             "layer: length of row %zu is %zu, expected 1 to %zu", n,
                             lengths[n], batch->steps);
    return LSTM_OK;
}

/* Sets the shape of the tape if all tensors and lengths are valid. */
static lstm_status shape_tape(const lstm_pass *p, bool training, const size_t *lengths)
{
    lstm_tape *tape = p->tape, before = *tape;
    size_t step = p->weights->config.batch_first ? 1 : 0;
    lstm_tape_shape(p->weights, tape, p->x->shape[1 - step], p->x->shape[step],
                    training);
    tape->has_h0 = p->h0;
    tape->has_c0 = p->c0;
    lstm_status status = check_forward(p);
    if (!status)
        status = check_lengths(&tape->batch, lengths);
    if (status)
        *tape = before;
    return status;
}

static lstm_status prepare_forward(lstm_layer *layer, const lstm_pass *p,
                                   const size_t *lengths)
{
    lstm_status status = check_input(p);
    if (!status)
        status = shape_tape(p, layer->training, lengths);
    if (status)
        return status;
    p->tape->pending = false;
    /* Training without a tape of the caller reads the weights at each forward. */
    status = lstm_weights_pack(&layer->weights, layer->training,
                               layer->training && p->tape->own);
    if (!status)
        status = lstm_tape_reserve(p->weights, p->tape);
    if (!status)
        lstm_batch_set_lengths(&p->tape->batch, lengths);
    return status;
}

static lstm_status run_forward(lstm_layer *layer, const lstm_pass *p,
                               const size_t *lengths)
{
    lstm_status status = prepare_forward(layer, p, lengths);
    if (status)
        return status;
    if (layer->training)
        lstm_draw_masks(p->weights, p->tape);
    lstm_pass_forward(p);
    p->tape->pending = layer->training;
    p->tape->version = p->weights->version;
    return LSTM_OK;
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
    lstm_status status = lstm_layer_check_tape(layer, tape);
    if (status)
        return status;
    const lstm_pass pass = {.weights = &layer->weights,
                            .tape = tape ? tape : layer->tape,
                            .x = x,
                            .h0 = h0,
                            .c0 = c0,
                            .out = out,
                            .hn = hn,
                            .cn = cn};
    return run_forward(layer, &pass, lengths);
}

/* Backward ----------------------------------------------------------------------------
 */

lstm_status lstm_tape_check_pending(const lstm_weights *weights, const lstm_tape *tape)
{
    if (!tape->pending)
        return lstm_fail(LSTM_INVALID_STATE,
                         "layer: no pending forward in training mode");
    if (tape->version != weights->version)
        return lstm_fail(LSTM_INVALID_STATE,
                         "layer: weights have changed since the forward");
    return LSTM_OK;
}

static lstm_status run_backward(lstm_layer *layer, const lstm_pass *p)
{
    lstm_status status = lstm_tape_check_pending(p->weights, p->tape);
    if (!status)
        status = check_backward(p);
    if (!status)
        status = lstm_weights_pack_backward(&layer->weights, p->dx);
    if (!status)
        status = lstm_scratch_reserve(layer, p->tape);
    if (status)
        return status;
    lstm_pass_backward(p);
    p->tape->pending = false;
    return LSTM_OK;
}

lstm_status lstm_layer_backward(lstm_layer *layer, lstm_tape *tape,
                                const lstm_tensor *dout, const lstm_tensor *dhn,
                                const lstm_tensor *dcn, lstm_tensor *dx,
                                lstm_tensor *dh0, lstm_tensor *dc0)
{
    if (!layer)
        return lstm_fail_null("layer", "layer");
    lstm_status status = lstm_layer_check_tape(layer, tape);
    if (!status)
        status = lstm_layer_check_trains(layer);
    if (status)
        return status;
    const lstm_pass pass = {.weights = &layer->weights,
                            .tape = tape ? tape : layer->tape,
                            .scratch = &layer->scratch,
                            .dout = dout,
                            .dhn = dhn,
                            .dcn = dcn,
                            .dx = dx,
                            .dh0 = dh0,
                            .dc0 = dc0};
    return run_backward(layer, &pass);
}
