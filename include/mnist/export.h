/**
 * @file
 * The two markers in front of public declarations. Nothing here is for users.
 */
#ifndef MNIST_EXPORT_H
#define MNIST_EXPORT_H

#if defined(__GNUC__)
/** A symbol that the shared library exports. */
#define MNIST_API __attribute__((visibility("default")))
/** A return value that must be used. */
#define MNIST_NODISCARD __attribute__((warn_unused_result))
#else
#define MNIST_API
#define MNIST_NODISCARD
#endif

#endif
