#include <stdlib.h>

#include "examples/common/number.h"
#include "examples/train/transport.h"
#include "examples/train/transport_mpi.h"
#include "examples/train/tree.h"

size_t transport_range(const transport *t, size_t rank)
{
    return tree_part(t->stride / TRANSPORT_UNIT, t->ranks, rank) * TRANSPORT_UNIT;
}

static uint64_t read_count(const char *const *names)
{
    uint64_t count = 0;
    for (; count == 0 && *names; names++) {
        const char *text = getenv(*names);
        if (!text || !number_count(text, &count))
            count = 0;
    }
    return count;
}

/* Variables of Open MPI, of MPICH and all with its mpirun, and of Slurm. */
uint64_t transport_mpi_count(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE",
                                        "SLURM_STEP_NUM_TASKS", NULL};
    return read_count(names);
}

uint64_t transport_mpi_local(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                        NULL};
    return read_count(names);
}
