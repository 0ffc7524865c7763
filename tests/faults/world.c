#include "tests/faults/world.h"

#define MUST(call) assert_int_equal(call, 0)

const lstm_layer_config world_layer = {.inputs = INPUTS,
                                       .hidden = HIDDEN,
                                       .layers = LAYERS,
                                       .dropout = 0.3,
                                       .batch_first = true};

static lstm_tensor *tensor(lstm_rng *rng, size_t rank, const size_t *shape)
{
    lstm_tensor *made;
    MUST(lstm_tensor_create(&made, rank, shape));
    MUST(lstm_rng_uniform(rng, made, -1, 1));
    return made;
}

static void create_tensors(world *w)
{
    size_t in[] = {ROWS, STEPS, INPUTS}, out[] = {ROWS, STEPS, HIDDEN};
    size_t states[] = {LAYERS, ROWS, HIDDEN}, scores[] = {ROWS, CLASSES};
    size_t gates[] = {ROWS, STEPS, 4 * HIDDEN};
    w->x = tensor(w->rng, 3, in);
    w->dx = tensor(w->rng, 3, in);
    w->out = tensor(w->rng, 3, out);
    w->dout = tensor(w->rng, 3, out);
    w->gates = tensor(w->rng, 3, gates);
    w->h = tensor(w->rng, 3, states);
    w->c = tensor(w->rng, 3, states);
    w->last = tensor(w->rng, 2, (size_t[]){ROWS, HIDDEN});
    w->dlast = tensor(w->rng, 2, (size_t[]){ROWS, HIDDEN});
    w->row = tensor(w->rng, 2, (size_t[]){ROWS, INPUTS});
    w->logits = tensor(w->rng, 2, scores);
    w->dlogits = tensor(w->rng, 2, scores);
    w->probabilities = tensor(w->rng, 2, scores);
    w->weight = tensor(w->rng, 2, (size_t[]){CLASSES, HIDDEN});
    MUST(lstm_tensor_softmax(w->probabilities, w->probabilities));
}

static void create_layers(world *w)
{
    lstm_layer_config still = world_layer;
    still.dropout = 0;
    MUST(lstm_layer_create(&w->layer, &world_layer, w->rng));
    MUST(lstm_layer_create(&w->still, &still, w->rng));
    MUST(lstm_linear_create(&w->linear,
                            &(lstm_linear_config){.inputs = HIDDEN, .outputs = CLASSES},
                            w->rng));
    MUST(lstm_embedding_create(
        &w->embedding, &(lstm_embedding_config){.count = 4, .size = INPUTS}, w->rng));
    MUST(lstm_cross_entropy_create(&w->loss, NULL));
    MUST(lstm_layer_set_training(w->still, false));
    MUST(lstm_stream_create(&w->stream, w->still, NULL, ROWS));
    MUST(lstm_tape_create(&w->tape, w->layer, w->rng));
}

static unsigned char saved[WORLD_ROOM];
static size_t saved_size;

static void create_params(world *w)
{
    static const char *const pairs[] = {"note", "a text \xf0\x9f\x98\x80"};
    const lstm_file_options none = {.metadata = pairs, .metadata_count = 1};
    lstm_file_options options = none;
    MUST(lstm_params_create(&w->params));
    MUST(lstm_params_add_layer(w->params, "lstm", w->layer));
    MUST(lstm_params_add_linear(w->params, "fc", w->linear));
    MUST(lstm_params_add_embedding(w->params, "embedding", w->embedding));
    MUST(lstm_adam_create(&w->adam, w->params, &(lstm_adam_config){.amsgrad = true}));
    MUST(lstm_adam_set_parameter(w->adam, 1, 0.1 / 3, 1e-5 / 7));
    options.adam = w->adam;
    options.rng = w->rng;
    /* All worlds have the same file. Syncing it takes time. */
    if (saved_size == 0) {
        MUST(lstm_params_save(w->params, test_path("model"), &options));
        saved_size = test_read_file("model", saved, WORLD_ROOM);
    }
    test_write_file("model", saved, saved_size);
    memcpy(w->bytes, saved, saved_size);
    w->size = saved_size;
    MUST(lstm_file_open_bytes(&w->file, w->bytes, w->size));
}

world *world_create(void)
{
    world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    for (size_t i = 0; i < 16; i++)
        w->numbers[i] = (int64_t)i % CLASSES;
    w->workspace_size = (size_t)1 << 18;
    w->workspace = aligned_alloc(64, w->workspace_size);
    MUST(lstm_rng_create(&w->rng, 1));
    create_tensors(w);
    create_layers(w);
    create_params(w);
    w->plateau = (lstm_plateau){.lr = 0.1};
    MUST(mnist_dataset_synthetic(&w->digits, IMAGES, 1));
    MUST(mnist_loader_create(
        &w->loader, w->digits,
        &(mnist_loader_config){.batch_size = ROWS, .shuffle = true}));
    MUST(mnist_loader_start(w->loader, 3));
    return w;
}

