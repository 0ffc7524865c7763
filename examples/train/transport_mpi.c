#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "examples/common/message.h"
#include "examples/train/transport_mpi.h"
#include "examples/train/tree.h"

/* A rank that waits gives way to others for the first of these times, and then sleeps
 * for the second one again and again: MPI moves messages only while it is called. */
static const int64_t yield_nanoseconds = 5000000;
static const struct timespec rest = {0, 100000};

typedef struct messages {
    transport base;
    /** Values of the range of this rank from the rows of others, [inbox_rows][range].
     */
    float *inbox;
    size_t first[TRANSPORT_MOST_RANKS];
    size_t range, begin;
    MPI_Request *requests;
    MPI_Status *statuses;
    int count;
    float *memory;
} messages;

static messages *of(transport *t)
{
    return (messages *)t;
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool failed(int error)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    MPI_Error_string(error, text, &length);
    return message_error("MPI: %s", text);
}

/* Waits until all requests are done. */
static bool wait_for(int count, MPI_Request *requests, MPI_Status *statuses)
{
    int64_t start = nanoseconds();
    for (;;) {
        int done, error = MPI_Testall(count, requests, &done, statuses);
        if (error)
            return failed(error);
        if (done)
            return true;
        if (nanoseconds() - start < yield_nanoseconds)
            sched_yield();
        else
            nanosleep(&rest, NULL);
    }
}

/* Adds a message from or to a rank; messages between two ranks keep their order. */
static bool receive(messages *m, float *values, size_t count, size_t rank)
{
    int error = MPI_Irecv(values, (int)count, MPI_FLOAT, (int)rank, 0, MPI_COMM_WORLD,
                          &m->requests[m->count++]);
    return !error || failed(error);
}

static bool send(messages *m, const float *values, size_t count, size_t rank)
{
    int error = MPI_Isend(values, (int)count, MPI_FLOAT, (int)rank, 0, MPI_COMM_WORLD,
                          &m->requests[m->count++]);
    return !error || failed(error);
}

static size_t range_size(const transport *t, size_t rank)
{
    return transport_range(t, rank + 1) - transport_range(t, rank);
}

/* Exchanges the rows with one rank. */
static bool share_with(messages *m, size_t rank, const size_t *rows)
{
    const transport *t = &m->base;
    for (size_t i = 0; i < rows[rank]; i++)
        if (!receive(m, m->inbox + (m->first[rank] + i) * m->range, m->range, rank))
            return false;
    for (size_t i = 0; i < rows[t->rank]; i++)
        if (!send(m, t->rows + i * t->stride + transport_range(t, rank),
                  range_size(t, rank), rank))
            return false;
    return true;
}

/* Ends the messages of an exchange. */
static bool finish(messages *m, bool begun)
{
    bool done = begun && wait_for(m->count, m->requests, m->statuses);
    m->count = 0;
    m->base.failed |= !done;
    return done;
}

static bool share(transport *t, const size_t *rows)
{
    messages *m = of(t);
    bool done = !t->failed;
    size_t first = 0;
    for (size_t r = 0; r < t->ranks; r++) {
        m->first[r] = first;
        first += r == t->rank ? 0 : rows[r];
    }
    for (size_t r = 0; done && r < t->ranks; r++)
        done = r == t->rank || share_with(m, r, rows);
    return finish(m, done);
}

static const float *source(const transport *t, size_t rank, size_t row, size_t i)
{
    const messages *m = (const messages *)t;
    if (rank == t->rank)
        return t->rows + row * t->stride + i;
    return m->inbox + (m->first[rank] + row) * m->range + (i - m->begin);
}

static bool complete(transport *t)
{
    messages *m = of(t);
    bool done = true;
    for (size_t r = 0; done && r < t->ranks; r++)
        done = r == t->rank ||
               (receive(m, t->total + transport_range(t, r), range_size(t, r), r) &&
                send(m, t->total + m->begin, m->range, r));
    return finish(m, done);
}

bool transport_mpi_words(uint64_t mine, uint64_t *words)
{
    MPI_Request request;
    MPI_Status status;
    int error = MPI_Iallgather(&mine, 1, MPI_UINT64_T, words, 1, MPI_UINT64_T,
                               MPI_COMM_WORLD, &request);
    return error ? failed(error) : wait_for(1, &request, &status);
}

static bool give_words(transport *t, uint64_t mine, uint64_t *words)
{
    bool done = !t->failed && transport_mpi_words(mine, words);
    t->failed |= !done;
    return done;
}

/* mpirun sees to that. */
static bool check(transport *t)
{
    return !t->failed;
}

static const transport_calls calls = {share, source, complete, give_words, check};

bool transport_mpi_join(transport_world *world)
{
    int rank, ranks, provided;
    uint64_t count = transport_mpi_count();
    *world = (transport_world){0, 1};
    if (count <= 1)
        return true;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) ||
        MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN) ||
        MPI_Comm_rank(MPI_COMM_WORLD, &rank) || MPI_Comm_size(MPI_COMM_WORLD, &ranks))
        return message_error("MPI cannot be started");
    if (ranks == 1)
        return message_error("started as one of %llu processes by another MPI than "
                             "that of this build",
                             (unsigned long long)count);
    *world = (transport_world){(size_t)rank, (size_t)ranks};
    return true;
}

bool transport_mpi_start(transport **out, size_t rows, size_t values)
{
    int rank, ranks;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    messages *m = calloc(1, sizeof(*m));
    *out = NULL;
    if (!m)
        return message_error("no memory for %d ranks", ranks);
    size_t stride = (values + TRANSPORT_UNIT - 1) / TRANSPORT_UNIT * TRANSPORT_UNIT;
    transport *t = &m->base;
    *t = (transport){.calls = &calls,
                     .rank = (size_t)rank,
                     .ranks = (size_t)ranks,
                     .stride = stride};
    *out = t;
    m->begin = transport_range(t, t->rank);
    m->range = range_size(t, t->rank);
    size_t received = rows * t->ranks * m->range;
    m->memory = calloc((rows + 1) * stride + received, sizeof(*m->memory));
    size_t most = 2 * rows * t->ranks + 2 * t->ranks;
    m->requests = calloc(most, sizeof(*m->requests));
    m->statuses = calloc(most, sizeof(*m->statuses));
    if (m->range > INT_MAX || !m->memory || !m->requests || !m->statuses) {
        transport_mpi_end(out);
        return message_error("no memory for the sums of %d ranks", ranks);
    }
    t->rows = m->memory;
    t->total = t->rows + rows * stride;
    m->inbox = t->total + stride;
    return true;
}

void transport_mpi_end(transport **t)
{
    if (!*t)
        return;
    free(of(*t)->memory);
    free(of(*t)->requests);
    free(of(*t)->statuses);
    free(*t);
    *t = NULL;
}

void transport_mpi_leave(const transport_world *world, bool together, int status)
{
    if (world->ranks == 1)
        return;
    if (together) {
        MPI_Finalize();
        return;
    }
    /* mpirun then drops what it has not read yet. */
    const struct timespec moment = {0, 300000000};
    nanosleep(&moment, NULL);
    MPI_Abort(MPI_COMM_WORLD, status ? status : 1);
}
