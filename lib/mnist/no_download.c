/* Replaces download.c in builds without libcurl. */
#include "lib/mnist/download.h"
#include "lib/mnist/status.h"

mnist_status mnist_download(const char *folder, const mnist_entry *entry,
                            const mnist_remote *file, mnist_progress progress,
                            void *user)
{
    (void)folder, (void)entry, (void)progress, (void)user;
    return mnist_fail(MNIST_UNSUPPORTED,
                      "%s: cannot be downloaded: libmnist was built without libcurl",
                      file->name);
}
