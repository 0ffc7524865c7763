/*
 * Damaged files: each bit of a file is flipped, and the file is cut at each byte. What
 * is read then must be refused, or be the same.
 *
 *     damage [--sample N] [--seed N] FILE...
 *
 * A file is a model or a checkpoint, of which all tensors and all metadata are read, or
 * images or labels in a gzip file. With --sample, N flips and N cuts are drawn at
 * random. The program prints a table, and exits with 1 if anything read is different.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zlib.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

/* The checksum of a header is no content: without it a file is read, too. */
#define CHECKSUM_KEY "lstm.checksum"

enum { LARGEST_FILE = 1 << 30, IDX_WORD = 4, IDX_IMAGES = 16 };

/* What became of damaged files. */
typedef enum outcome { REFUSED, SAME, DIFFERENT, OUTCOMES } outcome;

/* A file, and what is read from it without damage. */
typedef struct subject {
    const char *path;
    uint8_t *bytes;
    size_t size;
    bool is_model;
    /* For gzip files: a file in memory for the damaged bytes; for labels, images of one
     * pixel for them. */
    int damaged, images;
    mnist_dataset *dataset;
    lstm_file *model;
    lstm_tensor **tensors;
} subject;

static _Noreturn void stop(const char *path, const char *what)
{
    fprintf(stderr, "damage: %s: %s\n", path, what);
    exit(2);
}

static void *take(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        stop("memory", strerror(errno));
    return memory;
}

static void read_file(subject *s)
{
    FILE *stream = fopen(s->path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END))
        stop(s->path, strerror(errno));
    long size = ftell(stream);
    if (size < 2 || size > LARGEST_FILE)
        stop(s->path, "has too few or too many bytes");
    rewind(stream);
    s->size = (size_t)size;
    s->bytes = take(s->size);
    if (fread(s->bytes, 1, s->size, stream) != s->size)
        stop(s->path, "cannot be read");
    fclose(stream);
}

/* Models -----------------------------------------------------------------------------
 */

static lstm_status read_tensor(lstm_file *file, const lstm_tensor_info *info,
                               lstm_tensor **tensor)
{
    static const size_t scalar = 1;
    lstm_status status = lstm_tensor_create(tensor, info->rank ? info->rank : 1,
                                            info->rank ? info->shape : &scalar);
    if (!status)
        status = lstm_file_read_tensor(file, info->name, *tensor);
    if (status)
        lstm_tensor_destroy(tensor);
    return status;
}

static void open_model(subject *s)
{
    if (lstm_file_open_bytes(&s->model, s->bytes, s->size))
        stop(s->path, lstm_last_error());
    size_t count = lstm_file_tensor_count(s->model);
    s->tensors = take(count * sizeof(lstm_tensor *));
    for (size_t i = 0; i < count; i++) {
        lstm_tensor_info info;
        if (lstm_file_tensor_info(s->model, i, &info) ||
            read_tensor(s->model, &info, &s->tensors[i]))
            stop(s->path, lstm_last_error());
    }
}

static bool same_metadata(const subject *s, const lstm_file *other)
{
    const char *key;
    for (size_t i = 0; (key = lstm_file_metadata_key(s->model, i)); i++) {
        const char *value = lstm_file_metadata(other, key);
        if (strcmp(key, CHECKSUM_KEY) != 0 &&
            (!value || strcmp(value, lstm_file_metadata(s->model, key)) != 0))
            return false;
    }
    return true;
}

static bool same_form(const lstm_tensor_info *one, const lstm_tensor_info *other)
{
    return strcmp(one->name, other->name) == 0 &&
           strcmp(one->dtype, other->dtype) == 0 && one->rank == other->rank &&
           memcmp(one->shape, other->shape, one->rank * sizeof(*one->shape)) == 0;
}

