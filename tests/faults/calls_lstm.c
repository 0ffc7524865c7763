/* Tensors, generators, layers, losses, sets and optimisers. */
#include "tests/faults/calls.h"

#define MUST(call) assert_int_equal(call, 0)

/* Numbers as text, so that they have an effect on the result. */
static uint64_t text(const char *string)
{
    uint64_t sum = 0;
    while (string && *string)
        sum = sum * 31 + (unsigned char)*string++;
    return sum;
}

VALUE(lstm_status_name, text(lstm_status_name(LSTM_IO_ERROR)))
VALUE(lstm_last_error, lstm_last_error() != NULL)
VALUE(lstm_version, text(lstm_version()))
VALUE(lstm_threads, lstm_threads())
VALUE(lstm_kernels_name, text(lstm_kernels_name()))
STATUS(lstm_set_threads, lstm_set_threads(1))
VOID(lstm_set_reproducible, lstm_set_reproducible(false))

STATUS(lstm_tensor_create, lstm_tensor_create(&w->new_tensor, 1, (size_t[]){9}))
STATUS(lstm_tensor_wrap,
       lstm_tensor_wrap(&w->new_tensor, w->values, 1, (size_t[]){9}, NULL))
STATUS(lstm_tensor_select, lstm_tensor_select(&w->new_tensor, w->last, 0, 1))
STATUS(lstm_tensor_narrow, lstm_tensor_narrow(&w->new_tensor, w->x, 0, 0, 2))
STATUS(lstm_tensor_reshape,
       lstm_tensor_reshape(&w->new_tensor, w->last, 1, (size_t[]){ROWS * HIDDEN}))
VALUE(lstm_tensor_rank, lstm_tensor_rank(w->x))
VALUE(lstm_tensor_extent, lstm_tensor_extent(w->x, 1))
VALUE(lstm_tensor_stride, lstm_tensor_stride(w->x, 0))
VALUE(lstm_tensor_count, lstm_tensor_count(w->x))
VALUE(lstm_tensor_data, lstm_tensor_data(w->x) != NULL)
STATUS(lstm_tensor_fill, lstm_tensor_fill(w->out, 3))
STATUS(lstm_tensor_copy, lstm_tensor_copy(w->dout, w->out))
STATUS(lstm_tensor_softmax, lstm_tensor_softmax(w->dlogits, w->logits))
STATUS(lstm_tensor_sigmoid, lstm_tensor_sigmoid(w->dlogits, w->logits))
VOID(lstm_tensor_destroy, lstm_tensor_destroy(&w->new_tensor))

STATUS(lstm_rng_create, lstm_rng_create(&w->new_rng, 5))
VOID(lstm_rng_destroy, lstm_rng_destroy(&w->new_rng))
VALUE(lstm_rng_next, lstm_rng_next(w->rng))
STATUS(lstm_rng_uniform, lstm_rng_uniform(w->rng, w->x, 0, 1))
STATUS(lstm_rng_normal, lstm_rng_normal(w->rng, w->x, 0, 1))
STATUS(lstm_rng_permutation, lstm_rng_permutation(w->rng, w->numbers + 8, 8))
STATUS(lstm_rng_get_state, lstm_rng_get_state(w->rng, (uint8_t *)w->values))
STATUS(lstm_rng_set_state, lstm_rng_set_state(w->rng, (uint8_t *)w->values))

STATUS(lstm_embedding_create,
       lstm_embedding_create(&w->new_embedding,
                             &(lstm_embedding_config){.count = 4, .size = INPUTS},
                             w->rng))
VOID(lstm_embedding_destroy, lstm_embedding_destroy(&w->new_embedding))
STATUS(lstm_embedding_forward, lstm_embedding_forward(w->embedding, w->numbers, w->row))
STATUS(lstm_embedding_backward, lstm_embedding_backward(w->embedding, w->row))

