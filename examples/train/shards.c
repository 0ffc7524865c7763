#include <stdlib.h>
#include <string.h>

#include "examples/common/hash.h"
#include "examples/common/message.h"
#include "examples/train/ranks.h"
#include "examples/train/shards.h"
#include "examples/train/signals.h"

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

static bool mnist_failed(void)
{
    return message_error("%s", mnist_last_error());
}

/* The samples of this process in a batch of count: those before, and their number. */
static size_t samples_before(const train_shards *shards, size_t count)
{
    return tree_part(count, shards->count, shards->first);
}

static size_t own_samples(const train_shards *shards, size_t count)
{
    return tree_part(count, shards->count, shards->end) - samples_before(shards, count);
}

/* Creates views of the shards of a batch of count. */
static bool create_views(const train_shards *shards, const classifier *network,
                         size_t count, classifier_batch *views)
{
    size_t before = samples_before(shards, count);
    for (size_t s = shards->first; s < shards->end; s++) {
        size_t first = tree_part(count, shards->count, s);
        size_t end = tree_part(count, shards->count, s + 1);
        if (end > first &&
            !classifier_batch_narrow(&views[s - shards->first], network, &shards->part,
                                     first - before, end - first))
            return false;
    }
    return true;
}

static bool create_batches(train_shards *shards, const train_state *trainer)
{
    size_t full = trainer->full.count, tail = trainer->samples % full;
    size_t own = own_samples(shards, full), views = shards->end - shards->first;
    shards->full = calloc(views, sizeof(*shards->full));
    shards->tail = calloc(views, sizeof(*shards->tail));
    if (!shards->full || !shards->tail)
        return message_error("no memory for %zu shards", views);
    return own == 0 ||
           (classifier_batch_create(&shards->part, &trainer->network, own) &&
            create_views(shards, &trainer->network, full, shards->full) &&
            create_views(shards, &trainer->network, tail, shards->tail)) ||
           lstm_failed();
}

static bool create_loader(train_shards *shards, const train_state *trainer,
                          const train_options *options, const mnist_dataset *dataset)
{
    size_t own = own_samples(shards, trainer->full.count);
    mnist_loader_config config = {.batch_size = own > 0 ? own : 1, .shuffle = true};
    augment_configure(&options->augment, &config);
    shards->order = calloc(trainer->samples, sizeof(*shards->order));
    if (!shards->order)
        return message_error("no memory for the order of %zu images", trainer->samples);
    if (mnist_loader_create(&shards->loader, dataset, &config) != MNIST_OK)
        return mnist_failed();
    return ahead_open(&shards->ahead, shards->loader, own,
                      mnist_dataset_rows(dataset) * mnist_dataset_cols(dataset),
                      options->augment.text && own > 0);
}

static bool create_rows(train_shards *shards, const train_state *trainer,
                        const transport *exchange)
{
    enum { UNIT = TRANSPORT_UNIT };
    tree_stack nodes = {.shards = shards->count};
    size_t most = tree_fill(&nodes, shards->first, shards->end);
    shards->values = lstm_params_count(trainer->network.params) + SHARDS_TAIL;
    shards->stride = (shards->values + UNIT - 1) / UNIT * UNIT;
    if (exchange)
        shards->rows = exchange->rows;
    else
        shards->rows = shards->owned = aligned_alloc(
            UNIT * sizeof(float), most * shards->stride * sizeof(*shards->rows));
    return shards->rows ||
           message_error("no memory for %zu sums of %zu values", most, shards->values);
}

bool shards_create(train_state *trainer, const train_options *options,
                   const train_data *data, transport *exchange)
{
    if (options->shards == 1 || !data->train)
        return true;
    train_shards *shards = calloc(1, sizeof(*shards));
    if (!shards)
        return message_error("no memory for shards");
    trainer->shards = shards;
    size_t ranks = exchange ? exchange->ranks : 1;
    size_t rank = exchange ? exchange->rank : 0;
    shards->count = options->shards;
    shards->first = tree_part(shards->count, ranks, rank);
    shards->end = tree_part(shards->count, ranks, rank + 1);
    return create_batches(shards, trainer) &&
           create_loader(shards, trainer, options, data->train) &&
           create_rows(shards, trainer, exchange);
}

void shards_destroy(train_shards **shards)
{
    train_shards *s = *shards;
    if (!s)
        return;
    for (size_t i = 0; i < s->end - s->first; i++) {
        if (s->full)
            classifier_batch_destroy(&s->full[i]);
        if (s->tail)
            classifier_batch_destroy(&s->tail[i]);
    }
    classifier_batch_destroy(&s->part);
    ahead_close(&s->ahead);
    mnist_loader_destroy(&s->loader);
    free(s->full);
    free(s->tail);
    free(s->order);
    free(s->owned);
    free(s);
    *shards = NULL;
}

/* Puts the samples of this process first in the order of the epoch, those of each step
 * after those of the steps before. */
static void sort_order(const train_state *trainer, train_shards *shards)
{
    const uint32_t *order = mnist_loader_order(trainer->train);
    size_t full = trainer->full.count, own = 0, others = trainer->samples;
    for (size_t start = 0; start < trainer->samples; start += full) {
        size_t left = trainer->samples - start, count = left < full ? left : full;
        size_t first = samples_before(shards, count);
        size_t end = first + own_samples(shards, count);
        for (size_t i = 0; i < count; i++)
            shards->order[i >= first && i < end ? own++ : --others] = order[start + i];
    }
}