/* Compares one tensor; sets *refused if it cannot be read. */
static bool same_tensor(const subject *s, size_t index, lstm_file *other, bool *refused)
{
    lstm_tensor_info info, found;
    lstm_tensor *tensor;
    if (lstm_file_tensor_info(s->model, index, &info) ||
        lstm_file_tensor_info(other, index, &found) || !same_form(&info, &found))
        return false;
    *refused = read_tensor(other, &found, &tensor) != LSTM_OK;
    if (*refused)
        return true;
    size_t bytes = lstm_tensor_count(tensor) * sizeof(float);
    bool same = memcmp(lstm_tensor_data(tensor), lstm_tensor_data(s->tensors[index]),
                       bytes) == 0;
    lstm_tensor_destroy(&tensor);
    return same;
}

static outcome read_model(const subject *s, const uint8_t *bytes, size_t size)
{
    lstm_file *other;
    if (lstm_file_open_bytes(&other, bytes, size))
        return REFUSED;
    size_t count = lstm_file_tensor_count(s->model);
    bool refused = false, same = same_metadata(s, other);
    same = same && lstm_file_tensor_count(other) == count;
    for (size_t i = 0; same && !refused && i < count; i++)
        same = same_tensor(s, i, other, &refused);
    lstm_file_destroy(&other);
    return !same ? DIFFERENT : refused ? REFUSED : SAME;
}

/* Data sets --------------------------------------------------------------------------
 */

static int file_in_memory(const uint8_t *bytes, size_t size)
{
    int file = memfd_create("damage", MFD_CLOEXEC);
    if (file < 0 || pwrite(file, bytes, size, 0) != (ssize_t)size)
        stop("memory", strerror(errno));
    return file;
}

/* Images of one pixel, as many as a file of labels has. */
static void make_images(subject *s, uint32_t count)
{
    size_t size = IDX_IMAGES + (size_t)count;
    uint8_t *bytes = take(size);
    memset(bytes, 0, size);
    memcpy(bytes, "\0\0\x08\x03", IDX_WORD);
    for (int i = 0; i < IDX_WORD; i++)
        bytes[IDX_WORD + i] = (uint8_t)(count >> (24 - 8 * i));
    bytes[11] = bytes[15] = 1;
    s->images = file_in_memory(bytes, size);
    free(bytes);
}

static mnist_status read_dataset(const subject *s, mnist_dataset **dataset)
{
    char damaged[64], images[64];
    snprintf(damaged, sizeof(damaged), "/proc/self/fd/%d", s->damaged);
    snprintf(images, sizeof(images), "/proc/self/fd/%d", s->images);
    return s->images < 0 ? mnist_dataset_read(dataset, damaged, NULL, 10)
                         : mnist_dataset_read(dataset, images, damaged, 0);
}

