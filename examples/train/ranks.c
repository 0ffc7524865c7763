#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/hash.h"
#include "examples/common/message.h"
#include "examples/train/ranks.h"
#include "examples/train/shards.h"
#include "examples/train/signals.h"
#include "examples/train/transport_shared.h"

/* Values that are added at a time: those of all nodes stay in the cache. Steps between
 * comparisons. */
enum { CHUNK = 2048, COMPARE_STEPS = 100, TEXT_SIZE = 400 };

size_t ranks_threads(const train_options *options)
{
    if (options->threads || options->ranks == 1 || getenv("LSTM_NUM_THREADS"))
        return options->threads;
    size_t each = lstm_threads() / options->ranks;
    return each > 0 ? each : 1;
}

/* Notes the nodes of all ranks; returns the most rows of one. */
static size_t list_nodes(train_ranks *ranks, size_t shards, size_t count)
{
    size_t most = 0;
    for (size_t r = 0; r < count; r++) {
        tree_stack *nodes = &ranks->nodes[r];
        *nodes = (tree_stack){.shards = shards};
        size_t found = tree_fill(nodes, tree_part(shards, count, r),
                                 tree_part(shards, count, r + 1));
        ranks->rows[r] = nodes->count;
        most = found > most ? found : most;
    }
    return most;
}

/* Trains the rest of an epoch as rank 0 does. A run whose loss is not finite has ended.
 */
static bool follow_epoch(train_state *trainer)
{
    size_t samples;
    while (trainer->step < mnist_loader_batches(trainer->train) &&
           !trainer->ranks->stop && isfinite(trainer->loss_last))
        if (!trainer_step(trainer, &samples))
            return false;
    return trainer->ranks->stop || !isfinite(trainer->loss_last) ||
           trainer_end_epoch(trainer);
}

/* Trains until rank 0 ends the run; the exit status. */
static int follow(train_state *trainer)
{
    bool done = trainer->completed == trainer->epoch || follow_epoch(trainer);
    while (done && trainer_start_epoch(trainer))
        done = follow_epoch(trainer);
    return trainer->ranks->transport->over ? 0 : 1;
}

