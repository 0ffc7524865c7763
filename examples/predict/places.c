#include <stdio.h>
#include <stdlib.h>

#include "examples/digits/shifts.h"
#include "examples/predict/places.h"

/* Memory for images in another place. */
typedef struct moved {
    uint8_t *images;
    double *probabilities;
} moved;

/* Adds the probabilities of a place. */
static bool add_place(model *network, const int place[2], const uint8_t *images,
                      size_t count, moved *other, double *sums, char *why, size_t size)
{
    const uint8_t black = 0;
    for (size_t i = 0; i < count * MODEL_PIXELS; i += MODEL_PIXELS)
        shifts_move(images + i, MODEL_SIDE, MODEL_SIDE, 1, place, &black,
                    other->images + i);
    if (!model_predict(network, other->images, count, other->probabilities, why, size))
        return false;
    for (size_t i = 0; i < count * network->classes; i++)
        sums[i] += other->probabilities[i];
    return true;
}

bool places_predict(model *network, size_t places, const uint8_t *images, size_t count,
                    double *probabilities, char *why, size_t size)
{
    size_t scores = count * network->classes;
    if (places == 1)
        return model_predict(network, images, count, probabilities, why, size);
    moved other = {malloc(count * MODEL_PIXELS),
                   calloc(scores, sizeof(*other.probabilities))};
    bool done = other.images && other.probabilities;
    if (!done)
        snprintf(why, size, "no memory to move %zu images", count);
    for (size_t i = 0; i < scores; i++)
        probabilities[i] = 0;
    for (size_t place = 0; done && place < places; place++)
        done = add_place(network, shifts_places[place], images, count, &other,
                         probabilities, why, size);
    for (size_t i = 0; i < scores; i++)
        probabilities[i] /= (double)places;
    free(other.images);
    free(other.probabilities);
    return done;
}
