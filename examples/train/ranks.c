#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/common/hash.h"
#include "examples/common/message.h"
#include "examples/common/options.h"
#include "examples/train/ranks.h"
#include "examples/train/report.h"
#include "examples/train/shards.h"
#include "examples/train/signals.h"
#include "examples/train/together.h"
#include "examples/train/transport_shared.h"

/* Values that are added at a time: those of all nodes stay in the cache. Steps between
 * comparisons. */
enum { CHUNK = 2048, COMPARE_STEPS = 100, TEXT_SIZE = 400 };
/* What rank 0 tells the others before an epoch. */
enum { WORD_EPOCH, WORD_END };

size_t ranks_threads(const train_options *options)
{
    if (options->threads || options->ranks == 1 || getenv("LSTM_NUM_THREADS"))
        return options->threads;
    size_t local = options->mpi ? transport_mpi_local() : 0;
    size_t each = lstm_threads() / (local > 0 ? local : options->ranks);
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

int ranks_follow(train_state *trainer)
{
    bool done = trainer->completed == trainer->epoch || follow_epoch(trainer);
    while (done && trainer_start_epoch(trainer))
        done = follow_epoch(trainer);
    return trainer->ranks->transport->over ? 0 : 1;
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

/* Whether the ranks gave the same word: false after an error message of rank 0. */
static bool compare_words(train_ranks *ranks, uint64_t word, const char *where,
                          const char *what)
{
    transport *t = ranks->transport;
    uint64_t words[TRANSPORT_MOST_RANKS];
    char text[TEXT_SIZE];
    if (!t->calls->words(t, word, words))
        return false;
    size_t others = list_others(words, t->ranks, text);
    if (others == 0)
        return true;
    ranks->differ = t->failed = true;
    if (t->rank == 0)
        message_error("%srank%s %s %s %s than rank 0", where, others > 1 ? "s" : "",
                      text, others > 1 ? "have" : "has", what);
    return false;
}

/* Ranks that mpirun has started may find other files on other machines. */
static bool compare_runs(const train_state *trainer, const train_options *options)
{
    const train_contents *contents = &trainer->contents;
    const uint64_t facts[] = {train_options_run(trainer->seed), options->epochs,
                              trainer->samples, trainer->epoch, trainer->step};
    uint64_t word = common_hash(COMMON_HASH_START, facts, sizeof(facts));
    word = common_hash(word, contents->train, sizeof(contents->train));
    return compare_words(trainer->ranks, word, "",
                         "other options, data or a checkpoint of another step");
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
    ranks->mpi = options->mpi;
    ranks->threads_alone = ranks->threads;
    if (ranks->mpi)
        return transport_mpi_start(&ranks->transport, rows, values) &&
               compare_runs(trainer, options);
    ranks->threads_alone *= options->ranks;
    bool spin =
        ranks->threads * options->ranks <= (size_t)sysconf(_SC_NPROCESSORS_ONLN);
    return transport_shared_start(&ranks->transport, options->ranks, rows, values,
                                  spin);
}

void ranks_name(size_t rank)
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
    if (t && t->rank > 0 && !options->mpi)
        ranks_name(t->rank);
    bool done = shards_create(trainer, options, data, t);
    if (!t || t->rank == 0 || options->mpi)
        return done;
    _exit(done ? ranks_follow(trainer) : 1);
}

/* Whether the others wait for the next epoch. */
static bool is_at_rest(const train_state *trainer)
{
    return trainer->completed == trainer->epoch || trainer->ranks->stop ||
           trainer->step == mnist_loader_batches(trainer->train) ||
           !isfinite(trainer->loss_last);
}

/* Tells the ranks of mpirun that the run is over. */
static bool tell_end(const train_state *trainer)
{
    uint64_t words[TRANSPORT_MOST_RANKS];
    transport *t = trainer->ranks->transport;
    if (!t || t->failed)
        return false;
    if (t->rank > 0)
        return t->over;
    return is_at_rest(trainer) && t->calls->words(t, WORD_END, words);
}

bool ranks_end(train_state *trainer)
{
    train_ranks *ranks = trainer->ranks;
    if (!ranks)
        return true;
    bool told = !ranks->mpi || tell_end(trainer);
    shards_destroy(&trainer->shards);
    if (ranks->mpi)
        transport_mpi_end(&ranks->transport);
    else
        transport_shared_end(&ranks->transport);
    free(ranks->sums);
    free(ranks);
    trainer->ranks = NULL;
    return told;
}

int ranks_adopt(train_options *options, const transport_world *world)
{
    if (world->ranks == 1)
        return -1;
    if (options->ranks > 1)
        message_error("--ranks cannot be combined with mpirun, which started %zu ranks",
                      world->ranks);
    else if (world->ranks > TRANSPORT_MOST_RANKS)
        message_error("mpirun started %zu ranks, expected at most %d", world->ranks,
                      TRANSPORT_MOST_RANKS);
    else {
        options->ranks = world->ranks;
        options->mpi = true;
        return together_check(options);
    }
    return OPTIONS_USAGE;
}

bool ranks_share_seed(const train_options *options, uint64_t *seed)
{
    uint64_t words[TRANSPORT_MOST_RANKS];
    if (!options->mpi)
        return true;
    if (!transport_mpi_words(*seed, words))
        return false;
    *seed = words[0];
    return true;
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
    double started = report_seconds();
    if (!t->calls->share(t, ranks->rows))
        return NULL;
    size_t end = transport_range(t, t->rank + 1), count;
    for (size_t i = transport_range(t, t->rank); i < end; i += count) {
        count = end - i < CHUNK ? end - i : CHUNK;
        add_chunk(ranks, i, count);
    }
    if (!t->calls->complete(t))
        return NULL;
    ranks->exchange += report_seconds() - started;
    ranks->stop = t->total[tail + SHARDS_STOP] > 0;
    if (ranks->stop)
        signals_note_other();
    return t->total;
}

bool ranks_compare(train_state *trainer)
{
    train_ranks *ranks = trainer->ranks;
    if (!ranks || (trainer->step % COMPARE_STEPS &&
                   trainer->step < mnist_loader_batches(trainer->train)))
        return true;
    char where[80];
    float *values = ranks->transport->rows;
    size_t size = lstm_params_count(trainer->network.params) * sizeof(*values);
    if (lstm_params_get_values(trainer->network.params, values) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    snprintf(where, sizeof(where), "step %zu of epoch %zu: ", trainer->step,
             trainer->epoch);
    return compare_words(ranks, common_hash(COMMON_HASH_START, values, size), where,
                         "other parameters");
}

bool ranks_next_epoch(const train_state *trainer)
{
    uint64_t words[TRANSPORT_MOST_RANKS];
    transport *t = trainer->ranks ? trainer->ranks->transport : NULL;
    if (!t)
        return true;
    if (!t->calls->words(t, WORD_EPOCH, words))
        return false;
    t->over = words[0] == WORD_END;
    return !t->over;
}

double ranks_exchange(const train_state *trainer)
{
    return trainer->ranks ? trainer->ranks->exchange : 0;
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
    size_t threads = alone ? ranks->threads_alone : ranks->threads;
    lstm_set_threads(threads < LSTM_MAX_THREADS ? threads : LSTM_MAX_THREADS);
}
