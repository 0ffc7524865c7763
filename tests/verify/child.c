#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/measure.h"
#include "tests/support/ending.h"
#include "tests/verify/child.h"
#include "tests/verify/interrupt.h"

enum { CANNOT_START = 127 };

static double limit = 600;

void child_set_limit(double seconds)
{
    limit = seconds;
}

static _Noreturn void become(int output, const char *kernels, const char *name,
                             const char *argument)
{
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (kernels)
        setenv("LSTM_CPU", kernels, 1);
    /* Without its reader a part is of no use. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, interrupt_mask(), NULL);
    execl("/proc/self/exe", "lstm-verify", "--part", name, argument, (char *)NULL);
    dprintf(STDERR_FILENO, "/proc/self/exe: %s\n", strerror(errno));
    _exit(CANNOT_START);
}

bool child_start(child *c, const char *kernels, const char *name, const char *argument)
{
    int ends[2];
    *c = (child){.deadline = clock_wall() + limit};
    if (pipe2(ends, O_CLOEXEC))
        return false;
    c->output = ends[0];
    c->process = fork();
    if (c->process == 0)
        become(ends[1], kernels, name, argument);
    int error = errno;
    close(ends[1]);
    if (c->process > 0)
        return true;
    close(ends[0]);
    errno = error;
    return false;
}

/* Reads more text; false at the end. */
static bool read_more(child *c)
{
    struct pollfd ready = {.fd = c->output, .events = POLLIN};
    double left = fmax(c->deadline - clock_wall(), 0);
    struct timespec wait = {.tv_sec = (time_t)left};
    wait.tv_nsec = (long)((left - (double)wait.tv_sec) * 1e9);
    int count = ppoll(&ready, 1, &wait, interrupt_mask());
    c->late = count == 0;
    if (c->late || interrupt_arrived()) {
        child_kill(c);
        return false;
    }
    if (count < 0)
        return errno == EINTR;
    ssize_t size = read(c->output, c->text + c->held, sizeof(c->text) - c->held);
    c->held += size > 0 ? (size_t)size : 0;
    return size > 0;
}

/* Takes the first size bytes as a line, and drops as many as its end has. */
static void take(child *c, char *line, size_t size, size_t end)
{
    memcpy(line, c->text, size);
    line[size] = '\0';
    c->held -= size + end;
    memmove(c->text, c->text + size + end, c->held);
}

static bool next_line(child *c, char *line)
{
    for (;;) {
        const char *end = memchr(c->text, '\n', c->held);
        if (end) {
            take(c, line, (size_t)(end - c->text), 1);
            return true;
        }
        bool full = c->held == sizeof(c->text);
        if (full || !read_more(c)) {
            bool some = c->held > 0 && !c->killed;
            if (some)
                take(c, line, full ? c->held - 1 : c->held, 0);
            return some;
        }
    }
}

bool child_line(child *c, char *line)
{
    char next[CHILD_LINE];
    while (next_line(c, next)) {
        c->complete = strcmp(next, CHILD_LAST_LINE) == 0;
        if (!c->complete) {
            memcpy(line, next, sizeof(next));
            return true;
        }
    }
    return false;
}

void child_kill(child *c)
{
    kill(c->process, SIGKILL);
    c->killed = true;
}

/* Whether a signal tells of the machine or of its user, not of this program. */
static bool is_from_outside(int number)
{
    return number == SIGKILL || number == SIGTERM || number == SIGINT ||
           number == SIGHUP || number == SIGXCPU;
}

static verdict explain_signal(const child *c, int number, char *how)
{
    if (number == SIGKILL && c->killed)
        return VERDICT_PASSED;
    bool outside = is_from_outside(number);
    snprintf(how, CHILD_LINE, "ended by signal %d (%s)%s", number, strsignal(number),
             outside ? ": a limit, too little memory, or somebody else" : "");
    return outside ? VERDICT_UNCHECKED : VERDICT_FAILED;
}

static verdict explain_status(const child *c, int status, char *how)
{
    if (status == CANNOT_START || status == ENDING_WITHOUT_MEMORY) {
        snprintf(how, CHILD_LINE, "%s",
                 status == CANNOT_START ? "cannot be started" : "too little memory");
        return VERDICT_UNCHECKED;
    }
    if (status)
        snprintf(how, CHILD_LINE, "ended with status %d", status);
    else if (!c->complete && !c->killed)
        snprintf(how, CHILD_LINE, "ended before its last check");
    return *how ? VERDICT_FAILED : VERDICT_PASSED;
}

verdict child_wait(child *c, char *how)
{
    int status = 0;
    close(c->output);
    while (waitpid(c->process, &status, 0) < 0 && errno == EINTR)
        continue;
    *how = '\0';
    if (c->late) {
        snprintf(how, CHILD_LINE, "did not end in %g s", limit);
        return VERDICT_FAILED;
    }
    return WIFSIGNALED(status) ? explain_signal(c, WTERMSIG(status), how)
                               : explain_status(c, WEXITSTATUS(status), how);
}
