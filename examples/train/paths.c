#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/common/options.h"
#include "examples/common/output.h"
#include "examples/train/paths.h"

enum { FOLDER_SIZE = PATH_MAX, PATH_SIZE = 2 * PATH_MAX };

/* Number of bytes of the folder of a path, with the slash. */
static size_t folder_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash + 1 - path) : 0;
}

/* Writes the folder of a path to text, [FOLDER_SIZE]; "." if it has none. */
static void write_folder(char *text, const char *path)
{
    size_t size = folder_size(path);
    snprintf(text, FOLDER_SIZE, "%.*s", size ? (int)size : 1, size ? path : ".");
}

/* Replaces the path of a link, [FOLDER_SIZE], by the path that it has; false for other
 * files. */
static bool follow(char *path)
{
    char target[FOLDER_SIZE], joined[FOLDER_SIZE];
    ssize_t size = readlink(path, target, sizeof(target) - 1);
    if (size <= 0)
        return false;
    target[size] = '\0';
    size_t folder = target[0] == '/' ? 0 : folder_size(path);
    if (folder + (size_t)size >= FOLDER_SIZE)
        return false;
    memcpy(joined, path, folder);
    strcpy(joined + folder, target);
    strcpy(path, joined);
    return true;
}

/* The path without links and dots, [PATH_SIZE]; the file itself need not exist. */
static void resolve(char *text, const char *path)
{
    enum { MOST_LINKS = 40 };
    char folder[FOLDER_SIZE], real[FOLDER_SIZE], name[FOLDER_SIZE];
    if (realpath(path, text))
        return;
    snprintf(name, sizeof(name), "%s", path);
    for (int i = 0; i < MOST_LINKS && follow(name); i++)
        ;
    write_folder(folder, name);
    snprintf(text, PATH_SIZE, "%s/%s", realpath(folder, real) ? real : folder,
             name + folder_size(name));
}

bool paths_same(const char *one, const char *other)
{
    char first[PATH_SIZE], second[PATH_SIZE];
    struct stat a, b;
    if (stat(one, &a) == 0 && stat(other, &b) == 0)
        return a.st_dev == b.st_dev && a.st_ino == b.st_ino && S_ISREG(a.st_mode);
    resolve(first, one);
    resolve(second, other);
    return strcmp(first, second) == 0;
}

char *paths_beside(const char *path, const char *ending)
{
    char real[PATH_SIZE];
    resolve(real, path);
    size_t size = strlen(real) + strlen(ending) + 1;
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "%s%s", real, ending);
    return text;
}

/* Whether a path is that of the lock of another one; see locks.h. */
static bool is_lock_of(const char *path, const char *other)
{
    char *lock = other ? paths_beside(other, ".lock") : NULL;
    bool is_lock = lock && paths_same(path, lock);
    free(lock);
    return is_lock;
}

/* A file that the command line names. */
typedef struct named_file {
    const char *name, *path;
} named_file;
enum { WRITTEN = 3, OUTPUTS = 5, FILES = 7 };

/* Files that are written come first. Only the first of them, models, checkpoints and
 * reports, have locks. */
static int check_locks(const named_file *files)
{
    for (size_t i = 0; i < FILES; i++)
        for (size_t k = 0; k < WRITTEN; k++)
            if (i != k && files[i].path && is_lock_of(files[i].path, files[k].path)) {
                message_error("%s is %s, the lock of %s, expected another name",
                              files[i].name, files[i].path, files[k].name);
                return OPTIONS_USAGE;
            }
    return -1;
}

/* Whether two of the files may be one: a resumed run goes on with its checkpoint. */
static bool may_be_same(const named_file *one, const named_file *other)
{
    return strcmp(one->name, "--checkpoint") == 0 &&
           strcmp(other->name, "--resume") == 0;
}

static int check_pairs(const named_file *files)
{
    for (size_t i = 0; i < FILES; i++)
        for (size_t k = i + 1; k < FILES; k++)
            if (files[i].path && files[k].path && !may_be_same(&files[i], &files[k]) &&
                paths_same(files[i].path, files[k].path)) {
                message_error("%s and %s are the same file: %s", files[i].name,
                              files[k].name, files[i].path);
                return OPTIONS_USAGE;
            }
    return -1;
}

static void list_files(const train_options *options, named_file *files)
{
    const named_file all[FILES] = {
        {"--save", options->epochs || options->save_given ? options->save : NULL},
        {"--checkpoint", options->checkpoint},
        {"--report", options->report},
        {"--log", options->log},
        {"--tensorboard", options->tensorboard},
        {"--load", options->load},
        {"--resume", options->resume}};
    memcpy(files, all, sizeof(all));
}

int paths_check_options(const train_options *options)
{
    named_file files[FILES];
    int status = -1;
    list_files(options, files);
    for (size_t i = 0; status < 0 && i < FILES; i++)
        status = options_check_file(files[i].name, files[i].path);
    if (status < 0)
        status = check_pairs(files);
    return status < 0 ? check_locks(files) : status;
}

/* Whether a name is that of images or labels: those of MNIST end so, with .gz or not.
 */
