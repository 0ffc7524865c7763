#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/verify/child.h"

static _Noreturn void become(int output, const char *kernels, const char *name,
                             const char *argument)
{
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (kernels)
        setenv("LSTM_CPU", kernels, 1);
    else
        unsetenv("LSTM_CPU");
    unsetenv("LSTM_REPRODUCIBLE");
    unsetenv("LSTM_NUM_THREADS");
    execl("/proc/self/exe", "lstm-verify", "--part", name, argument, (char *)NULL);
    _exit(127);
}

bool child_start(child *c, const char *kernels, const char *name, const char *argument)
{
    int ends[2];
    if (pipe(ends))
        return false;
    c->output = fdopen(ends[0], "r");
    c->process = c->output ? fork() : -1;
    if (c->process == 0) {
        close(ends[0]);
        become(ends[1], kernels, name, argument);
    }
    int error = errno;
    close(ends[1]);
    if (c->process > 0)
        return true;
    if (c->output)
        fclose(c->output);
    else
        close(ends[0]);
    errno = error;
    return false;
}

bool child_line(child *c, char *line, size_t size)
{
    if (!fgets(line, (int)size, c->output))
        return false;
    line[strcspn(line, "\n")] = '\0';
    return true;
}

void child_kill(child *c)
{
    kill(c->process, SIGKILL);
}

void child_wait(child *c, char *how, size_t size)
{
    int status = 0;
    fclose(c->output);
    while (waitpid(c->process, &status, 0) < 0 && errno == EINTR)
        continue;
    *how = '\0';
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        snprintf(how, size, "ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        snprintf(how, size, "this program cannot start itself through /proc/self/exe");
    else if (WIFEXITED(status) && WEXITSTATUS(status))
        snprintf(how, size, "ended with status %d", WEXITSTATUS(status));
}