void world_destroy(world *w)
{
    lstm_tensor **tensors[] = {
        &w->x,      &w->dx,      &w->out,        &w->dout,          &w->gates,
        &w->h,      &w->c,       &w->last,       &w->dlast,         &w->row,
        &w->logits, &w->dlogits, &w->new_tensor, &w->probabilities, &w->weight};
    lstm_adam_destroy(&w->new_adam);
    lstm_adam_destroy(&w->adam);
    lstm_params_destroy(&w->new_params);
    lstm_params_destroy(&w->params);
    lstm_cross_entropy_destroy(&w->new_loss);
    lstm_cross_entropy_destroy(&w->loss);
    lstm_stream_destroy(&w->new_stream);
    lstm_stream_destroy(&w->stream);
    lstm_tape_destroy(&w->new_tape);
    lstm_tape_destroy(&w->tape);
    lstm_embedding_destroy(&w->new_embedding);
    lstm_embedding_destroy(&w->embedding);
    lstm_linear_destroy(&w->new_linear);
    lstm_linear_destroy(&w->linear);
    lstm_layer_destroy(&w->new_layer);
    lstm_layer_destroy(&w->layer);
    lstm_layer_destroy(&w->still);
    lstm_file_destroy(&w->new_file);
    lstm_file_destroy(&w->file);
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        lstm_tensor_destroy(tensors[i]);
    lstm_rng_destroy(&w->new_rng);
    lstm_rng_destroy(&w->rng);
    mnist_loader_destroy(&w->new_loader);
    mnist_loader_destroy(&w->loader);
    mnist_dataset_destroy(&w->new_digits);
    mnist_dataset_destroy(&w->digits);
    free(w->workspace);
    free(w);
}

static uint64_t add_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    return add_bytes(hash, &number, sizeof(number));
}

static uint64_t add_tensor(uint64_t hash, const lstm_tensor *tensor)
{
    if (!tensor)
        return add_number(hash, 0);
    for (size_t i = 0; i < lstm_tensor_rank(tensor); i++)
        hash = add_number(hash, lstm_tensor_extent(tensor, i));
    return add_bytes(hash, lstm_tensor_data(tensor),
                     lstm_tensor_count(tensor) * sizeof(float));
}

static uint64_t add_params(uint64_t hash, const lstm_params *params)
{
    for (size_t i = 0; i < lstm_params_size(params); i++) {
        hash = add_bytes(hash, lstm_params_name(params, i),
                         strlen(lstm_params_name(params, i)));
        hash = add_tensor(hash, lstm_params_value(params, i));
        hash = add_tensor(hash, lstm_params_grad(params, i));
        hash = add_number(hash, lstm_params_trainable(params, i));
    }
    return hash;
}

static uint64_t add_rng(uint64_t hash, const lstm_rng *rng)
{
    uint8_t state[LSTM_RNG_STATE_SIZE] = {0};
    if (rng)
        MUST(lstm_rng_get_state(rng, state));
    return add_bytes(hash, state, sizeof(state));
}

static uint64_t add_layer(uint64_t hash, const lstm_layer *layer)
{
    enum { MOST = 4 * HIDDEN * HIDDEN };
    float w_ih[MOST] = {0}, w_hh[MOST] = {0}, bias[8 * HIDDEN] = {0};
    if (!layer)
        return hash;
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    hash = add_bytes(hash, config, sizeof(*config));
    for (size_t i = 0; i < config->layers; i++) {
        MUST(lstm_layer_get_weights(layer, i, 0, LSTM_LAYOUT_PYTORCH, w_ih, w_hh, bias,
                                    NULL));
        hash = add_bytes(hash, w_ih, sizeof(w_ih));
        hash = add_bytes(hash, w_hh, sizeof(w_hh));
        hash = add_bytes(hash, bias, sizeof(bias));
    }
    return hash;
}

/* With a batch of ROWS sequences of a layer like world_layer. */
static uint64_t add_stream(uint64_t hash, const lstm_stream *stream)
{
    float h[LAYERS * ROWS * HIDDEN] = {0}, c[LAYERS * ROWS * HIDDEN] = {0};
    lstm_tensor *h_view, *c_view;
    size_t shape[] = {LAYERS, ROWS, HIDDEN};
    if (!stream)
        return hash;
    MUST(lstm_tensor_wrap(&h_view, h, 3, shape, NULL));
    MUST(lstm_tensor_wrap(&c_view, c, 3, shape, NULL));
    MUST(lstm_stream_get_state(stream, h_view, c_view));
    lstm_tensor_destroy(&h_view);
    lstm_tensor_destroy(&c_view);
    return add_bytes(add_bytes(hash, h, sizeof(h)), c, sizeof(c));
}

