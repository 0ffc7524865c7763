/*
 * The element-wise part of the cell for one vector of units: computes c and h from the
 * sums of the gates, in float32.
 */
#ifndef LSTM_KERNELS_CELL_H
#define LSTM_KERNELS_CELL_H

#include "lib/lstm/kernels/activation.h"
#include "lib/lstm/kernels/kernels.h"
#include "lib/lstm/kernels/simd.h"

/* Computes the gates from their sums. Stores c, and for backward the gates. Replaces
 * the last sum by o, and returns c. offset is the offset of the unit in the arrays of
 * the job. */
INLINE vf cell_state(const lstm_cell *job, size_t offset, vf *sums)
{
    vf i = v_sigmoid(sums[0]), f = v_sigmoid(sums[1]);
    vf g = v_tanh(sums[2]), o = v_sigmoid(sums[3]);
    vf c = i * g;
    if (job->c_before)
        c = v_fma(f, v_load(job->c_before + offset), c);
    v_store(job->c + offset, c);
    if (job->gates) {
        v_store(job->gates + offset, i);
        v_store(job->gates + job->gate_stride + offset, f);
        v_store(job->gates + 2 * job->gate_stride + offset, g);
        v_store(job->gates + 3 * job->gate_stride + offset, o);
    }
    sums[3] = o;
    return c;
}

/* Returns o tanh(c); stores tanh(c) for backward. */
INLINE vf cell_output(const lstm_cell *job, size_t offset, vf c, vf o)
{
    vf t = v_tanh(c);
    if (job->tanh_c)
        v_store(job->tanh_c + offset, t);
    return o * t;
}

#endif
