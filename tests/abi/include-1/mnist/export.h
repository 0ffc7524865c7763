#ifndef MNIST_EXPORT_H
#define MNIST_EXPORT_H
#if defined(__GNUC__)
#define MNIST_API __attribute__((visibility("default")))
#define MNIST_NODISCARD __attribute__((warn_unused_result))
#else
#define MNIST_API
#define MNIST_NODISCARD
#endif
#endif
