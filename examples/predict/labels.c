#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "examples/predict/labels.h"

static const char images_word[] = "images", labels_word[] = "labels";

/* Joins the parts; *found is NULL unless there is such a file. */
static bool join(char **found, const char *images, size_t before, const char *after)
{
    struct stat facts;
    size_t size = before + sizeof(labels_word) + strlen(after);
    *found = malloc(size);
    if (!*found)
        return false;
    snprintf(*found, size, "%.*s%s%s", (int)before, images, labels_word, after);
    if (lstat(*found, &facts) == 0 || errno != ENOENT)
        return true;
    free(*found);
    *found = NULL;
    return true;
}

bool labels_find(const char *images, char **found)
{
    static const char *const ends[] = {
        "-idx1-ubyte", ".idx1-ubyte", "-idx1-ubyte.gz", ".idx1-ubyte.gz",
        "-idx2-int",   ".idx2-int",   "-idx2-int.gz",   ".idx2-int.gz",
    };
    const char *slash = strrchr(images, '/');
    const char *word = strstr(slash ? slash : images, images_word);
    *found = NULL;
    if (!word)
        return true;
    size_t before = (size_t)(word - images);
    /* The same name first. */
    bool done = join(found, images, before, word + sizeof(images_word) - 1);
    for (size_t i = 0; done && !*found && i < sizeof(ends) / sizeof(ends[0]); i++)
        done = join(found, images, before, ends[i]);
    return done;
}
