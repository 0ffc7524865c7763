#include <math.h>
#include <stdlib.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/digits/shifts.h"
#include "examples/train/checkpoint.h"
#include "examples/train/choose.h"
#include "examples/train/chrono.h"
#include "examples/train/ranks.h"
#include "examples/train/shards.h"
#include "examples/train/trainer.h"

/* Large enough for fast matrix products, small enough to need little memory. */
enum { TEST_BATCH = 128 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

static bool mnist_failed(void)
{
    return message_error("%s", mnist_last_error());
}

/* Creates the loader of a data set, with at most all images in a batch, tensors for
 * full batches, and views for the partial last batch. */
static bool create_batches(train_state *trainer, const mnist_dataset *dataset,
                           mnist_loader_config config, mnist_loader **loader,
                           classifier_batch *full, classifier_batch *tail)
{
    size_t count = mnist_dataset_count(dataset);
    size_t size = smaller(config.batch_size, count);
    config.batch_size = size;
    if (mnist_loader_create(loader, dataset, &config) != MNIST_OK)
        return mnist_failed();
    if (!classifier_batch_create(full, &trainer->network, size) ||
        (count % size &&
         !classifier_batch_narrow(tail, &trainer->network, full, 0, count % size)))
        return lstm_failed();
    return true;
}

/* Refuses weights that cannot learn. */
static bool check_finite(const lstm_params *params, const char *path)
{
    char why[400];
    return finite_check(params, path, why, sizeof(why)) || message_error("%s", why);
}

/* Takes the weights of a model, or those of the last step of a checkpoint. */
static bool load(lstm_params *params, const char *path)
{
    static const char *const others[] = {"best", "average", NULL};
    char why[4600];
    lstm_file *file;
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    const lstm_file_options options = {.allow_surplus = true};
    bool run = lstm_file_metadata(file, CHECKPOINT_KEY);
    bool done =
        (lstm_params_read(params, file, &options) == LSTM_OK || lstm_failed()) &&
        (rules_check_surplus(file, path, params, run ? others : NULL, why,
                             sizeof(why)) ||
         message_error("%s", why));
    lstm_file_destroy(&file);
    return done && check_finite(params, path);
}

static bool create_stored(train_state *trainer, bool keep_best, double ema)
{
    const size_t count = lstm_params_count(trainer->network.params);
    lstm_tensor **weights = &trainer->best.weights;
    return lstm_params_create(&trainer->stored) == LSTM_OK &&
           classifier_add(&trainer->network, trainer->stored) &&
           (!keep_best || (lstm_tensor_create(weights, 1, &count) == LSTM_OK &&
                           lstm_params_add_tensor(trainer->stored, "best", *weights,
                                                  NULL) == LSTM_OK)) &&
           average_create(&trainer->average, ema, trainer->network.params,
                          trainer->stored);
}

static bool create_network(train_state *trainer, const train_options *options,
                           uint64_t seed, const train_data *data)
{
    classifier_config network = {.rows = mnist_dataset_rows(train_data_any(data)),
                                 .cols = mnist_dataset_cols(train_data_any(data)),
                                 .classes = train_data_classes(data)};
    const lstm_adam_config adam = {
        .lr = options->lr,
        .weight_decay = options->weight_decay,
        .decoupled = options->decoupled,
    };
    const lstm_cross_entropy_config loss = {
        /* The sum of a shard is divided by the samples of the whole batch. */
        .reduction = options->shards > 1 ? LSTM_REDUCTION_SUM : LSTM_REDUCTION_MEAN,
        .label_smoothing = options->label_smoothing,
    };
    trainer->clip_norm = options->clip_norm;
    trainer->schedule = options->schedule;
    if (!choose_network(&network, options))
        return false;
    trainer->classes = network.classes;
    if (lstm_rng_create(&trainer->rng, seed) != LSTM_OK ||
        !classifier_create(&trainer->network, &network, trainer->rng) ||
        lstm_cross_entropy_create(&trainer->loss, &loss) != LSTM_OK ||
        !create_stored(trainer, options->keep == TRAIN_KEEP_BEST, options->ema) ||
        lstm_adam_create(&trainer->adam, trainer->stored, &adam) != LSTM_OK)
        return lstm_failed();
    char why[400];
    if (!options->resume &&
        !chrono_init(&trainer->network, options->chrono, trainer->rng))
        return false;
    if (!classifier_permute(&trainer->network, why, sizeof(why)))
        return message_error("%s", why);
    return !options->load || load(trainer->network.params, options->load);
}

/* Creates the batches for the evaluation on a set; none for NULL. */
static bool create_tester(train_state *trainer, const mnist_dataset *dataset,
                          train_tester *set)
{
    set->count = mnist_dataset_count(dataset);
    const mnist_loader_config config = {.batch_size = TEST_BATCH};
    return !dataset || create_batches(trainer, dataset, config, &set->loader,
                                      &set->full, &set->tail);
}

static void destroy_tester(train_tester *set)
{
    classifier_batch_destroy(&set->tail);
    classifier_batch_destroy(&set->full);
    mnist_loader_destroy(&set->loader);
}

/* Shards have a loader of their own. Images that stay as they are take less time than
 * to wake a worker. */
static bool open_ahead(train_state *trainer, const train_options *options)
{
    const classifier_config *config = &trainer->network.config;
    return ahead_open(&trainer->ahead, trainer->train, trainer->full.count,
                      config->rows * config->cols,
                      options->augment.text && options->shards == 1);
}

static bool create_members(train_state *trainer, const train_options *options,
                           uint64_t seed, const train_data *data)
{
    size_t largest =
        options->batch_size > TEST_BATCH ? options->batch_size : TEST_BATCH;
    trainer->labels = calloc(largest, sizeof(*trainer->labels));
    if (!trainer->labels)
        return message_error("no memory for %zu labels", largest);
    mnist_loader_config config = {.batch_size = options->batch_size, .shuffle = true};
    augment_configure(&options->augment, &config);
    return create_network(trainer, options, seed, data) &&
           (!data->train ||
            (create_batches(trainer, data->train, config, &trainer->train,
                            &trainer->full, &trainer->tail) &&
             open_ahead(trainer, options))) &&
           create_tester(trainer, data->validation, &trainer->validation) &&
           create_tester(trainer, data->test, &trainer->test) &&
           tta_create(&trainer->tta, shifts_count(options->tta), TEST_BATCH,
                      &trainer->network.config);
}

/* Ends the changes of images if the epoch is one without. */
static bool end_changes(train_state *trainer)
{
    if (trainer->clean || trainer->clean_epoch == 0 ||
        trainer->epoch < trainer->clean_epoch)
        return true;
    /* The worker must not read from a loader that is gone. */
    ahead_forget(&trainer->ahead);
    trainer->clean =
        augment_end(&trainer->train, trainer->data->train, trainer->full.count);
    ahead_use(&trainer->ahead, trainer->train);
    return trainer->clean;
}

static bool resume(train_state *trainer, const train_options *options)
{
    if (!checkpoint_load(trainer, options->resume) ||
        !check_finite(trainer->stored, options->resume) || !end_changes(trainer))
        return false;
    trainer->average.started = trainer->epoch > 1 || trainer->step > 0;
    return trainer->epoch <= options->epochs ||
           message_error("--epochs is %llu, expected at least %zu, the epoch of %s",
                         (unsigned long long)options->epochs, trainer->epoch,
                         options->resume);
}

bool trainer_create(train_state *trainer, const train_options *options, uint64_t seed,
                    const train_data *data)
{
    *trainer = (train_state){
        .seed = seed, .samples = mnist_dataset_count(data->train), .data = data};
    if (options->checkpoint || options->mpi)
        contents_find(&trainer->contents, data);
    if (create_members(trainer, options, seed, data)) {
        size_t clean = train_options_clean(options);
        if (clean > 0)
            trainer->clean_epoch = options->epochs - clean + 1;
        if (trainer->train)
            schedule_start(&trainer->schedule, options->lr,
                           mnist_loader_batches(trainer->train), options->epochs);
        if (!options->resume || resume(trainer, options))
            return true;
    }
    trainer_destroy(trainer);
    return false;
}

void trainer_destroy(train_state *trainer)
{
    shards_destroy(&trainer->shards);
    ahead_close(&trainer->ahead);
    /* Views before the tensors that they refer to. */
    classifier_batch_destroy(&trainer->tail);
    classifier_batch_destroy(&trainer->full);
    destroy_tester(&trainer->validation);
    destroy_tester(&trainer->test);
    tta_destroy(&trainer->tta);
    mnist_loader_destroy(&trainer->train);
    lstm_adam_destroy(&trainer->adam);
    lstm_params_destroy(&trainer->stored);
    lstm_tensor_destroy(&trainer->best.weights);
    average_destroy(&trainer->average);
    lstm_cross_entropy_destroy(&trainer->loss);
    classifier_destroy(&trainer->network);
    lstm_rng_destroy(&trainer->rng);
    free(trainer->labels);
    trainer->labels = NULL;
}

bool trainer_start_epoch(train_state *trainer)
{
    if (!ranks_next_epoch(trainer))
        return false;
    /* PyTorch's DataLoader first draws a seed for its workers, then the seed of the
     * order. */
    lstm_rng_next(trainer->rng);
    trainer->order = lstm_rng_next(trainer->rng);
    trainer->epoch++;
    trainer->step = 0;
    trainer->loss_sum = 0;
    trainer->loss_count = 0;
    if (!end_changes(trainer))
        return false;
    ahead_forget(&trainer->ahead);
    return mnist_loader_start(trainer->train, trainer->order) == MNIST_OK ||
           mnist_failed();
}

/* Keeps the weights that were evaluated. */
static bool keep_best(train_state *trainer)
{
    lstm_params *params = trainer->network.params;
    return average_show(&trainer->average, params) &&
           lstm_params_get_values(params, lstm_tensor_data(trainer->best.weights)) ==
               LSTM_OK &&
           average_hide(&trainer->average, params);
}

bool trainer_end_epoch(train_state *trainer)
{
    const train_best *best = &trainer->best;
    if (best->weights && best->epoch == trainer->epoch && !keep_best(trainer))
        return lstm_failed();
    trainer->completed = trainer->epoch;
    return schedule_end_epoch(&trainer->schedule, trainer->adam,
                              trainer->loss_sum / (double)trainer->loss_count) ||
           lstm_failed();
}

bool trainer_is_patient(const train_state *trainer, const train_options *options)
{
    return options->patience == 0 || trainer->best.bad < options->patience;
}

bool trainer_is_last(const train_state *trainer, const train_options *options)
{
    return trainer->epoch == options->epochs || !trainer_is_patient(trainer, options);
}

bool trainer_is_finished(const train_state *trainer, const train_options *options)
{
    return trainer->epoch > 0 && trainer->completed == trainer->epoch &&
           trainer_is_last(trainer, options);
}

size_t trainer_logged_steps(const train_state *trainer)
{
    bool waits = trainer->completed < trainer->epoch &&
                 trainer->step == mnist_loader_batches(trainer->train);
    return trainer->step - (waits ? 1 : 0);
}

void trainer_compare(train_state *trainer, size_t correct)
{
    train_best *best = &trainer->best;
    if (best->epoch > 0 && correct <= best->correct)
        best->bad++;
    else
        *best = (train_best){trainer->epoch, correct, 0, best->weights};
}

bool trainer_use_best(train_state *trainer)
{
    const train_best *best = &trainer->best;
    const float *values = best->weights && best->epoch > 0
                              ? lstm_tensor_data(best->weights)
                              : average_values(&trainer->average);
    if (!values || trainer->chosen)
        return true;
    trainer->chosen = true;
    return lstm_params_set_values(trainer->network.params, values) == LSTM_OK ||
           lstm_failed();
}

/* The tensors of count images; NULL for none, at the end of the epoch. */
static classifier_batch *batch_of(size_t count, classifier_batch *full,
                                  classifier_batch *tail)
{
    if (count == 0)
        return NULL;
    return count == full->count ? full : tail;
}

static classifier_batch *next_training(train_state *trainer)
{
    size_t count =
        ahead_next(&trainer->ahead, lstm_tensor_data(trainer->full.x), trainer->labels);
    return batch_of(count, &trainer->full, &trainer->tail);
}

static classifier_batch *next_tested(train_tester *set, int64_t *labels)
{
    size_t count =
        mnist_loader_next(set->loader, lstm_tensor_data(set->full.x), labels);
    return batch_of(count, &set->full, &set->tail);
}

static bool update(train_state *trainer)
{
    return (trainer->clip_norm == 0 ||
            lstm_params_clip_norm(trainer->network.params, trainer->clip_norm, NULL) ==
                LSTM_OK) &&
           schedule_step(&trainer->schedule, trainer->adam) &&
           lstm_adam_step(trainer->adam) == LSTM_OK &&
           average_update(&trainer->average, trainer->network.params);
}

/* Computes the gradients of the next batch and its loss. */
static bool compute_gradient(train_state *trainer, size_t *samples)
{
    classifier_batch *batch = next_training(trainer);
    if (!batch)
        return message_error("no batch left in the epoch");
    *samples = batch->count;
    return (classifier_forward(&trainer->network, batch) &&
            lstm_cross_entropy_forward(trainer->loss, batch->logits, trainer->labels,
                                       &trainer->loss_last) == LSTM_OK &&
            lstm_cross_entropy_backward(trainer->loss, NULL, batch->dlogits) ==
                LSTM_OK &&
            lstm_params_zero_grad(trainer->network.params) == LSTM_OK &&
            classifier_backward(&trainer->network, batch)) ||
           lstm_failed();
}

bool trainer_step(train_state *trainer, size_t *samples)
{
    if (!(trainer->shards ? shards_gradient(trainer, samples)
                          : compute_gradient(trainer, samples)))
        return false;
    if (!update(trainer))
        return lstm_failed();
    trainer->loss_sum += (double)trainer->loss_last * (double)*samples;
    trainer->loss_count += *samples;
    trainer->step++;
    return ranks_compare(trainer);
}

/* Keeps how the images of a batch, which begin with index first, are read. */
static void add_answers(train_state *trainer, const classifier_batch *batch,
                        size_t first)
{
    const float *logits = lstm_tensor_data(batch->logits);
    for (size_t i = 0; trainer->answers && i < batch->count; i++)
        answers_add(trainer->answers, first + i, (size_t)trainer->labels[i],
                    logits + i * trainer->classes);
}

/* Refuses scores that are infinite or not a number: none of them is an answer. With
 * several places a score is the logarithm of a mean, which may be 0. */
static bool check_scores(const train_state *trainer, const classifier_batch *batch,
                         size_t first)
{
    const float *logits = lstm_tensor_data(batch->logits);
    bool several = trainer->tta.places > 1;
    for (size_t i = 0; i < lstm_tensor_count(batch->logits); i++)
        if (!isfinite(logits[i]) && !(several && logits[i] < 0))
            return message_error("the network computes a score that is not finite, for "
                                 "image %zu",
                                 first + i / trainer->classes);
    return true;
}

static bool evaluate_batches(train_state *trainer, train_tester *set, size_t *correct,
                             volatile const bool *stop)
{
    classifier_batch *batch;
    size_t done = 0;
    while (!*stop && ranks_check(trainer) &&
           (batch = next_tested(set, trainer->labels))) {
        if (!tta_forward(&trainer->tta, &trainer->network, batch))
            return lstm_failed();
        if (!check_scores(trainer, batch, done))
            return false;
        *correct += classifier_correct(batch, trainer->labels);
        add_answers(trainer, batch, done);
        done += batch->count;
    }
    return !ranks_failed(trainer);
}

bool trainer_evaluate(train_state *trainer, train_tester *set, size_t *correct,
                      volatile const bool *stop)
{
    *correct = 0;
    if (trainer->answers)
        answers_clear(trainer->answers);
    if (mnist_loader_start(set->loader, 0) != MNIST_OK)
        return mnist_failed();
    train_average *average = &trainer->average;
    lstm_params *params = trainer->network.params;
    bool averages = !trainer->chosen;
    if ((averages && !average_show(average, params)) ||
        !classifier_set_training(&trainer->network, false))
        return lstm_failed();
    ranks_alone(trainer, true);
    bool done = evaluate_batches(trainer, set, correct, stop);
    ranks_alone(trainer, false);
    if (!classifier_set_training(&trainer->network, true) ||
        (averages && !average_hide(average, params)))
        return lstm_failed();
    return done;
}
