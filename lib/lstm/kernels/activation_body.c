/* exp, sigmoid and tanh of arrays; see activation.h for the mathematics. */
#include "lib/lstm/kernels/activation.h"
#include "lib/lstm/kernels/body.h"

/* The elements after the last whole vector are padded to one. */
#define ACTIVATION(name)                                                               \
    static void BODY(name)(size_t count, const float *x, float *y)                     \
    {                                                                                  \
        size_t i = 0;                                                                  \
        for (; i + LANES <= count; i += LANES)                                         \
            v_storeu(y + i, v_##name(v_loadu(x + i)));                                 \
        if (i < count) {                                                               \
            float rest[LANES] = {0};                                                   \
            memcpy(rest, x + i, (count - i) * sizeof(float));                          \
            v_storeu(rest, v_##name(v_loadu(rest)));                                   \
            memcpy(y + i, rest, (count - i) * sizeof(float));                          \
        }                                                                              \
    }

ACTIVATION(exp)
ACTIVATION(sigmoid)
ACTIVATION(tanh)

#undef ACTIVATION
