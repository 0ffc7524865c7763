/**
 * @file
 * Which network a run trains: from the options, and from the file that it loads.
 */
#ifndef EXAMPLES_TRAIN_CHOOSE_H
#define EXAMPLES_TRAIN_CHOOSE_H

#include "examples/digits/classifier.h"
#include "examples/train/options.h"

/**
 * Chooses the options of the network. Options that are not given come from the file to
 * load or to resume, if any; loading the values then checks that they match.
 *
 * @param[in,out] config with the size of the images and the classes of the data, of
 *        which the file may have more
 * @return false after an error message
 */
bool choose_network(classifier_config *config, const train_options *options);

#endif
