#include <stdlib.h>

#include "examples/report/history.h"

/* Makes room for one more element; NULL without memory. */
static void *grow(void *data, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return data;
    size_t more = *room ? 2 * *room : 64;
    void *grown = realloc(data, more * size);
    if (grown)
        *room = more;
    return grown;
}

bool history_add(history *h, size_t epoch, size_t step, float loss)
{
    const history_step *last = h->step_count ? &h->steps[h->step_count - 1] : NULL;
    if (last && (epoch < last->epoch || (epoch == last->epoch && step <= last->step)))
        return true;
    void *grown = grow(h->steps, h->step_count, &h->step_room, sizeof(*h->steps));
    if (!grown)
        return false;
    h->steps = grown;
    h->steps[h->step_count++] = (history_step){epoch, step, loss};
    return true;
}

/* The last batch of an epoch may be smaller. */
static size_t batch_of(const history *h, size_t step)
{
    size_t before = (step - 1) * h->batch;
    return h->samples - before < h->batch ? h->samples - before : h->batch;
}

/* Mean of the sample losses of an epoch; negative if not all of its steps are there. */
static double mean_of(const history *h, size_t epoch)
{
    double sum = 0;
    size_t found = 0;
    for (size_t i = h->step_count; i-- > 0 && h->steps[i].epoch >= epoch;)
        if (h->steps[i].epoch == epoch) {
            sum += (double)h->steps[i].loss * (double)batch_of(h, h->steps[i].step);
            found++;
        }
    return found == h->steps_per_epoch ? sum / (double)h->samples : -1;
}

bool history_end_epoch(history *h, size_t epoch, double validation, double test,
                       double lr, double seconds)
{
    void *grown = grow(h->epochs, h->epoch_count, &h->epoch_room, sizeof(*h->epochs));
    if (!grown)
        return false;
    h->epochs = grown;
    h->epochs[h->epoch_count++] =
        (history_epoch){epoch, mean_of(h, epoch), validation, test, lr, seconds};
    return true;
}

size_t history_position(const history *h, const history_step *step)
{
    return (step->epoch - 1) * h->steps_per_epoch + step->step;
}

bool history_is_whole(const history *h)
{
    return h->step_count > 0 && history_position(h, &h->steps[0]) == 1;
}

void history_free(history *h)
{
    free(h->steps);
    free(h->epochs);
    *h = (history){0};
}
