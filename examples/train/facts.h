/**
 * @file
 * What was run, in words: the lines of a report.
 */
#ifndef EXAMPLES_TRAIN_FACTS_H
#define EXAMPLES_TRAIN_FACTS_H

#include <stdbool.h>

#include "examples/report/experiment.h"
#include "examples/train/data.h"
#include "examples/train/options.h"
#include "examples/train/trainer.h"

enum { FACTS_MOST = 24 };

/** Texts are clean: valid, and without control characters. */
typedef struct train_facts {
    /** The data set and the network in a few words. */
    char *name, *network;
    /** The checkpoint as the command line of a shell has it, or NULL. */
    char *checkpoint;
    experiment_fact facts[FACTS_MOST];
    size_t count;
    /** Whether memory was exhausted. */
    bool failed;
} train_facts;

/** Collects the facts of a run; false without memory, with nothing to free. */
bool facts_collect(train_facts *facts, const train_options *options,
                   const train_state *trainer, const train_data *data);

void facts_free(train_facts *facts);

#endif
