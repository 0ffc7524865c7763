/**
 * @file
 * --augment: how much training images are changed at random.
 */
#ifndef EXAMPLES_TRAIN_AUGMENT_H
#define EXAMPLES_TRAIN_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include <mnist/mnist.h>

/** Limits of the changes, 0 for those that are not given. */
typedef struct train_augment {
    /** As given; NULL: images stay as they are. */
    const char *text;
    double shift, rotate, scale, shear, elastic;
} train_augment;

/** Parses NAME:VALUE,NAME:VALUE...; false with the reason in why [size]. */
bool augment_parse(train_augment *augment, const char *text, char *why, size_t size);

/** Prints the changes for --help. */
void augment_print_help(void);

/** Sets the options of a loader. */
void augment_configure(const train_augment *augment, mnist_loader_config *config);

/** Replaces a loader by one that shuffles and changes no images, at the same place of
 *  the same epoch; false after an error message, with the loader as it was. */
bool augment_end(mnist_loader **loader, const mnist_dataset *dataset,
                 size_t batch_size);

#endif