static bool is_data(const char *name)
{
    static const char *const ends[] = {"-ubyte", "-ubyte.gz", "-int", "-int.gz"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strlen(name) > strlen(ends[i]) &&
            strcmp(name + strlen(name) - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Checks what the run writes against a file that it reads. */
static bool check_input(const named_file *files, const char *path)
{
    for (size_t i = 0; i < OUTPUTS; i++)
        if (output_same_file(files[i].path, path))
            return message_error("%s: is %s of the data, which %s would replace",
                                 files[i].path, path, files[i].name);
    return true;
}

bool paths_check_data(const train_options *options, const char *origin)
{
    char folder[FOLDER_SIZE], path[PATH_SIZE];
    named_file files[FILES];
    struct stat facts;
    if (!origin || stat(origin, &facts) || strlen(origin) >= FOLDER_SIZE)
        return true;
    list_files(options, files);
    write_folder(folder, origin);
    if (!check_input(files, origin))
        return false;
    DIR *list = opendir(folder);
    struct dirent *entry;
    bool done = true;
    while (done && list && (entry = readdir(list))) {
        snprintf(path, sizeof(path), "%s%s%s", folder,
                 folder[strlen(folder) - 1] == '/' ? "" : "/", entry->d_name);
        done = !is_data(entry->d_name) || check_input(files, path);
    }
    if (list)
        closedir(list);
    return done;
}

/* Whether the file has the number of this run. */
static bool is_own(const char *path, const char *run)
{
    lstm_file *file;
    if (!run || lstm_file_open(&file, path) != LSTM_OK)
        return false;
    const char *found = lstm_file_metadata(file, PATHS_RUN_KEY);
    bool own = found && strcmp(found, run) == 0;
    lstm_file_destroy(&file);
    return own;
}

/* Whether a file is a report with the number of this run, which stands at its
 * beginning. */
static bool is_own_report(const char *path, const char *run)
{
    char head[1024], wanted[100];
    FILE *file = run ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    head[fread(head, 1, sizeof(head) - 1, file)] = '\0';
    fclose(file);
    snprintf(wanted, sizeof(wanted), "<meta name=\"" PATHS_RUN_KEY "\" content=\"%s\">",
             run);
    return strstr(head, wanted);
}

static paths_file look(const char *path)
{
    struct stat facts;
    if (stat(path, &facts))
        return (paths_file){0};
    return (paths_file){true, (uint64_t)facts.st_dev, (uint64_t)facts.st_ino};
}

static bool cannot_write(const char *path)
{
    return message_error("%s: cannot be written: %s", path, message_write_reason(path));
}

static bool check_existing(const char *path, const struct stat *facts)
{
    if (!S_ISREG(facts->st_mode))
        return message_error("%s: exists and is not a regular file", path);
    errno = EACCES;
    if (!(facts->st_mode & 0222) || access(path, W_OK))
        return cannot_write(path);
    return true;
}

bool paths_check(const char *path, const char *run, bool force, paths_file *found)
{
    char folder[FOLDER_SIZE], real[PATH_SIZE];
    struct stat facts;
    *found = look(path);
    if (stat(path, &facts) == 0 ? !check_existing(path, &facts)
                                : errno != ENOENT && !cannot_write(path))
        return false;
    resolve(real, path);
    write_folder(folder, real);
    if (access(folder, W_OK | X_OK))
        return cannot_write(path);
    if (!found->exists || force || is_own(path, run) || is_own_report(path, run))
        return true;
    return message_error("%s: exists and is not of this run; --force replaces it, or "
                         "choose another name",
                         path);
}

/* Writes a name beside path that is free: model-1.safetensors. */
static void free_name(char *text, const char *path)
{
    const char *name = path + folder_size(path), *dot = strrchr(name, '.');
    int stem = dot && dot != name ? (int)(dot - path) : (int)strlen(path);
    struct stat facts;
    for (unsigned i = 1; i == 1 || lstat(text, &facts) == 0; i++)
        snprintf(text, PATH_SIZE, "%.*s-%u%s", stem, path, i, path + stem);
}

static bool write_model(const classifier *network, const char *path, const char *run)
{
    const char *order = reading_text(network->config.order);
    const char *pairs[] = {PATHS_RUN_KEY, run, READING_KEY, order};
    const lstm_file_options options = {.metadata = pairs,
                                       .metadata_count = order ? 2 : 1};
    return lstm_params_save(network->params, path, &options) == LSTM_OK;
}

/* The model in the folder for temporary files, after an error. */
static bool rescue(const classifier *network, const char *path, const char *run)
{
    const char *folder = getenv("TMPDIR");
    char first[PATH_SIZE], name[PATH_SIZE];
    message_error("%s", lstm_last_error());
    snprintf(first, sizeof(first), "%s/%s", folder && *folder ? folder : "/tmp",
             path + folder_size(path));
    free_name(name, first);
    if (write_model(network, name, run))
        message_warning("saved the model as %s instead", name);
    return false;
}

bool paths_save(const classifier *network, const char *path, const char *run,
                const paths_file *found)
{
    char folder[FOLDER_SIZE], beside[PATH_SIZE];
    const char *name = path;
    write_folder(folder, path);
    /* Two runs that end at the same time wait for each other; without a lock, the check
     * is only less certain. */
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0)
        flock(lock, LOCK_EX);
    paths_file now = look(path);
    if (now.exists && (!found->exists || now.device != found->device ||
                       now.number != found->number)) {
        free_name(beside, path);
        name = beside;
        message_warning("%s was written by another program meanwhile", path);
    }
    bool saved = write_model(network, name, run);
    if (lock >= 0)
        close(lock);
    if (!saved)
        return rescue(network, path, run);
    message_info("saved %s", name);
    return true;
}
