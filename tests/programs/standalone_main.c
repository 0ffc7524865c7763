/*
 * Runs a source of lstm-embed --standalone, on the desk or on a microcontroller: two
 * sequences, then prints the bits of the outputs and of the state, and how long the
 * last step took. test_standalone.py writes the files in angle brackets. It includes
 * nothing of a C library, which a compiler for microcontrollers may lack.
 */
#include <stddef.h>

#include "tests/programs/standalone_target.h"

#define LSTM_DECLARATIONS
#include <model.c>

#include <inputs.h>

static void print_bits(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        union {
            float value;
            uint32_t bits;
        } word = {values[i]};
        target_print(word.bits);
    }
}

int main(void)
{
    static net_state state;
    static float x[net_inputs], out[net_outputs];
    uint32_t start = 0, end = 0;
    for (size_t step = 0; step < 2 * STEPS; step++) {
        if (step == STEPS)
            net_reset(&state);
        for (size_t i = 0; i < net_inputs; i++)
            x[i] = inputs[step % STEPS * net_inputs + i];
        start = target_time();
        net_step(&state, x, out);
        end = target_time();
        print_bits(out, net_outputs);
    }
    print_bits(state.h, sizeof(state.h) / sizeof(float));
    print_bits(state.c, sizeof(state.c) / sizeof(float));
    target_print((uint32_t)sizeof(state));
    target_print(end - start);
    return 0;
}