STATUS(lstm_layer_create, lstm_layer_create(&w->new_layer, &world_layer, w->rng))
VOID(lstm_layer_destroy, lstm_layer_destroy(&w->new_layer))
VALUE(lstm_layer_get_config, lstm_layer_get_config(w->layer)->hidden)
VALUE(lstm_layer_output_size, lstm_layer_output_size(w->layer))
STATUS(lstm_layer_set_training, lstm_layer_set_training(w->layer, false))
STATUS(lstm_layer_pack, lstm_layer_pack(w->layer))
STATUS(lstm_layer_forward,
       lstm_layer_forward(w->layer, NULL, w->x, NULL, w->h, w->c, w->out, NULL, NULL))
STATUS(lstm_layer_backward,
       lstm_layer_backward(w->layer, NULL, w->dout, NULL, NULL, w->dx, NULL, NULL))
STATUS(lstm_layer_gates, lstm_layer_gates(w->layer, NULL, 0, 0, w->gates))
VALUE(lstm_layer_workspace_size, lstm_layer_workspace_size(w->layer, true, ROWS, STEPS))
STATUS(lstm_layer_set_workspace,
       lstm_layer_set_workspace(w->layer, w->tape, w->workspace, w->workspace_size))
STATUS(lstm_layer_set_weights,
       lstm_layer_set_weights(w->layer, 0, 0, LSTM_LAYOUT_KERAS, w->values, w->values,
                              w->values, NULL))
STATUS(lstm_layer_get_weights,
       lstm_layer_get_weights(w->layer, 0, 0, LSTM_LAYOUT_ONNX, w->values,
                              w->values + 1000, w->values + 2000, NULL))
STATUS(lstm_tape_create, lstm_tape_create(&w->new_tape, w->layer, w->rng))
VOID(lstm_tape_destroy, lstm_tape_destroy(&w->new_tape))

STATUS(lstm_linear_create,
       lstm_linear_create(&w->new_linear,
                          &(lstm_linear_config){.inputs = HIDDEN, .outputs = CLASSES},
                          w->rng))
VALUE(lstm_linear_get_config, lstm_linear_get_config(w->linear)->outputs)
VOID(lstm_linear_destroy, lstm_linear_destroy(&w->new_linear))
STATUS(lstm_linear_forward, lstm_linear_forward(w->linear, w->last, w->logits))
STATUS(lstm_linear_backward, lstm_linear_backward(w->linear, w->dlogits, w->dlast))

STATUS(lstm_params_create, lstm_params_create(&w->new_params))
VOID(lstm_params_destroy, lstm_params_destroy(&w->new_params))
STATUS(lstm_params_add_layer, lstm_params_add_layer(w->new_params, "a", w->layer))
STATUS(lstm_params_add_linear, lstm_params_add_linear(w->new_params, "a", w->linear))
STATUS(lstm_params_add_embedding,
       lstm_params_add_embedding(w->new_params, "a", w->embedding))
STATUS(lstm_params_add_tensor,
       lstm_params_add_tensor(w->new_params, "rows", w->row, NULL))
VALUE(lstm_params_size, lstm_params_size(w->params))
VALUE(lstm_params_count, lstm_params_count(w->params))
VALUE(lstm_params_name, text(lstm_params_name(w->params, 1)))
VALUE(lstm_params_value, lstm_params_value(w->params, 1) != NULL)
VALUE(lstm_params_grad, lstm_params_grad(w->params, 1) != NULL)
STATUS(lstm_params_set_trainable, lstm_params_set_trainable(w->params, 1, false))
VALUE(lstm_params_trainable, lstm_params_trainable(w->params, 1))
STATUS(lstm_params_get_values, lstm_params_get_values(w->params, w->values))
STATUS(lstm_params_set_values, lstm_params_set_values(w->params, w->values))
STATUS(lstm_params_get_grads, lstm_params_get_grads(w->params, w->values))
STATUS(lstm_params_set_grads, lstm_params_set_grads(w->params, w->values))
STATUS(lstm_params_zero_grad, lstm_params_zero_grad(w->params))
STATUS(lstm_params_clip_norm, lstm_params_clip_norm(w->params, 1e-3, NULL))
STATUS(lstm_params_clip_value, lstm_params_clip_value(w->params, 1e-4))

