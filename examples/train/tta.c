#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/digits/scores.h"
#include "examples/digits/shifts.h"
#include "examples/train/tta.h"

bool tta_create(train_tta *tta, size_t places, size_t images,
                const classifier_config *config)
{
    *tta = (train_tta){.places = places};
    if (places == 1)
        return true;
    tta->images = calloc(images * config->rows * config->cols, sizeof(*tta->images));
    tta->sums = calloc((images + 1) * config->classes, sizeof(*tta->sums));
    if (tta->images && tta->sums)
        return true;
    tta_destroy(tta);
    return message_error("no memory for %zu places of %zu images", places, images);
}

void tta_destroy(train_tta *tta)
{
    free(tta->images);
    free(tta->sums);
    *tta = (train_tta){0};
}

/* Moves the images of the batch to a place. */
static void move(const train_tta *tta, classifier_batch *batch, size_t place)
{
    size_t rows = lstm_tensor_extent(batch->x, 1),
           cols = lstm_tensor_extent(batch->x, 2);
    const uint8_t black = 0;
    float fill, *x = lstm_tensor_data(batch->x);
    scores_normalise(&black, 1, &fill);
    for (size_t i = 0; i < batch->count; i++)
        shifts_move(tta->images + i * rows * cols, rows, cols, sizeof(*x),
                    shifts_places[place], &fill, x + i * rows * cols);
}

/* Adds the probabilities of the batch. A score that is not finite makes the sum NaN, as
 * it does the logits of a single place. */
static void add(train_tta *tta, const classifier_batch *batch)
{
    size_t classes = lstm_tensor_extent(batch->logits, 1);
    const float *logits = lstm_tensor_data(batch->logits);
    double *one = tta->sums + batch->count * classes;
    for (size_t i = 0; i < batch->count; i++) {
        bool finite = scores_softmax(logits + i * classes, classes, one);
        for (size_t k = 0; k < classes; k++)
            tta->sums[i * classes + k] += finite ? one[k] : NAN;
    }
}

bool tta_forward(train_tta *tta, classifier *network, classifier_batch *batch)
{
    size_t pixels = lstm_tensor_count(batch->x),
           scores = lstm_tensor_count(batch->logits);
    float *logits = lstm_tensor_data(batch->logits);
    if (tta->places == 1)
        return classifier_forward(network, batch);
    memcpy(tta->images, lstm_tensor_data(batch->x), pixels * sizeof(*tta->images));
    for (size_t i = 0; i < scores; i++)
        tta->sums[i] = 0;
    for (size_t place = 0; place < tta->places; place++) {
        move(tta, batch, place);
        if (!classifier_forward(network, batch))
            return false;
        add(tta, batch);
    }
    for (size_t i = 0; i < scores; i++)
        logits[i] = (float)log(tta->sums[i] / (double)tta->places);
    return true;
}
