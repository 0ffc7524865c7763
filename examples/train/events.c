/* Tags: train/loss for each step; train/epoch_loss, train/learning_rate,
 * validation/accuracy and test/accuracy for each epoch, at its last step. The options
 * are a text and the hyperparameters of TensorBoard's plugin "hparams". */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/train/command.h"
#include "examples/train/events.h"
#include "examples/train/hparams.h"
#include "examples/train/locks.h"
#include "examples/train/protobuf.h"

/* Fields of tensorflow.Event, Summary and Summary.Value. */
enum { WALL_TIME = 1, STEP, FILE_VERSION, SUMMARY = 5, SESSION = 7 };
enum { VALUE = 1, TAG = 1, SIMPLE_VALUE };
/* Of SessionLog: TensorBoard forgets what earlier files have from this step on. */
enum { SESSION_STATUS = 1, SESSION_START = 1 };

static bool failed(const char *path)
{
    return message_error("%s: %s", path, message_write_reason(path));
}

/* The latest second in the names of a folder's files of events; -1 if it has none. */
static long long last_events(const char *path)
{
    static const char word[] = "tfevents";
    static const long long most = 9999999999;
    DIR *folder = opendir(path);
    long long last = -1;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        const char *found = strstr(entry->d_name, word);
        if (!found)
            continue;
        const char *number = found + sizeof(word) - 1;
        long long second = *number == '.' ? strtoll(number + 1, NULL, 10) : 0;
        last = second > last && second < most ? second : last < 0 ? 0 : last;
    }
    if (folder)
        closedir(folder);
    return last;
}

/* Creates the folders of a path; returns 0 or an errno.
 *
 * made: bytes of the path of the first folder that was not there, else unchanged */
static int create_folders(const char *path, size_t *made)
{
    char *text = strdup(path);
    int error = text ? 0 : ENOMEM;
    for (char *end = text; !error && end;) {
        end = strchr(end + 1, '/');
        if (end)
            *end = '\0';
        if (mkdir(text, 0777) == 0)
            *made = *made ? *made : strlen(text);
        else if (errno != EEXIST && errno != EISDIR)
            error = errno;
        if (end)
            *end = '/';
    }
    free(text);
    return error;
}

/* Removes the folders that create_folders() has made, the last one first. Those that
 * have files stay. */
static void remove_folders(const char *path, size_t made)
{
    char *text = made > 0 ? strdup(path) : NULL;
    for (size_t size = text ? strlen(text) : 0; size >= made && size > 0;) {
        text[size] = '\0';
        rmdir(text);
        while (size > 0 && text[size] != '/')
            size--;
    }
    free(text);
}