static uint64_t add_file(uint64_t hash, const lstm_file *file)
{
    lstm_tensor_info info;
    const char *key;
    for (size_t i = 0; i < lstm_file_tensor_count(file); i++) {
        MUST(lstm_file_tensor_info(file, i, &info));
        hash = add_bytes(hash, info.name, strlen(info.name));
        hash = add_bytes(hash, info.shape, info.rank * sizeof(*info.shape));
    }
    for (size_t i = 0; (key = lstm_file_metadata_key(file, i)); i++) {
        const char *value = lstm_file_metadata(file, key);
        hash = add_bytes(hash, key, strlen(key));
        hash = add_bytes(hash, value, strlen(value));
    }
    return hash;
}

static uint64_t add_digits(uint64_t hash, const mnist_dataset *digits)
{
    for (size_t i = 0; digits && i < mnist_dataset_count(digits); i++) {
        hash = add_bytes(hash, mnist_dataset_image(digits, i),
                         mnist_dataset_rows(digits) * mnist_dataset_cols(digits));
        hash = add_number(hash, (uint64_t)mnist_dataset_label(digits, i));
    }
    return hash;
}

static uint64_t add_loader(uint64_t hash, const mnist_loader *loader)
{
    if (!loader)
        return hash;
    hash = add_number(hash, mnist_loader_position(loader));
    return mnist_loader_order(loader)
               ? add_bytes(hash, mnist_loader_order(loader), IMAGES * sizeof(uint32_t))
               : hash;
}

static uint64_t add_made(uint64_t hash, world *w)
{
    static const int64_t indices[] = {0, 1, 2};
    hash = add_rng(hash, w->new_rng);
    hash = add_layer(hash, w->new_layer);
    hash = add_params(hash, w->new_params);
    hash = add_stream(hash, w->new_stream);
    hash = add_file(hash, w->new_file);
    hash = add_digits(hash, w->new_digits);
    hash = add_loader(hash, w->new_loader);
    if (w->new_linear)
        MUST(lstm_linear_forward(w->new_linear, w->last, w->logits));
    if (w->new_embedding)
        MUST(lstm_embedding_forward(w->new_embedding, indices, w->row));
    hash = add_tensor(add_tensor(hash, w->logits), w->row);
    if (w->new_adam)
        hash = add_number(hash, (uint64_t)(lstm_adam_lr(w->new_adam) * 1e6));
    return add_number(hash, w->new_loss != NULL) + (w->new_tape != NULL);
}

uint64_t world_hash(world *w)
{
    const lstm_tensor *tensors[] = {
        w->x,          w->dx,    w->out,     w->dout,          w->h,
        w->gates,      w->c,     w->last,    w->row,           w->logits,
        w->new_tensor, w->dlast, w->dlogits, w->probabilities, w->weight};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof(tensors) / sizeof(tensors[0]); i++)
        hash = add_tensor(hash, tensors[i]);
    hash = add_params(hash, w->params);
    hash = add_rng(hash, w->rng);
    hash = add_layer(hash, w->still);
    hash = add_stream(hash, w->stream);
    hash = add_number(hash, lstm_adam_steps(w->adam));
    hash = add_number(hash, (uint64_t)(lstm_adam_lr(w->adam) * 1e9));
    hash = add_bytes(hash, &w->plateau, sizeof(w->plateau));
    hash = add_file(hash, w->file);
    hash = add_digits(hash, w->digits);
    hash = add_loader(hash, w->loader);
    hash = add_bytes(hash, w->values, sizeof(w->values));
    hash = add_bytes(hash, w->numbers, sizeof(w->numbers));
    static unsigned char model[WORLD_ROOM];
    hash = add_bytes(hash, model, test_read_file("model", model, WORLD_ROOM));
    return add_made(add_number(hash, w->result), w);
}

void world_forward(world *w)
{
    MUST(lstm_layer_set_training(w->layer, true));
    MUST(
        lstm_layer_forward(w->layer, NULL, w->x, NULL, w->h, w->c, w->out, NULL, NULL));
    MUST(lstm_linear_forward(w->linear, w->last, w->logits));
    MUST(lstm_embedding_forward(w->embedding, w->numbers, w->row));
    MUST(lstm_cross_entropy_forward(w->loss, w->logits, w->numbers, w->values));
}

void world_train(world *w)
{
    world_forward(w);
    MUST(lstm_cross_entropy_backward(w->loss, NULL, w->dlogits));
    MUST(lstm_linear_backward(w->linear, w->dlogits, w->dlast));
    MUST(lstm_embedding_backward(w->embedding, w->row));
    MUST(lstm_layer_backward(w->layer, NULL, w->dout, NULL, NULL, w->dx, NULL, NULL));
    MUST(lstm_adam_step(w->adam));
    MUST(lstm_stream_step(w->stream, w->row, w->last));
    mnist_loader_next(w->loader, w->values, w->numbers + 8);
}
