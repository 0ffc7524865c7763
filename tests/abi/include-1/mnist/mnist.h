#ifndef MNIST_MNIST_H
#define MNIST_MNIST_H
#include <mnist/dataset.h>
#include <mnist/export.h>
#include <mnist/image.h>
#include <mnist/loader.h>
#include <mnist/status.h>
#endif