STATUS(lstm_adam_create, lstm_adam_create(&w->new_adam, w->params, NULL))
VOID(lstm_adam_destroy, lstm_adam_destroy(&w->new_adam))
STATUS(lstm_adam_step, lstm_adam_step(w->adam))
STATUS(lstm_adam_set_lr, lstm_adam_set_lr(w->adam, 0.5))
STATUS(lstm_adam_set_parameter, lstm_adam_set_parameter(w->adam, 2, 0.5, 0))
VALUE(lstm_adam_lr, lstm_adam_lr(w->adam) * 1e6)
VALUE(lstm_adam_steps, lstm_adam_steps(w->adam))

STATUS(lstm_mse_forward, lstm_mse_forward(w->logits, w->dlogits, NULL, w->values))
STATUS(lstm_mse_backward,
       lstm_mse_backward(w->logits, w->probabilities, NULL, NULL, w->dlogits))
STATUS(lstm_bce_forward, lstm_bce_forward(w->logits, w->probabilities, NULL, w->values))
STATUS(lstm_bce_backward,
       lstm_bce_backward(w->logits, w->probabilities, NULL, NULL, w->dlogits))
STATUS(lstm_cross_entropy_create, lstm_cross_entropy_create(&w->new_loss, NULL))
VOID(lstm_cross_entropy_destroy, lstm_cross_entropy_destroy(&w->new_loss))
STATUS(lstm_cross_entropy_forward,
       lstm_cross_entropy_forward(w->loss, w->logits, w->numbers, w->values))
STATUS(lstm_cross_entropy_forward_probabilities,
       lstm_cross_entropy_forward_probabilities(w->loss, w->logits, w->probabilities,
                                                w->values))
STATUS(lstm_cross_entropy_backward,
       lstm_cross_entropy_backward(w->loss, NULL, w->dlogits))

static int call_lstm_schedule_lr(world *w)
{
    double lr = 0;
    const lstm_schedule schedule = {
        .kind = LSTM_SCHEDULE_COSINE, .lr = 0.1, .steps = 9};
    int status = (int)lstm_schedule_lr(&schedule, 4, &lr);
    w->result = (uint64_t)(lr * 1e9);
    return status;
}

STATUS(lstm_plateau_update, lstm_plateau_update(&w->plateau, 0.5))

STATUS(lstm_stream_create, lstm_stream_create(&w->new_stream, w->still, NULL, ROWS))
VOID(lstm_stream_destroy, lstm_stream_destroy(&w->new_stream))
STATUS(lstm_stream_step, lstm_stream_step(w->stream, w->row, w->last))
STATUS(lstm_stream_reset, lstm_stream_reset(w->stream, NULL))
STATUS(lstm_stream_get_state, lstm_stream_get_state(w->stream, w->h, w->c))
STATUS(lstm_stream_set_state, lstm_stream_set_state(w->stream, w->h, w->c))

/* What has to be there before a call. */
static void own_state(world *w)
{
    MUST(lstm_rng_get_state(w->rng, (uint8_t *)w->values));
}

