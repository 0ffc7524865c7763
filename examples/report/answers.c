#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "examples/report/answers.h"

bool answers_create(answers *a, size_t classes)
{
    *a = (answers){.classes = classes};
    a->table = calloc(classes * classes, sizeof(*a->table));
    return a->table;
}

void answers_clear(answers *a)
{
    memset(a->table, 0, a->classes * a->classes * sizeof(*a->table));
    a->count = a->correct = a->worst_count = 0;
}

/* Keeps the worst images in order; the first of equals comes first. */
static void insert(answers *a, const answer *new)
{
    size_t at = a->worst_count;
    while (at > 0 && a->worst[at - 1].label_probability > new->label_probability)
        at--;
    if (at == ANSWERS_WORST)
        return;
    if (a->worst_count < ANSWERS_WORST)
        a->worst_count++;
    memmove(&a->worst[at + 1], &a->worst[at],
            (a->worst_count - 1 - at) * sizeof(*a->worst));
    a->worst[at] = *new;
}

void answers_add(answers *a, size_t index, size_t label, const float *logits)
{
    answer new = {.index = index, .label = label};
    double sum = 0;
    for (size_t i = 1; i < a->classes; i++)
        if (logits[i] > logits[new.read])
            new.read = i;
    double largest = (double)logits[new.read];
    for (size_t i = 0; i < a->classes; i++)
        sum += exp((double)logits[i] - largest);
    new.probability = 1 / sum;
    new.label_probability = exp((double)logits[label] - largest) / sum;
    a->table[label * a->classes + new.read]++;
    a->count++;
    a->correct += new.read == label;
    insert(a, &new);
}

void answers_free(answers *a)
{
    free(a->table);
    *a = (answers){0};
}

size_t answers_at(const answers *a, size_t label, size_t read)
{
    return a->table[label * a->classes + read];
}

size_t answers_labels(const answers *a, size_t label)
{
    size_t sum = 0;
    for (size_t i = 0; i < a->classes; i++)
        sum += answers_at(a, label, i);
    return sum;
}

size_t answers_reads(const answers *a, size_t read)
{
    size_t sum = 0;
    for (size_t i = 0; i < a->classes; i++)
        sum += answers_at(a, i, read);
    return sum;
}

void answers_interval(const answers *a, double *low, double *high)
{
    static const double z = 1.959964;
    double n = (double)a->count, p = (double)a->correct / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = fmax(middle - half, 0);
    *high = fmin(middle + half, 1);
}
