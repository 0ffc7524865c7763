/* Generates a data set of synthetic digits. */
#include <stdio.h>

#include "lib/mnist/dataset.h"
#include "lib/mnist/fit.h"
#include "lib/mnist/status.h"
#include "lib/mnist/synthetic.h"

enum { CLASSES = 10, PIXELS = MNIST_FIT_SIDE * MNIST_FIT_SIDE };

/* Seed of digit index, derived from the seed of the data set. */
static uint64_t derive(uint64_t seed, uint64_t index)
{
    mnist_random random = {seed};
    random.state = mnist_random_next(&random) + index;
    return mnist_random_next(&random);
}

/* Writes the ten digits in random order. */
static void shuffle_digits(uint8_t *labels, uint64_t seed)
{
    mnist_random random = {seed};
    for (unsigned i = 0; i < CLASSES; i++)
        labels[i] = (uint8_t)i;
    for (unsigned i = CLASSES - 1; i > 0; i--) {
        unsigned other = (unsigned)(mnist_random_next(&random) % (i + 1));
        uint8_t label = labels[i];
        labels[i] = labels[other];
        labels[other] = label;
    }
}

mnist_status mnist_dataset_synthetic(mnist_dataset **out, size_t count, uint64_t seed)
{
    if (!out)
        return mnist_fail(MNIST_INVALID_ARGUMENT, "dataset: out is NULL");
    char origin[64];
    snprintf(origin, sizeof(origin), "synthetic digits, seed %llu",
             (unsigned long long)seed);
    mnist_status status = mnist_dataset_new(out, count, MNIST_FIT_SIDE, MNIST_FIT_SIDE,
                                            CLASSES, true, origin);
    if (status)
        return status;
    (*out)->synthetic = true;
    uint8_t labels[CLASSES];
    for (size_t i = 0; i < count; i++) {
        uint64_t own = derive(seed, i);
        if (i % CLASSES == 0)
            shuffle_digits(labels, ~own);
        (*out)->labels[i] = labels[i % CLASSES];
        mnist_synthetic_draw((*out)->images + i * PIXELS, labels[i % CLASSES], own);
    }
    return MNIST_OK;
}
