#include <math.h>

#include "examples/digits/scores.h"

void scores_normalise(const uint8_t *bytes, size_t size, float *values)
{
    for (size_t i = 0; i < size; i++)
        values[i] = ((float)bytes[i] / 255.0f - 0.1307f) / 0.3081f;
}

bool scores_softmax(const float *logits, size_t classes, double *probabilities)
{
    double largest = logits[0], sum = 0;
    for (size_t i = 0; i < classes; i++) {
        if (!isfinite(logits[i]))
            return false;
        largest = logits[i] > largest ? logits[i] : largest;
    }
    for (size_t i = 0; i < classes; i++)
        sum += probabilities[i] = exp(logits[i] - largest);
    for (size_t i = 0; i < classes; i++)
        probabilities[i] /= sum;
    return true;
}
