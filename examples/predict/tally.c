#include <stdio.h>
#include <stdlib.h>

#include "examples/predict/tally.h"

bool tally_create(tally *t, size_t classes)
{
    t->classes = classes;
    t->matrix = calloc(classes * classes, sizeof(*t->matrix));
    return t->matrix != NULL;
}

void tally_destroy(tally *t)
{
    free(t->matrix);
    free(t->misses);
    *t = (tally){0};
}

static bool add_miss(tally *t, const output_answer *answer)
{
    enum { FIRST = 64 };
    if (t->miss_count == t->miss_room) {
        size_t room = t->miss_room ? 2 * t->miss_room : FIRST;
        tally_miss *larger = realloc(t->misses, room * sizeof(*larger));
        if (!larger)
            return false;
        t->misses = larger;
        t->miss_room = room;
    }
    t->misses[t->miss_count++] = (tally_miss){
        .index = answer->image.index,
        .label = (size_t)answer->image.label,
        .answer = answer->best,
        .probability = answer->probabilities[answer->best],
    };
    return true;
}

bool tally_add(tally *t, const output_answer *answer, size_t classes)
{
    size_t label = (size_t)answer->image.label;
    t->images++;
    t->matrix[label * t->classes + answer->best]++;
    t->right += label == answer->best;
    t->foreign += label >= classes;
    return label == answer->best || add_miss(t, answer);
}

void tally_add_unread(tally *t)
{
    t->images++;
    t->unread++;
}

void tally_describe(const tally *t, char *text, size_t size)
{
    int length = snprintf(text, size, "%zu of %zu right (%.2f%%)", t->right, t->images,
                          100.0 * (double)t->right / (double)t->images);
    if (t->unread && length > 0 && (size_t)length < size)
        snprintf(text + length, size - (size_t)length, ", %zu not read", t->unread);
}

static void print_misses(const tally *t)
{
    if (t->miss_count == 0)
        return;
    printf("wrongly read:\n%8s %6s %6s  probability\n", "index", "label", "answer");
    for (size_t i = 0; i < t->miss_count; i++) {
        const tally_miss *miss = &t->misses[i];
        printf("%8zu %6zu %6zu  %.4f\n", miss->index, miss->label, miss->answer,
               miss->probability);
    }
}

/* Whether a class occurs as a label or an answer. */
static bool occurs(const tally *t, size_t class)
{
    for (size_t i = 0; i < t->classes; i++)
        if (t->matrix[class * t->classes + i] || t->matrix[i * t->classes + class])
            return true;
    return false;
}

static void print_matrix(const tally *t)
{
    printf("confusion matrix, a row for each label, a column for each answer:\n%5s",
           "");
    for (size_t i = 0; i < t->classes; i++)
        if (occurs(t, i))
            printf(" %5zu", i);
    for (size_t label = 0; label < t->classes; label++) {
        if (!occurs(t, label))
            continue;
        printf("\n%5zu", label);
        for (size_t i = 0; i < t->classes; i++)
            if (occurs(t, i))
                printf(" %5zu", t->matrix[label * t->classes + i]);
    }
    putchar('\n');
}

void tally_print(const tally *t, const char *file)
{
    char text[128];
    print_misses(t);
    print_matrix(t);
    tally_describe(t, text, sizeof(text));
    printf("%s: %s\n", file, text);
}
