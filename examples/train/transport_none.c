/* A build without MPI. */
#include <stdlib.h>

#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/train/transport_mpi.h"

bool transport_mpi_join(transport_world *world)
{
    uint64_t count = transport_mpi_count();
    *world = (transport_world){0, 1};
    return count <= 1 ||
           message_error("started as one of %llu processes, but built without MPI: "
                         "--ranks needs none, or build with -Dmpi=enabled",
                         (unsigned long long)count);
}

bool transport_mpi_start(transport **out, size_t rows, size_t values)
{
    (void)rows;
    (void)values;
    *out = NULL;
    return message_error("built without MPI");
}

bool transport_mpi_words(uint64_t mine, uint64_t *words)
{
    words[0] = mine;
    return true;
}

void transport_mpi_end(transport **t)
{
    (void)t;
}

void transport_mpi_leave(const transport_world *world, bool together, int status)
{
    (void)world;
    (void)together;
    (void)status;
}
