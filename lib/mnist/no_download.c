/* Replaces download.c in builds without libcurl. */
#include "lib/common/file.h"
#include "lib/mnist/download.h"
#include "lib/mnist/status.h"

void mnist_download_start(mnist_download_request *request, size_t seconds)
{
    request->seconds = seconds;
}

mnist_status mnist_download(const mnist_download_request *request,
                            char path[MNIST_PATH_SIZE], int *memory)
{
    path[0] = '\0';
    *memory = COMMON_NO_FILE;
    return mnist_fail(MNIST_UNSUPPORTED,
                      "%s: cannot be downloaded: libmnist was built without libcurl",
                      request->file->name);
}
