/*
 * A library for LD_PRELOAD that lets calls of a program fail: the k-th call of a class,
 * alone or with all after it. Calls are counted from main() on.
 *
 *     FAULTS_CLASS     name of the class, see shim.h; none: only counts
 *     FAULTS_AT        k, from 0
 *     FAULTS_MODE      once or always
 *     FAULTS_ERRNO     number of the error; 0: reads and writes are short instead;
 *                      -1: the program is killed before the call
 *     FAULTS_REPORT    file of a fault_report, which is up to date at any moment
 *     FAULTS_RECORD    file to which operations that change files are appended
 *
 * The C library does not call its own read() and write() for streams. So streams get
 * functions of this library: standard input and output, and what fopen() opens.
 * Standard error never fails, because tests read it.
 */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/faults/shim.h"

static fault_report no_report, *report = &no_report;
static fault_class chosen = FAULT_CLASSES;
static uint64_t first;
static bool always;
static int error;
static bool counting;

bool fault_hits(fault_class class, const char *name)
{
    if (!__atomic_load_n(&counting, __ATOMIC_RELAXED))
        return false;
    uint64_t count = __atomic_fetch_add(&report->counts[class], 1, __ATOMIC_RELAXED);
    if (class != chosen || count < first || (!always && count > first))
        return false;
    if (__atomic_fetch_add(&report->failed, 1, __ATOMIC_RELAXED) == 0)
        strncpy(report->name, name, sizeof(report->name) - 1);
    if (error < 0)
        kill(getpid(), SIGKILL);
    return true;
}

bool fault_fails(fault_class class, const char *name)
{
    if (!fault_hits(class, name))
        return false;
    errno = error;
    return true;
}

int fault_error(void)
{
    return error;
}

void *fault_real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

static void open_report(const char *path)
{
    /* Not counted yet. */
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0 || ftruncate(file, sizeof(fault_report)))
        abort();
    report =
        mmap(NULL, sizeof(fault_report), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (report == MAP_FAILED)
        abort();
    close(file);
}

static uint64_t number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

static void read_environment(void)
{
    static const char *const names[] = {FAULT_NAMES};
    const char *class = getenv("FAULTS_CLASS"), *mode = getenv("FAULTS_MODE");
    const char *path = getenv("FAULTS_REPORT");
    if (path)
        open_report(path);
    first = number("FAULTS_AT");
    const char *text = getenv("FAULTS_ERRNO");
    error = text && *text == '-' ? -1 : (int)number("FAULTS_ERRNO");
    always = mode && strcmp(mode, "always") == 0;
    for (size_t i = 0; class && i < FAULT_CLASSES; i++)
        if (strcmp(class, names[i]) == 0)
            chosen = (fault_class)i;
    if (class && chosen == FAULT_CLASSES)
        abort();
}

typedef int (*main_function)(int, char **, char **);
static main_function real_main;

static int counted_main(int argc, char **argv, char **environment)
{
    fault_streams();
    fault_record_start();
    __atomic_store_n(&counting, true, __ATOMIC_RELAXED);
    return real_main(argc, argv, environment);
}

/* The start of every program calls this function with its main(). */
int __libc_start_main(main_function function, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end);

int __libc_start_main(main_function function, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*loader_fini)(void), void *stack_end)
{
    int (*start)(main_function, int, char **, void (*)(void), void (*)(void),
                 void (*)(void), void *);
    *(void **)&start = fault_real("__libc_start_main");
    real_main = function;
    read_environment();
    return start(counted_main, argc, argv, init, fini, loader_fini, stack_end);
}
