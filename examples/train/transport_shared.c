#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/common/message.h"
#include "examples/train/transport_shared.h"

/* A rank that waits spins first, if it may: for a share of the time since the ranks met
 * last, because the times that they compute differ by about that much, and at least for
 * the first of these times, at most for the second. Then it sleeps, and looks after the
 * others each time that the second one has passed. Rank 0 waits for the end of the
 * others at most for the third. */
enum { SPIN_SHARE = 16 };
static const int64_t spin_nanoseconds = 50000, look_nanoseconds = 100000000,
                     end_nanoseconds = 2000000000;

/* Operations of the system call futex; not every C library comes with their header. */
enum { WAIT, WAKE };

/* The start of the shared memory. */
typedef struct board {
    /** The ranks that wait; a number that changes when all have come. */
    atomic_uint arrived, passed;
    /** Whether the run is over, and whether a rank has said that rank 0 is dead. */
    atomic_uint over, said;
    uint64_t words[TRANSPORT_MOST_RANKS];
} board;

typedef struct shared {
    transport base;
    board *board;
    /** Rows of all ranks, then the total. */
    float *values;
    size_t rows, size;
    bool spin;
    /** When the ranks met last. */
    int64_t met;
    /** Processes of the other ranks, 0 for those that have ended; that of rank 0. */
    pid_t processes[TRANSPORT_MOST_RANKS];
    pid_t first;
} shared;

