#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "examples/predict/labels.h"

static const char images_word[] = "images", labels_word[] = "labels";

/* Joins the parts; NULL unless the file exists. */
static char *existing(const char *images, size_t before, const char *after)
{
    size_t size = before + sizeof(labels_word) + strlen(after);
    char *path = malloc(size);
    if (!path)
        return NULL;
    snprintf(path, size, "%.*s%s%s", (int)before, images, labels_word, after);
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

char *labels_find(const char *images)
{
    static const char *const ends[] = {
        "-idx1-ubyte", ".idx1-ubyte", "-idx1-ubyte.gz", ".idx1-ubyte.gz",
        "-idx2-int",   ".idx2-int",   "-idx2-int.gz",   ".idx2-int.gz",
    };
    const char *slash = strrchr(images, '/');
    const char *word = strstr(slash ? slash : images, images_word);
    if (!word)
        return NULL;
    size_t before = (size_t)(word - images);
    /* The same name first. */
    char *found = existing(images, before, word + sizeof(images_word) - 1);
    for (size_t i = 0; !found && i < sizeof(ends) / sizeof(ends[0]); i++)
        found = existing(images, before, ends[i]);
    return found;
}
