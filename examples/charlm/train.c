#include <math.h>

#include "examples/charlm/train.h"
#include "examples/common/message.h"

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

static bool view_rows(lstm_tensor **view, const lstm_tensor *of, size_t rows)
{
    return lstm_tensor_reshape(view, of, 2,
                               (size_t[]){rows, lstm_tensor_extent(of, 2)}) == LSTM_OK;
}

static bool create_full(train_pass *pass)
{
    const lstm_layer_config *layer = lstm_layer_get_config(pass->model->layer);
    size_t steps = TRAIN_STEPS, rows = steps * pass->rows;
    size_t in[] = {steps, pass->rows, layer->inputs};
    size_t out[] = {steps, pass->rows, layer->hidden};
    size_t logits[] = {rows, TEXT_BYTES};
    train_chunk *full = &pass->full;
    full->steps = steps;
    return lstm_tensor_create(&full->x, 3, in) == LSTM_OK &&
           lstm_tensor_create(&full->dx, 3, in) == LSTM_OK &&
           lstm_tensor_create(&full->out, 3, out) == LSTM_OK &&
           lstm_tensor_create(&full->dout, 3, out) == LSTM_OK &&
           lstm_tensor_create(&full->logits, 2, logits) == LSTM_OK &&
           lstm_tensor_create(&full->dlogits, 2, logits) == LSTM_OK &&
           view_rows(&full->rows, full->out, rows) &&
           view_rows(&full->drows, full->dout, rows);
}

static bool narrow(lstm_tensor **view, const lstm_tensor *of, size_t count)
{
    return lstm_tensor_narrow(view, of, 0, 0, count) == LSTM_OK;
}

/* Views of the first steps of the full chunk, for the last chunk of a section. */
static bool create_tail(train_pass *pass, size_t steps)
{
    const train_chunk *full = &pass->full;
    train_chunk *tail = &pass->tail;
    size_t rows = steps * pass->rows;
    tail->steps = steps;
    return narrow(&tail->x, full->x, steps) && narrow(&tail->dx, full->dx, steps) &&
           narrow(&tail->out, full->out, steps) &&
           narrow(&tail->dout, full->dout, steps) &&
           narrow(&tail->logits, full->logits, rows) &&
           narrow(&tail->dlogits, full->dlogits, rows) &&
           view_rows(&tail->rows, tail->out, rows) &&
           view_rows(&tail->drows, tail->dout, rows);
}

bool train_create(train_pass *pass, char_model *model, const unsigned char *text,
                  size_t size)
{
    size_t rows = size / (TRAIN_STEPS + 1);
    *pass = (train_pass){.model = model, .text = text};
    pass->rows = rows > TRAIN_ROWS ? TRAIN_ROWS : rows > 0 ? rows : 1;
    pass->section = size / pass->rows;
    size_t states[] = {1, pass->rows, lstm_layer_get_config(model->layer)->hidden};
    size_t tail = (pass->section - 1) % TRAIN_STEPS;
    return (lstm_cross_entropy_create(&pass->loss, NULL) == LSTM_OK &&
            lstm_tensor_create(&pass->h, 3, states) == LSTM_OK &&
            lstm_tensor_create(&pass->c, 3, states) == LSTM_OK && create_full(pass) &&
            (tail == 0 || create_tail(pass, tail))) ||
           lstm_failed();
}

static void destroy_chunk(train_chunk *chunk)
{
    lstm_tensor **tensors[] = {&chunk->rows,    &chunk->drows, &chunk->logits,
                               &chunk->dlogits, &chunk->x,     &chunk->dx,
                               &chunk->out,     &chunk->dout};
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
}

void train_destroy(train_pass *pass)
{
    destroy_chunk(&pass->tail);
    destroy_chunk(&pass->full);
    lstm_tensor_destroy(&pass->h);
    lstm_tensor_destroy(&pass->c);
    lstm_cross_entropy_destroy(&pass->loss);
}

/* Reads the bytes of a chunk and those that follow them, beginning at start in each
 * section. */
static void read_chunk(train_pass *pass, size_t start, size_t steps)
{
    for (size_t step = 0; step < steps; step++)
        for (size_t row = 0; row < pass->rows; row++) {
            const unsigned char *at = pass->text + row * pass->section + start + step;
            pass->inputs[step * pass->rows + row] = at[0];
            pass->targets[step * pass->rows + row] = at[1];
        }
}

/* Writes the loss in nats per byte. */
static bool forward(train_pass *pass, train_chunk *chunk, float *loss)
{
    const char_model *m = pass->model;
    return lstm_embedding_forward(m->embedding, pass->inputs, chunk->x) == LSTM_OK &&
           lstm_layer_forward(m->layer, NULL, chunk->x, NULL, pass->h, pass->c,
                              chunk->out, pass->h, pass->c) == LSTM_OK &&
           lstm_linear_forward(m->head, chunk->rows, chunk->logits) == LSTM_OK &&
           lstm_cross_entropy_forward(pass->loss, chunk->logits, pass->targets, loss) ==
               LSTM_OK;
}

static bool backward(train_pass *pass, train_chunk *chunk)
{
    const char_model *m = pass->model;
    return lstm_params_zero_grad(m->params) == LSTM_OK &&
           lstm_cross_entropy_backward(pass->loss, NULL, chunk->dlogits) == LSTM_OK &&
           lstm_linear_backward(m->head, chunk->dlogits, chunk->drows) == LSTM_OK &&
           lstm_layer_backward(m->layer, NULL, chunk->dout, NULL, NULL, chunk->dx, NULL,
                               NULL) == LSTM_OK &&
           lstm_embedding_backward(m->embedding, chunk->dx) == LSTM_OK &&
           lstm_params_clip_norm(m->params, 5, NULL) == LSTM_OK &&
           lstm_adam_step(m->adam) == LSTM_OK;
}

static bool pass_over(train_pass *pass, bool train, double *bits)
{
    double sum = 0;
    size_t last = pass->section - 1;
    if (lstm_tensor_fill(pass->h, 0) != LSTM_OK ||
        lstm_tensor_fill(pass->c, 0) != LSTM_OK)
        return lstm_failed();
    for (size_t start = 0; start < last;) {
        train_chunk *chunk = last - start < TRAIN_STEPS ? &pass->tail : &pass->full;
        float loss;
        read_chunk(pass, start, chunk->steps);
        if (!forward(pass, chunk, &loss) || (train && !backward(pass, chunk)))
            return lstm_failed();
        sum += (double)loss * (double)chunk->steps;
        start += chunk->steps;
    }
    *bits = sum / (double)last / log(2);
    return isfinite(*bits) || message_error("the loss is %g, expected a finite number; "
                                            "the training has diverged",
                                            *bits);
}

bool train_epoch(train_pass *pass, double *bits)
{
    return pass_over(pass, true, bits);
}

bool train_evaluate(train_pass *pass, double *bits)
{
    lstm_layer *layer = pass->model->layer;
    if (lstm_layer_set_training(layer, false) != LSTM_OK)
        return lstm_failed();
    bool done = pass_over(pass, false, bits);
    if (lstm_layer_set_training(layer, true) != LSTM_OK)
        return lstm_failed();
    return done;
}
