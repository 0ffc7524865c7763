/**
 * @file
 * libmnist: MNIST and data sets in its format, loaded into memory and read in shuffled
 * batches.
 *
 * A data set holds images of one size and one label per image. Pixels are bytes, from
 * 0 (black) to 255 (white). The data come from IDX files (plain or gzip), from a
 * download, or from the built-in generator of synthetic digits. A loader returns them
 * in batches of normalised float32.
 *
 * | header          | content                                                    |
 * | --------------- | ---------------------------------------------------------- |
 * | mnist/status.h  | version, status, message of the last failure               |
 * | mnist/dataset.h | finding, downloading and reading data sets, synthetic digits |
 * | mnist/image.h   | pictures of any size in the form of MNIST                  |
 * | mnist/loader.h  | shuffled batches                                           |
 *
 * Axes: N images of ROWS by COLS pixels, row-major, the last axis fastest.
 *
 * Objects are opaque. Functions that create one write the handle to their first
 * argument, and NULL if they fail. Destroy functions free the object and set the handle
 * to NULL; they accept NULL. A call that can fail returns a mnist_status, and
 * mnist_last_error() describes the last failure of the calling thread in one line. The
 * library never prints, exits or aborts.
 *
 * Threads: a data set is immutable, so any number of threads and loaders may read it at
 * the same time. A loader may be used by one thread at a time.
 */
#ifndef MNIST_MNIST_H
#define MNIST_MNIST_H

#include <mnist/dataset.h>
#include <mnist/export.h>
#include <mnist/image.h>
#include <mnist/loader.h>
#include <mnist/status.h>

#endif