/* Moves the loader to the epoch and the step of the run. */
static bool start_epoch(const train_state *trainer, train_shards *shards)
{
    size_t position = trainer->step * own_samples(shards, trainer->full.count);
    sort_order(trainer, shards);
    ahead_forget(&shards->ahead);
    shards->epoch = trainer->epoch;
    if (trainer->clean && !shards->clean) {
        size_t own = own_samples(shards, trainer->full.count);
        shards->clean =
            augment_end(&shards->loader, trainer->data->train, own > 0 ? own : 1);
        ahead_use(&shards->ahead, shards->loader);
        if (!shards->clean)
            return false;
    }
    return (mnist_loader_start(shards->loader, trainer->order) == MNIST_OK &&
            mnist_loader_restore(shards->loader, shards->order, position) ==
                MNIST_OK) ||
           mnist_failed();
}

/* Gives the generator of the run, which draws the masks, a state of the shard alone. */
static bool seed_masks(const train_state *trainer, train_shards *shards, size_t shard)
{
    const uint64_t from[] = {trainer->order, trainer->step, shard};
    lstm_rng *rng;
    if (lstm_rng_create(&rng, common_hash(COMMON_HASH_START, from, sizeof(from))) !=
        LSTM_OK)
        return false;
    bool done = lstm_rng_get_state(rng, shards->drawn) == LSTM_OK &&
                lstm_rng_set_state(trainer->rng, shards->drawn) == LSTM_OK;
    lstm_rng_destroy(&rng);
    return done;
}

/* Computes the gradients of a shard with samples, and its loss. */
static bool compute(train_state *trainer, classifier_batch *batch,
                    const int64_t *labels, float share, float *loss)
{
    return classifier_forward(&trainer->network, batch) &&
           lstm_cross_entropy_forward(trainer->loss, batch->logits, labels, loss) ==
               LSTM_OK &&
           lstm_cross_entropy_backward(trainer->loss, &share, batch->dlogits) ==
               LSTM_OK &&
           lstm_params_zero_grad(trainer->network.params) == LSTM_OK &&
           classifier_backward(&trainer->network, batch);
}

/* Writes the values of a shard to the next row, and adds those of complete nodes. */
static bool add_shard(train_state *trainer, train_shards *shards, size_t shard,
                      classifier_batch *batch, const int64_t *labels, float share)
{
    float *row = shards->rows + shards->nodes.count * shards->stride;
    float *tail = row + shards->values - SHARDS_TAIL;
    if (batch->count == 0)
        memset(row, 0, shards->values * sizeof(*row));
    else if (!compute(trainer, batch, labels, share, &tail[SHARDS_LOSS]) ||
             lstm_params_get_grads(trainer->network.params, row) != LSTM_OK)
        return lstm_failed();
    tail[SHARDS_STOP] = shard == shards->first && signals_stop ? 1 : 0;
    tree_push(&shards->nodes, (tree_node){0, shard});
    while (tree_merge(&shards->nodes)) {
        float *right = shards->rows + shards->nodes.count * shards->stride;
        tree_add(right - shards->stride, right, shards->values);
    }
    return true;
}

/* Adds the shards of this process in a batch of count samples. */
static bool add_shards(train_state *trainer, train_shards *shards, size_t count)
{
    bool drops = trainer->network.config.layers.dropout > 0;
    classifier_batch *views =
        count == trainer->full.count ? shards->full : shards->tail;
    float share = 1 / (float)count;
    const int64_t *labels = trainer->labels;
    shards->nodes = (tree_stack){.shards = shards->count};
    for (size_t s = shards->first; s < shards->end; s++) {
        classifier_batch *view = &views[s - shards->first];
        if (drops && !seed_masks(trainer, shards, s))
            return lstm_failed();
        if (!add_shard(trainer, shards, s, view, labels, share))
            return false;
        labels += view->count;
    }
    return true;
}

/* The same, with the generator of the run as before. */
static bool add_all(train_state *trainer, train_shards *shards, size_t count)
{
    return (lstm_rng_get_state(trainer->rng, shards->kept) == LSTM_OK ||
            lstm_failed()) &&
           add_shards(trainer, shards, count) &&
           (lstm_rng_set_state(trainer->rng, shards->kept) == LSTM_OK || lstm_failed());
}

bool shards_gradient(train_state *trainer, size_t *samples)
{
    train_shards *shards = trainer->shards;
    size_t full = trainer->full.count, left = trainer->samples - trainer->step * full;
    *samples = left < full ? left : full;
    if (shards->epoch != trainer->epoch && !start_epoch(trainer, shards))
        return false;
    if (shards->part.count > 0)
        ahead_next(&shards->ahead, lstm_tensor_data(shards->part.x), trainer->labels);
    if (!add_all(trainer, shards, *samples))
        return false;
    const float *sum = trainer->ranks
                           ? ranks_add(trainer->ranks, shards->values - SHARDS_TAIL)
                           : shards->rows;
    if (!sum)
        return false;
    const float *tail = sum + shards->values - SHARDS_TAIL;
    trainer->loss_last = tail[SHARDS_LOSS] / (float)*samples;
    return lstm_params_set_grads(trainer->network.params, sum) == LSTM_OK ||
           lstm_failed();
}