#define BEFORE(name)                                                                   \
    static void have_##name(world *w)                                                  \
    {                                                                                  \
        MUST(call_lstm_##name##_create(w));                                            \
    }
BEFORE(tensor)
BEFORE(rng)
BEFORE(embedding)
BEFORE(layer)
BEFORE(tape)
BEFORE(linear)
BEFORE(params)
BEFORE(adam)
BEFORE(cross_entropy)
BEFORE(stream)

const world_call world_lstm_calls[] = {
    CALL(lstm_status_name),
    CALL(lstm_last_error),
    CALL(lstm_version),
    CALL(lstm_threads),
    CALL(lstm_kernels_name),
    CALL(lstm_set_threads),
    CALL(lstm_set_reproducible),
    NEW(lstm_tensor_create, new_tensor),
    NEW(lstm_tensor_wrap, new_tensor),
    NEW(lstm_tensor_select, new_tensor),
    NEW(lstm_tensor_narrow, new_tensor),
    NEW(lstm_tensor_reshape, new_tensor),
    CALL(lstm_tensor_rank),
    CALL(lstm_tensor_extent),
    CALL(lstm_tensor_stride),
    CALL(lstm_tensor_count),
    CALL(lstm_tensor_data),
    CALL(lstm_tensor_fill),
    CALL(lstm_tensor_copy),
    CALL(lstm_tensor_softmax),
    CALL(lstm_tensor_sigmoid),
    AFTER(lstm_tensor_destroy, have_tensor),
    NEW(lstm_rng_create, new_rng),
    AFTER(lstm_rng_destroy, have_rng),
    CALL(lstm_rng_next),
    CALL(lstm_rng_uniform),
    CALL(lstm_rng_normal),
    CALL(lstm_rng_permutation),
    CALL(lstm_rng_get_state),
    AFTER(lstm_rng_set_state, own_state),
    NEW(lstm_embedding_create, new_embedding),
    AFTER(lstm_embedding_destroy, have_embedding),
    CALL(lstm_embedding_forward),
    AFTER(lstm_embedding_backward, world_forward),
    NEW(lstm_layer_create, new_layer),
    AFTER(lstm_layer_destroy, have_layer),
    CALL(lstm_layer_get_config),
    CALL(lstm_layer_output_size),
    CALL(lstm_layer_set_training),
    CALL(lstm_layer_pack),
    CALL(lstm_layer_forward),
    AFTER(lstm_layer_backward, world_forward),
    AFTER(lstm_layer_gates, world_forward),
    CALL(lstm_layer_workspace_size),
    CALL(lstm_layer_set_workspace),
    CALL(lstm_layer_set_weights),
    CALL(lstm_layer_get_weights),
    NEW(lstm_tape_create, new_tape),
    AFTER(lstm_tape_destroy, have_tape),
    NEW(lstm_linear_create, new_linear),
    CALL(lstm_linear_get_config),
    AFTER(lstm_linear_destroy, have_linear),
    CALL(lstm_linear_forward),
    AFTER(lstm_linear_backward, world_forward),
    NEW(lstm_params_create, new_params),
    AFTER(lstm_params_destroy, have_params),
    AFTER(lstm_params_add_layer, have_params),
    AFTER(lstm_params_add_linear, have_params),
    AFTER(lstm_params_add_embedding, have_params),
    AFTER(lstm_params_add_tensor, have_params),
    CALL(lstm_params_size),
    CALL(lstm_params_count),
    CALL(lstm_params_name),
    CALL(lstm_params_value),
    CALL(lstm_params_grad),
    CALL(lstm_params_set_trainable),
    CALL(lstm_params_trainable),
    CALL(lstm_params_get_values),
    CALL(lstm_params_set_values),
    CALL(lstm_params_get_grads),
    CALL(lstm_params_set_grads),
    CALL(lstm_params_zero_grad),
    AFTER(lstm_params_clip_norm, world_train),
    AFTER(lstm_params_clip_value, world_train),
    NEW(lstm_adam_create, new_adam),
    AFTER(lstm_adam_destroy, have_adam),
    AFTER(lstm_adam_step, world_train),
    CALL(lstm_adam_set_lr),
    CALL(lstm_adam_set_parameter),
    CALL(lstm_adam_lr),
    CALL(lstm_adam_steps),
    CALL(lstm_mse_forward),
    CALL(lstm_mse_backward),
    CALL(lstm_bce_forward),
    CALL(lstm_bce_backward),
    NEW(lstm_cross_entropy_create, new_loss),
    AFTER(lstm_cross_entropy_destroy, have_cross_entropy),
    CALL(lstm_cross_entropy_forward),
    CALL(lstm_cross_entropy_forward_probabilities),
    AFTER(lstm_cross_entropy_backward, world_forward),
    CALL(lstm_schedule_lr),
    CALL(lstm_plateau_update),
    NEW(lstm_stream_create, new_stream),
    AFTER(lstm_stream_destroy, have_stream),
    CALL(lstm_stream_step),
    CALL(lstm_stream_reset),
    CALL(lstm_stream_get_state),
    CALL(lstm_stream_set_state),
};
const size_t world_lstm_count = sizeof(world_lstm_calls) / sizeof(world_lstm_calls[0]);