static bool create(train_state *trainer, const train_options *options)
{
    train_ranks *ranks = calloc(1, sizeof(*ranks));
    if (!ranks)
        return message_error("no memory for ranks");
    trainer->ranks = ranks;
    ranks->threads = lstm_threads();
    ranks->sums = calloc((size_t)TREE_MOST_NODES * CHUNK, sizeof(*ranks->sums));
    if (!ranks->sums)
        return message_error("no memory for sums");
    size_t rows = list_nodes(ranks, options->shards, options->ranks);
    size_t values = lstm_params_count(trainer->network.params) + SHARDS_TAIL;
    bool spin =
        ranks->threads * options->ranks <= (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    return transport_shared_start(&ranks->transport, options->ranks, rows, values,
                                  spin);
}

/* Lets the messages of a rank name it. */
static void name_rank(size_t rank)
{
    static char name[60];
    snprintf(name, sizeof(name), "%.20s: rank %zu", message_program(), rank);
    message_set_program(name);
}

bool ranks_start(train_state *trainer, const train_options *options,
                 const train_data *data)
{
    if (options->ranks > 1 && !create(trainer, options))
        return false;
    transport *t = trainer->ranks ? trainer->ranks->transport : NULL;
    if (t && t->rank > 0)
        name_rank(t->rank);
    bool done = shards_create(trainer, options, data, t);
    if (!t || t->rank == 0)
        return done;
    _exit(done ? follow(trainer) : 1);
}

void ranks_end(train_state *trainer)
{
    train_ranks *ranks = trainer->ranks;
    if (!ranks)
        return;
    shards_destroy(&trainer->shards);
    transport_shared_end(&ranks->transport);
    free(ranks->sums);
    free(ranks);
    trainer->ranks = NULL;
}

/* Adds count values of all nodes, from value first on, to those of the total. */
static void add_chunk(const train_ranks *ranks, size_t first, size_t count)
{
    const transport *t = ranks->transport;
    const float *values[TREE_MOST_NODES];
    tree_stack stack = {.shards = ranks->nodes[0].shards};
    for (size_t r = 0; r < t->ranks; r++)
        for (size_t row = 0; row < ranks->rows[r]; row++) {
            values[stack.count] = t->calls->source(t, r, row, first);
            tree_push(&stack, ranks->nodes[r].nodes[row]);
            while (tree_merge(&stack)) {
                size_t left = stack.count - 1;
                float *sum = left == 0 ? t->total + first : ranks->sums + left * CHUNK;
                if (values[left] == sum)
                    tree_add(sum, values[left + 1], count);
                else
                    tree_sum(sum, values[left], values[left + 1], count);
                values[left] = sum;
            }
        }
}

const float *ranks_add(train_ranks *ranks, size_t tail)
{
    transport *t = ranks->transport;
    if (!t->calls->share(t, ranks->rows))
        return NULL;
    size_t end = transport_range(t, t->rank + 1), count;
    for (size_t i = transport_range(t, t->rank); i < end; i += count) {
        count = end - i < CHUNK ? end - i : CHUNK;
        add_chunk(ranks, i, count);
    }
    if (!t->calls->complete(t))
        return NULL;
    ranks->stop = t->total[tail + SHARDS_STOP] > 0;
    if (ranks->stop)
        signals_note_other();
    return t->total;
}

/* Lists the ranks whose word is not that of rank 0; the number of them. */
static size_t list_others(const uint64_t *words, size_t ranks, char *text)
{
    size_t found = 0, length = 0;
    for (size_t r = 1; r < ranks; r++)
        if (words[r] != words[0]) {
            if (length < TEXT_SIZE - 20)
                length += (size_t)snprintf(text + length, TEXT_SIZE - length, "%s%zu",
                                           found > 0 ? ", " : "", r);
            found++;
        }
    return found;
}

bool ranks_compare(train_state *trainer)
{
    train_ranks *ranks = trainer->ranks;
    if (!ranks || (trainer->step % COMPARE_STEPS &&
                   trainer->step < mnist_loader_batches(trainer->train)))
        return true;
    transport *t = ranks->transport;
    uint64_t words[TRANSPORT_MOST_RANKS];
    char text[TEXT_SIZE];
    size_t size = lstm_params_count(trainer->network.params) * sizeof(float);
    if (lstm_params_get_values(trainer->network.params, t->rows) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    if (!t->calls->words(t, common_hash(COMMON_HASH_START, t->rows, size), words))
        return false;
    size_t others = list_others(words, t->ranks, text);
    if (others == 0)
        return true;
    ranks->differ = t->failed = true;
    if (t->rank == 0)
        message_error("step %zu of epoch %zu: rank%s %s %s other parameters than rank "
                      "0, expected the same bits",
                      trainer->step, trainer->epoch, others > 1 ? "s" : "", text,
                      others > 1 ? "have" : "has");
    return false;
}

bool ranks_next_epoch(const train_state *trainer)
{
    uint64_t words[TRANSPORT_MOST_RANKS];
    transport *t = trainer->ranks ? trainer->ranks->transport : NULL;
    return !t || t->calls->words(t, 0, words);
}

bool ranks_check(const train_state *trainer)
{
    transport *t = trainer->ranks ? trainer->ranks->transport : NULL;
    return !t || t->calls->check(t);
}

bool ranks_stop(const train_state *trainer)
{
    return trainer->ranks ? trainer->ranks->stop : signals_stop;
}

bool ranks_differ(const train_state *trainer)
{
    return trainer->ranks && trainer->ranks->differ;
}

bool ranks_failed(const train_state *trainer)
{
    return trainer->ranks &&
           (!trainer->ranks->transport || trainer->ranks->transport->failed);
}

void ranks_alone(const train_state *trainer, bool alone)
{
    const train_ranks *ranks = trainer->ranks;
    if (!ranks)
        return;
    size_t all = ranks->threads * ranks->transport->ranks;
    size_t threads = alone ? all : ranks->threads;
    lstm_set_threads(threads < LSTM_MAX_THREADS ? threads : LSTM_MAX_THREADS);
}
