/**
 * @file
 * The files of a data set in a folder, under all names that they are distributed with.
 */
#ifndef MNIST_FOLDER_H
#define MNIST_FOLDER_H

#include "lib/mnist/catalogue.h"

enum { MNIST_PATH_SIZE = 4096 };

/** The files of a split that a folder has. */
typedef struct mnist_found {
    char paths[MNIST_KINDS][MNIST_PATH_SIZE];
    bool has[MNIST_KINDS];
    /** How many of them. */
    int count;
} mnist_found;

/**
 * Searches a folder for the files of a split, with and without .gz, with a hyphen or a
 * dot before idx. Folders of these names do not count; a file that cannot be examined,
 * for lack of permission for example, does, so that opening it reports the error.
 */
void mnist_folder_search(mnist_found *found, const char *folder,
                         const mnist_remote *files);

/** Searches a folder and the folders in it where torchvision and EMNIST's archive have
 *  the files. If none has both, found describes the one that has most. */
void mnist_folder_search_all(mnist_found *found, const char *folder,
                             const mnist_entry *entry, mnist_split split);

/**
 * Fails with MNIST_NOT_FOUND, and a message with what is missing and what is there.
 *
 * @param why appended to the name of the folder, such as " (MNIST_DIR)"
 */
mnist_status mnist_folder_refuse(const mnist_found *found, const char *folder,
                                 const char *why, const mnist_entry *entry,
                                 mnist_split split);

#endif