static shared *of(transport *t)
{
    return (shared *)t;
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Describes how a rank ended; one that failed has said why. */
static bool say_end(shared *s, size_t rank, int status)
{
    int process = (int)s->processes[rank];
    if (WIFSIGNALED(status))
        message_error("rank %zu, process %d, was killed by signal %d (%s)", rank,
                      process, WTERMSIG(status), strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != EXIT_FAILURE)
        message_error("rank %zu, process %d, ended with status %d", rank, process,
                      WEXITSTATUS(status));
    s->processes[rank] = 0;
    s->base.failed = true;
    return false;
}

/* Rank 0: whether the others live. */
static bool check_others(shared *s)
{
    for (size_t i = 1; i < s->base.ranks; i++) {
        int status;
        if (s->processes[i] > 0 && waitpid(s->processes[i], &status, WNOHANG) > 0)
            return say_end(s, i, status);
    }
    return true;
}

/* The others: whether rank 0 lives. One of them says that it does not. */
static bool check_first(shared *s)
{
    if (atomic_load(&s->board->over)) {
        s->base.over = true;
        return false;
    }
    if (getppid() == s->first)
        return true;
    if (atomic_exchange(&s->board->said, 1) == 0)
        message_error("rank 0, process %d, has ended: the other ranks end too",
                      (int)s->first);
    s->base.failed = true;
    return false;
}

static bool check(transport *t)
{
    return t->rank == 0 ? check_others(of(t)) : check_first(of(t));
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits for a moment until a value differs from seen. */
static void spin(const shared *s, atomic_uint *value, unsigned seen)
{
    enum { PAUSES = 64 };
    int64_t now = nanoseconds(), time = (now - s->met) / SPIN_SHARE;
    time = time > spin_nanoseconds ? time : spin_nanoseconds;
    int64_t end = now + (time < look_nanoseconds ? time : look_nanoseconds);
    do
        for (int i = 0; i < PAUSES && atomic_load(value) == seen; i++)
            pause_briefly();
    while (atomic_load(value) == seen && nanoseconds() < end);
}

/* Sleeps until a value differs from seen, for a signal, or until it is time to look. */
static void sleep_until(atomic_uint *value, unsigned seen)
{
    const struct timespec limit = {0, look_nanoseconds};
    syscall(SYS_futex, value, WAIT, seen, &limit, NULL, 0);
}

static void wake_all(atomic_uint *value)
{
    syscall(SYS_futex, value, WAKE, TRANSPORT_MOST_RANKS, NULL, NULL, 0);
}

/* Waits until the number of meetings differs from seen. */
static bool wait_for_others(transport *t, unsigned seen)
{
    shared *s = of(t);
    board *b = s->board;
    if (s->spin)
        spin(s, &b->passed, seen);
    for (int64_t looked = nanoseconds(); atomic_load(&b->passed) == seen;) {
        sleep_until(&b->passed, seen);
        bool late = nanoseconds() - looked >= look_nanoseconds;
        if (atomic_load(&b->passed) != seen || !(late || atomic_load(&b->over)))
            continue;
        if (!check(t))
            return false;
        looked = nanoseconds();
    }
    return true;
}

/* Waits until all ranks have come. */
static bool meet(transport *t)
{
    shared *s = of(t);
    board *b = s->board;
    unsigned seen = atomic_load(&b->passed);
    if (t->over || t->failed)
        return false;
    if (atomic_fetch_add(&b->arrived, 1) + 1 == t->ranks) {
        atomic_store(&b->arrived, 0);
        atomic_fetch_add(&b->passed, 1);
        wake_all(&b->passed);
    } else if (!wait_for_others(t, seen)) {
        return false;
    }
    s->met = nanoseconds();
    return true;
}

static bool share(transport *t, const size_t *rows)
{
    (void)rows;
    return meet(t);
}

static const float *source(const transport *t, size_t rank, size_t row, size_t i)
{
    const shared *s = (const shared *)t;
    return s->values + (rank * s->rows + row) * t->stride + i;
}

static bool give_words(transport *t, uint64_t mine, uint64_t *words)
{
    board *b = of(t)->board;
    b->words[t->rank] = mine;
    if (!meet(t))
        return false;
    memcpy(words, b->words, t->ranks * sizeof(*words));
    /* Nobody writes the next word before all have read these. */
    return meet(t);
}

static const transport_calls calls = {share, source, meet, give_words, check};

/* Closes all files but the standard streams: a file of rank 0, or its lock, is not held
 * by others. */
static void close_files(void)
{
    enum { FIRST = 3 };
#ifdef SYS_close_range
    if (syscall(SYS_close_range, FIRST, ~0u, 0) == 0)
        return;
#endif
    for (int file = FIRST; file < sysconf(_SC_OPEN_MAX); file++)
        close(file);
}

/* Maps the memory for the values of all ranks. */
static bool map(shared *s, size_t rows)
{
    enum { BOARD = 4096 };
    _Static_assert(sizeof(board) <= BOARD, "the board has one page");
    transport *t = &s->base;
    s->rows = rows;
    s->size = BOARD + (t->ranks * rows + 1) * t->stride * sizeof(float);
    void *memory =
        /* cppcheck-suppress invalidFunctionArg; -1 is no file. */
        mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return message_error("no memory for %zu ranks, %zu bytes: %s", t->ranks,
                             s->size, message_errno());
    s->board = memory;
    s->values = (float *)(void *)((char *)memory + BOARD);
    t->total = s->values + t->ranks * rows * t->stride;
    return true;
}

/* Starts the other ranks, each of which returns from here. */
static bool start(shared *s)
{
    fflush(NULL);
    /* If it is ignored from the start, nobody sees how a rank ends. */
    signal(SIGCHLD, SIG_DFL);
    s->first = getpid();
    for (size_t i = 1; i < s->base.ranks; i++) {
        pid_t process = fork();
        if (process < 0)
            return message_error("rank %zu cannot be started: %s", i, message_errno());
        if (process == 0) {
            s->base.rank = i;
            close_files();
            return true;
        }
        s->processes[i] = process;
    }
    return true;
}

bool transport_shared_start(transport **out, size_t ranks, size_t rows, size_t values,
                            bool may_spin)
{
    shared *s = calloc(1, sizeof(*s));
    *out = NULL;
    if (!s)
        return message_error("no memory for %zu ranks", ranks);
    size_t stride = (values + TRANSPORT_UNIT - 1) / TRANSPORT_UNIT * TRANSPORT_UNIT;
    s->base = (transport){.calls = &calls, .ranks = ranks, .stride = stride};
    s->spin = may_spin;
    *out = &s->base;
    if (!map(s, rows) || !start(s)) {
        s->base.failed = true;
        transport_shared_end(out);
        return false;
    }
    s->base.rows = s->values + s->base.rank * rows * stride;
    return true;
}

/* Waits for a rank; false if it takes longer than until end. */
static bool wait_for(pid_t process, int64_t end)
{
    const struct timespec moment = {0, 1000000};
    while (waitpid(process, NULL, WNOHANG) == 0) {
        if (nanoseconds() > end)
            return false;
        nanosleep(&moment, NULL);
    }
    return true;
}

void transport_shared_end(transport **t)
{
    if (!*t)
        return;
    shared *s = of(*t);
    if (s->board && (*t)->rank == 0) {
        atomic_store(&s->board->over, 1);
        wake_all(&s->board->passed);
    }
    int64_t end = nanoseconds() + ((*t)->failed ? 0 : end_nanoseconds);
    for (size_t i = 1; i < (*t)->ranks; i++)
        if (s->processes[i] > 0 && !wait_for(s->processes[i], end)) {
            kill(s->processes[i], SIGKILL);
            waitpid(s->processes[i], NULL, 0);
        }
    if (s->board)
        munmap(s->board, s->size);
    free(s);
    *t = NULL;
}