bool events_check(const train_options *options)
{
    const char *path = options->tensorboard;
    struct stat facts;
    if (!path || stat(path, &facts))
        return true;
    if (!S_ISDIR(facts.st_mode))
        return message_error("%s: is not a folder, expected one for TensorBoard's "
                             "events",
                             path);
    if (access(path, W_OK | X_OK))
        return failed(path);
    if (options->resume || options->force || last_events(path) < 0)
        return true;
    return message_error("%s: has events of another run; --force lets TensorBoard "
                         "show this one instead, or choose another name",
                         path);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Opens a new file with a name that TensorBoard finds, and reads after the others,
 * whatever the clock says. */
static FILE *create(train_events *events, const char *folder, long long last)
{
    long long second = (long long)now();
    if (second <= last)
        second = last + 1;
    char host[65] = "";
    size_t size = strlen(folder) + sizeof(host) + 100;
    events->path = malloc(size);
    if (!events->path)
        return NULL;
    if (gethostname(host, sizeof(host) - 1) || !*host || strchr(host, '/'))
        strcpy(host, "localhost");
    FILE *file = NULL;
    for (unsigned i = 0; !file && (i == 0 || errno == EEXIST); i++) {
        snprintf(events->path, size, "%s/events.out.tfevents.%010lld.%s.%ld.%u", folder,
                 second, host, (long)getpid(), i);
        file = fopen(events->path, "wxe");
    }
    return file;
}

static bool write_event(train_events *events, uint64_t step, unsigned field,
                        protobuf *inner)
{
    protobuf event = {0};
    protobuf_double(&event, WALL_TIME, now());
    if (step > 0)
        protobuf_integer(&event, STEP, step);
    protobuf_message(&event, field, inner);
    return protobuf_write(&event, events->stream) && fflush(events->stream) == 0;
}

static bool write_scalar(train_events *events, uint64_t step, const char *tag,
                         double value)
{
    protobuf pair = {0}, summary = {0};
    protobuf_text(&pair, TAG, tag);
    protobuf_float(&pair, SIMPLE_VALUE, (float)value);
    protobuf_message(&summary, VALUE, &pair);
    return write_event(events, step, SUMMARY, &summary);
}

static bool write_version(train_events *events)
{
    protobuf event = {0};
    protobuf_double(&event, WALL_TIME, now());
    protobuf_text(&event, FILE_VERSION, "brain.Event:2");
    return protobuf_write(&event, events->stream);
}

/* The number of the last step of an epoch, from 1 over all epochs. */
static uint64_t last_step(const train_events *events, size_t epoch)
{
    return (uint64_t)epoch * events->steps;
}

/* Number of steps of the run whose losses are in earlier files. */
static uint64_t steps_before(const train_events *events, const train_state *trainer)
{
    if (trainer->epoch == 0)
        return 0;
    return last_step(events, trainer->epoch - 1) + trainer_logged_steps(trainer);
}

static bool write_start(train_events *events, const train_state *trainer)
{
    protobuf session = {0};
    uint64_t before = steps_before(events, trainer);
    protobuf_integer(&session, SESSION_STATUS, SESSION_START);
    return write_event(events, before > 0 ? before + 1 : 0, SESSION, &session);
}

static bool write_options(train_events *events, const train_options *options,
                          const train_state *trainer)
{
    protobuf summary = {0};
    hparams_add(&summary, VALUE, options, trainer);
    return write_event(events, 0, SUMMARY, &summary);
}

/* Locks the folder against another run. */
static bool lock(train_events *events, const char *path)
{
    int error = create_folders(path, &events->made);
    events->folder =
        error ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (events->folder >= 0)
        return locks_take_open(events->folder, path);
    errno = error ? error : errno;
    return failed(path);
}

bool events_open(train_events *events, const train_options *options,
                 const train_state *trainer)
{
    const char *path = options->tensorboard;
    *events = (train_events){.folder = -1, .name = path};
    if (!path)
        return true;
    events->steps = mnist_loader_batches(trainer->train);
    if (!lock(events, path) || !events_check(options))
        return false;
    long long last = last_events(path);
    events->stream = create(events, path, last);
    if (!events->stream)
        return failed(path);
    if (write_version(events) && (last < 0 || write_start(events, trainer)) &&
        write_options(events, options, trainer) && events_sync(events))
        return true;
    return failed(events->path);
}

bool events_step(train_events *events, const train_line *line)
{
    return !events->stream ||
           write_scalar(events, last_step(events, line->epoch - 1) + line->step,
                        "train/loss", (double)line->loss);
}

bool events_epoch(train_events *events, size_t epoch, double mean, double lr)
{
    uint64_t step = last_step(events, epoch);
    return !events->stream || (write_scalar(events, step, "train/epoch_loss", mean) &&
                               write_scalar(events, step, "train/learning_rate", lr));
}

bool events_accuracy(train_events *events, const char *set, size_t epoch,
                     double accuracy)
{
    const char *tag =
        strcmp(set, "Test") == 0 ? "test/accuracy" : "validation/accuracy";
    return !events->stream ||
           write_scalar(events, last_step(events, epoch), tag, accuracy);
}

bool events_sync(train_events *events)
{
    if (!events->stream)
        return true;
    if (!(events->synced ? output_sync(events->stream)
                         : output_sync_new(events->stream, events->path)))
        return false;
    return events->synced = true;
}

bool events_close(train_events *events)
{
    FILE *stream = events->stream;
    bool closed = !stream || fclose(stream) == 0;
    int error = errno;
    if (events->folder >= 0)
        close(events->folder);
    free(events->path);
    *events = (train_events){.folder = -1};
    errno = error;
    return closed;
}

void events_abandon(train_events *events)
{
    if (events->stream)
        unlink(events->path);
    remove_folders(events->name, events->made);
    events_close(events);
}