/* The number of labels in a file, from zlib; 0 for a file of images. */
static uint32_t count_labels(const char *path)
{
    enum { RANK = 3, LABELS = 1 };
    uint8_t header[2 * IDX_WORD] = {0};
    gzFile file = gzopen(path, "rb");
    if (!file || gzread(file, header, sizeof(header)) != (int)sizeof(header))
        stop(path, "is not a gzip file with images or labels");
    gzclose(file);
    if (header[RANK] != LABELS)
        return 0;
    return (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 |
           (uint32_t)header[6] << 8 | header[7];
}

static void open_dataset(subject *s)
{
    uint32_t labels = count_labels(s->path);
    s->damaged = file_in_memory(s->bytes, s->size);
    s->images = -1;
    if (labels)
        make_images(s, labels);
    if (read_dataset(s, &s->dataset))
        stop(s->path, mnist_last_error());
}

static bool same_images(const mnist_dataset *one, const mnist_dataset *other)
{
    size_t count = mnist_dataset_count(one);
    size_t pixels = mnist_dataset_rows(one) * mnist_dataset_cols(one);
    if (mnist_dataset_count(other) != count ||
        mnist_dataset_rows(other) != mnist_dataset_rows(one) ||
        mnist_dataset_cols(other) != mnist_dataset_cols(one) ||
        mnist_dataset_classes(other) != mnist_dataset_classes(one))
        return false;
    for (size_t i = 0; i < count; i++)
        if (mnist_dataset_label(one, i) != mnist_dataset_label(other, i) ||
            memcmp(mnist_dataset_image(one, i), mnist_dataset_image(other, i),
                   pixels) != 0)
            return false;
    return true;
}

static outcome read_images(const subject *s, const uint8_t *bytes, size_t size)
{
    mnist_dataset *other;
    if (ftruncate(s->damaged, (off_t)size) ||
        pwrite(s->damaged, bytes, size, 0) != (ssize_t)size)
        stop(s->path, strerror(errno));
    if (read_dataset(s, &other))
        return REFUSED;
    outcome found = same_images(s->dataset, other) ? SAME : DIFFERENT;
    mnist_dataset_destroy(&other);
    return found;
}

/* Campaign ---------------------------------------------------------------------------
 */

static void open_subject(subject *s)
{
    read_file(s);
    s->is_model = s->bytes[0] != 0x1f || s->bytes[1] != 0x8b;
    if (s->is_model)
        open_model(s);
    else
        open_dataset(s);
}

static void close_subject(subject *s)
{
    for (size_t i = 0; i < lstm_file_tensor_count(s->model); i++)
        lstm_tensor_destroy(&s->tensors[i]);
    free(s->tensors);
    lstm_file_destroy(&s->model);
    mnist_dataset_destroy(&s->dataset);
    if (!s->is_model)
        close(s->damaged);
    if (!s->is_model && s->images >= 0)
        close(s->images);
    free(s->bytes);
}

static uint64_t state = 1;

/* splitmix64. */
static uint64_t draw(uint64_t limit)
{
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (x ^ x >> 31) % limit;
}

/* Reads the file with one bit flipped, or cut at a byte. */
static outcome damage(subject *s, bool cut, uint64_t at)
{
    outcome (*read)(const subject *, const uint8_t *, size_t) =
        s->is_model ? read_model : read_images;
    if (cut)
        return read(s, s->bytes, at);
    s->bytes[at / 8] ^= (uint8_t)(1u << at % 8);
    outcome found = read(s, s->bytes, s->size);
    s->bytes[at / 8] ^= (uint8_t)(1u << at % 8);
    return found;
}

/* Tries all places, or a sample of them; returns the number of different results. */
static size_t try_all(subject *s, bool cut, uint64_t sample)
{
    size_t counts[OUTCOMES] = {0};
    uint64_t places = cut ? s->size : 8 * (uint64_t)s->size;
    bool all = sample == 0 || sample >= places;
    for (uint64_t i = 0; i < (all ? places : sample); i++) {
        uint64_t at = all ? i : draw(places);
        outcome found = damage(s, cut, at);
        if (found == DIFFERENT)
            printf("%s: %s %" PRIu64 ": read differently\n", s->path,
                   cut ? "cut at byte" : "flipped bit", at);
        counts[found]++;
    }
    printf("%-5s %12" PRIu64 " %12zu %12zu %12zu  %s\n", cut ? "cuts" : "flips",
           all ? places : sample, counts[REFUSED], counts[SAME], counts[DIFFERENT],
           s->path);
    return counts[DIFFERENT];
}

static size_t try_file(const char *path, uint64_t sample)
{
    subject s = {.path = path};
    open_subject(&s);
    size_t different = try_all(&s, false, sample) + try_all(&s, true, sample);
    close_subject(&s);
    return different;
}

int main(int argc, char **argv)
{
    uint64_t sample = 0;
    size_t different = 0;
    int first = 1;
    for (; first + 1 < argc && strncmp(argv[first], "--", 2) == 0; first += 2) {
        uint64_t value = strtoull(argv[first + 1], NULL, 10);
        *(strcmp(argv[first], "--seed") ? &sample : &state) = value;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: damage [--sample N] [--seed N] FILE...\n");
        return 2;
    }
    printf("%-5s %12s %12s %12s %12s  file\n", "", "tried", "refused", "same",
           "different");
    for (; first < argc; first++)
        different += try_file(argv[first], sample);
    return different ? EXIT_FAILURE : EXIT_SUCCESS;
}
