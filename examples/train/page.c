#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/report/experiment.h"
#include "examples/train/facts.h"
#include "examples/train/page.h"

static bool no_memory(const train_page *page)
{
    return message_error("%s: no memory for the report", page->options->report);
}

bool page_open(train_page *page, train_state *trainer, const train_options *options,
               const train_data *data, const char *run)
{
    *page = (train_page){
        .options = options,
        .data = data,
        .run = run,
        .history = {.samples = trainer->samples, .batch = trainer->full.count},
        .validation = -1,
        .test = -1};
    if (!options->report)
        return true;
    if (trainer->train)
        page->history.steps_per_epoch = mnist_loader_batches(trainer->train);
    if (!answers_create(&page->next, trainer->classes) ||
        !answers_create(&page->last, trainer->classes))
        return no_memory(page);
    trainer->answers = &page->next;
    return true;
}

static bool end_epoch(train_page *page, const train_line *line)
{
    if (!history_end_epoch(&page->history, line->epoch, page->validation, page->test,
                           line->lr, line->seconds))
        return no_memory(page);
    page->validation = page->test = -1;
    return true;
}

bool page_step(train_page *page, const train_line *line)
{
    return !page->options->report ||
           history_add(&page->history, line->epoch, line->step, line->loss) ||
           no_memory(page);
}

bool page_read(train_page *page, const train_line *line, double accuracy)
{
    if (!page_step(page, line))
        return false;
    if (!page->options->report || line->step < page->history.steps_per_epoch)
        return true;
    if (page->data->validation)
        page->validation = accuracy;
    else
        page->test = accuracy;
    return end_epoch(page, line);
}

void page_accuracy(train_page *page, const char *set, size_t epoch, double accuracy)
{
    if (!page->options->report)
        return;
    const answers last = page->last;
    page->last = page->next;
    page->next = last;
    bool test = strcmp(set, "Test") == 0;
    page->set = test ? "test" : "validation";
    page->set_epoch = epoch;
    *(test ? &page->test : &page->validation) = accuracy;
}

bool page_end_epoch(train_page *page, const train_line *line, bool diverges)
{
    page->diverges |= diverges;
    return !page->options->report || end_epoch(page, line);
}

static const uint8_t *image_of(size_t index, void *user)
{
    const train_page *page = user;
    const mnist_dataset *set =
        strcmp(page->set, "test") == 0 ? page->data->test : page->data->validation;
    return mnist_dataset_image(set, index);
}

static void write_date(char *text, size_t size)
{
    time_t now = time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || !strftime(text, size, "%Y-%m-%d %H:%M UTC", &parts))
        snprintf(text, size, "%lld", (long long)now);
}

static experiment describe(const train_page *page, const train_state *trainer,
                           const train_facts *facts, const char *state)
{
    const train_options *options = page->options;
    const mnist_dataset *any = train_data_any(page->data);
    const lstm_layer_config *config = lstm_layer_get_config(trainer->network.lstm);
    return (experiment){.data = facts->name,
                        .network = facts->network,
                        .run = page->run,
                        .state = state,
                        .facts = facts->facts,
                        .fact_count = facts->count,
                        .history = &page->history,
                        .answers = page->set ? &page->last : NULL,
                        .set = page->set,
                        .set_epoch = page->set_epoch,
                        .image = image_of,
                        .user = (void *)(uintptr_t)page,
                        .rows = mnist_dataset_rows(any),
                        .cols = mnist_dataset_cols(any),
                        .seconds = trainer->seconds,
                        .epochs = options->epochs,
                        .lr = options->lr,
                        .validates = page->data->validation,
                        .keeps_best = options->keep == TRAIN_KEEP_BEST,
                        .constant_rate = !options->schedule.name,
                        .bidirectional = config->bidirectional,
                        .dropout = config->dropout > 0,
                        .synthetic = mnist_dataset_is_synthetic(any),
                        .checkpoint = facts->checkpoint,
                        .diverges = page->diverges};
}

bool page_save(const train_page *page, const train_state *trainer, const char *state)
{
    const char *path = page->options->report;
    train_facts facts;
    output file;
    char date[40];
    if (!path)
        return true;
    if (!facts_collect(&facts, page->options, trainer, page->data))
        return no_memory(page);
    experiment e = describe(page, trainer, &facts, state);
    write_date(date, sizeof(date));
    e.date = date;
    bool done = output_open(&file, path);
    if (done) {
        experiment_write(file.stream, &e);
        done = output_commit(&file);
    }
    facts_free(&facts);
    return done;
}

void page_free(train_page *page)
{
    history_free(&page->history);
    answers_free(&page->next);
    answers_free(&page->last);
}
