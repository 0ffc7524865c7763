#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/train/augment.h"

#define FIELD(name) offsetof(train_augment, name)

/* libmnist checks the sizes in pixels, which depend on the images. */
static const struct change {
    const char *name;
    size_t field;
    double most;
    const char *help;
} changes[] = {
    {"shift", FIELD(shift), 4096, "move by up to this many pixels"},
    {"rotate", FIELD(rotate), 180, "turn by up to this many degrees"},
    {"scale", FIELD(scale), 0.9, "enlarge or shrink by up to this share"},
    {"shear", FIELD(shear), 2, "slant by up to this many pixels per pixel"},
    {"elastic", FIELD(elastic), 4096, "distort by up to this many pixels"},
};
enum { CHANGES = sizeof(changes) / sizeof(changes[0]), NUMBER_SIZE = 40 };

void augment_print_help(void)
{
    for (size_t i = 0; i < CHANGES; i++)
        printf("  %-8s %s\n", changes[i].name, changes[i].help);
}

static const struct change *find(const char *text, size_t length)
{
    for (size_t i = 0; i < CHANGES; i++)
        if (strlen(changes[i].name) == length &&
            strncmp(text, changes[i].name, length) == 0)
            return &changes[i];
    return NULL;
}

/* Parses a number of length bytes. */
static bool take_number(const char *text, size_t length, double most, double *value)
{
    char number[NUMBER_SIZE];
    if (length >= sizeof(number))
        return false;
    memcpy(number, text, length);
    number[length] = '\0';
    return number_real(number, value) && (float)*value > 0 && *value <= most;
}

/* Parses NAME:VALUE, which has length bytes. */
static bool take_change(train_augment *augment, const char *text, size_t length,
                        char *why, size_t size)
{
    size_t name = strcspn(text, ":,");
    const struct change *change = find(text, name);
    if (!change) {
        snprintf(why, size,
                 "'%.*s' is not a change, expected shift, rotate, scale, shear or "
                 "elastic",
                 (int)name, text);
        return false;
    }
    double *value = (double *)(void *)((char *)augment + change->field);
    if (*value > 0) {
        snprintf(why, size, "%s is given twice", change->name);
        return false;
    }
    bool has_value = name < length;
    if (has_value &&
        take_number(text + name + 1, length - name - 1, change->most, value))
        return true;
    snprintf(why, size, "%s is '%.*s', expected a number above 0 and at most %g",
             change->name, has_value ? (int)(length - name - 1) : 0,
             has_value ? text + name + 1 : "", change->most);
    return false;
}

bool augment_parse(train_augment *augment, const char *text, char *why, size_t size)
{
    *augment = (train_augment){.text = text};
    for (const char *next = text;; next++) {
        size_t length = strcspn(next, ",");
        if (!take_change(augment, next, length, why, size))
            return false;
        next += length;
        if (*next == '\0')
            return true;
    }
}

void augment_configure(const train_augment *augment, mnist_loader_config *config)
{
    config->shift = (float)augment->shift;
    config->rotate = (float)augment->rotate;
    config->scale = (float)augment->scale;
    config->shear = (float)augment->shear;
    config->elastic = (float)augment->elastic;
}

bool augment_end(mnist_loader **loader, const mnist_dataset *dataset, size_t batch_size)
{
    const mnist_loader_config config = {.batch_size = batch_size, .shuffle = true};
    mnist_loader *clean;
    if (mnist_loader_create(&clean, dataset, &config) == MNIST_OK &&
        mnist_loader_restore(clean, mnist_loader_order(*loader),
                             mnist_loader_position(*loader)) == MNIST_OK) {
        mnist_loader_destroy(loader);
        *loader = clean;
        return true;
    }
    mnist_loader_destroy(&clean);
    return message_error("%s", mnist_last_error());
}
