/* Sizes and SHA-256 sums of the files as their authors publish them. EMNIST is
 * published as one archive of all its variants, and of QMNIST no SHA-256 is published:
 * libmnist does not download them. */
#include <string.h>

#include "lib/mnist/catalogue.h"

enum { DIGITS = 10, TIMEOUT_SECONDS = 20 };

/* A split of EMNIST, with the number of its classes and its first label. */
#define EMNIST(split, count, first)                                                    \
    {                                                                                  \
        .name = "emnist-" split, .classes = count, .first_label = first,               \
        .transposed = true, .folder = "EMNIST",                                        \
        .files = {                                                                     \
            {{.name = "emnist-" split "-train-images-idx3-ubyte.gz"},                  \
             {.name = "emnist-" split "-train-labels-idx1-ubyte.gz"}},                 \
            {{.name = "emnist-" split "-test-images-idx3-ubyte.gz"},                   \
             {.name = "emnist-" split "-test-labels-idx1-ubyte.gz"}},                  \
        },                                                                             \
    }

static const mnist_entry entries[] = {
    {
        .name = "mnist",
        .classes = DIGITS,
        .open = true,
        .folder = "MNIST",
        .is_mnist = true,
        .files =
            {
                {{"train-images-idx3-ubyte.gz", 9912422,
                  "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                  "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
                 {"train-labels-idx1-ubyte.gz", 28881,
                  "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                  "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}},
                {{"t10k-images-idx3-ubyte.gz", 1648877,
                  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                  "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
                 {"t10k-labels-idx1-ubyte.gz", 4542,
                  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                  "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
            },
        .mirrors = {"https://storage.googleapis.com/cvdf-datasets/mnist/",
                    "https://ossci-datasets.s3.amazonaws.com/mnist/"},
        .timeout = TIMEOUT_SECONDS,
    },
    {
        .name = "fashion-mnist",
        .classes = DIGITS,
        .open = true,
        .folder = "FashionMNIST",
        .files =
            {
                {{"train-images-idx3-ubyte.gz", 26421880,
                  "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                  NULL},
                 {"train-labels-idx1-ubyte.gz", 29515,
                  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                  NULL}},
                {{"t10k-images-idx3-ubyte.gz", 4422102,
                  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                  NULL},
                 {"t10k-labels-idx1-ubyte.gz", 5148,
                  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                  NULL}},
            },
        .mirrors = {"https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
                    "master/data/fashion/"},
        .timeout = TIMEOUT_SECONDS,
    },
    {
        .name = "kmnist",
        .classes = DIGITS,
        .open = true,
        .folder = "KMNIST",
        .files =
            {
                {{"train-images-idx3-ubyte.gz", 18165135,
                  "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                  NULL},
                 {"train-labels-idx1-ubyte.gz", 29497,
                  "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                  NULL}},
                {{"t10k-images-idx3-ubyte.gz", 3041136,
                  "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                  NULL},
                 {"t10k-labels-idx1-ubyte.gz", 5120,
                  "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                  NULL}},
            },
        .mirrors = {"https://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
        .timeout = TIMEOUT_SECONDS,
    },
    EMNIST("byclass", 62, 0),
    EMNIST("bymerge", 47, 0),
    EMNIST("balanced", 47, 0),
    EMNIST("letters", 26, 1),
    EMNIST("digits", 10, 0),
    EMNIST("mnist", 10, 0),
    {
        .name = "qmnist",
        .classes = DIGITS,
        .folder = "QMNIST",
        .files =
            {
                {{.name = "qmnist-train-images-idx3-ubyte.gz"},
                 {.name = "qmnist-train-labels-idx2-int.gz"}},
                {{.name = "qmnist-test-images-idx3-ubyte.gz"},
                 {.name = "qmnist-test-labels-idx2-int.gz"}},
            },
    },
};
#undef EMNIST

enum { ENTRIES = sizeof(entries) / sizeof(*entries) };

const mnist_entry *mnist_catalogue_at(size_t index)
{
    return index < ENTRIES ? &entries[index] : NULL;
}

const mnist_entry *mnist_catalogue_find(const char *name)
{
    for (size_t i = 0; i < ENTRIES; i++)
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    return NULL;
}

const char *mnist_catalogue_names(void)
{
    return "mnist, fashion-mnist, kmnist, qmnist, emnist-byclass, emnist-bymerge, "
           "emnist-balanced, emnist-letters, emnist-digits, emnist-mnist";
}
