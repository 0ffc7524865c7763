/*
 * Quantises rows of weights as the library does: docs/numerics.md has the definition.
 */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "examples/embed/byte_layer.h"
#include "examples/embed/code.h"

/* Weights of a line of the source. */
enum { BYTE_COLUMNS = 16 };

static float scale_of(const float *row, size_t count)
{
    float most = 0;
    for (size_t k = 0; k < count; k++)
        most = fmaxf(most, fabsf(row[k]));
    float scale = most / 127;
    uint32_t bits;
    memcpy(&bits, &scale, sizeof(bits));
    bits = scale < FLT_MIN ? 0 : bits & ~0x7fu;
    memcpy(&scale, &bits, sizeof(scale));
    return scale;
}

static void print_byte(size_t i, float weight, float scale)
{
    code_write("%s%d,", i % BYTE_COLUMNS ? " " : "\n    ",
               scale > 0 ? (int)rintf(weight / scale) : 0);
}

/* The weights of a matrix of one unit: four gates for each value. */
static size_t print_unit(const byte_layer *l, const float *weight, size_t columns,
                         size_t unit, size_t i)
{
    float scales[4];
    for (size_t gate = 0; gate < 4; gate++)
        scales[gate] = scale_of(weight + (gate * l->hidden + unit) * columns, columns);
    for (size_t k = 0; k < columns; k++)
        for (size_t gate = 0; gate < 4; gate++)
            print_byte(i++, weight[(gate * l->hidden + unit) * columns + k],
                       scales[gate]);
    return i;
}

/* For each unit four biases, four scales of weight_ih and four of weight_hh. */
static void print_scales(const byte_layer *l)
{
    code_write("static const float %s_scales%zu[%zu] = {", l->name, l->layer,
               12 * l->hidden);
    for (size_t unit = 0, i = 0; unit < l->hidden; unit++)
        for (size_t kind = 0; kind < 3; kind++)
            for (size_t gate = 0; gate < 4; gate++, i++) {
                size_t row = gate * l->hidden + unit;
                float bias = l->ih ? l->ih[row] + l->hh[row] : 0;
                code_number(i, kind == 0 ? bias
                               : kind == 1
                                   ? scale_of(l->input + row * l->inputs, l->inputs)
                                   : scale_of(l->recurrent + row * l->size, l->size));
            }
    code_write("\n};\n\n");
}

static void print_projection(const byte_layer *l)
{
    code_write("static const int8_t %s_projection%zu[%zu] = {", l->name, l->layer,
               l->size * l->hidden);
    for (size_t row = 0, i = 0; row < l->size; row++) {
        float scale = scale_of(l->projection + row * l->hidden, l->hidden);
        for (size_t k = 0; k < l->hidden; k++, i++)
            print_byte(i, l->projection[i], scale);
    }
    code_write("\n};\n\nstatic const float %s_projection_scales%zu[%zu] = {", l->name,
               l->layer, l->size);
    for (size_t row = 0; row < l->size; row++)
        code_number(row, scale_of(l->projection + row * l->hidden, l->hidden));
    code_write("\n};\n\n");
}

void byte_layer_print(const byte_layer *l)
{
    code_write("static const int8_t %s_layer%zu[%zu] = {", l->name, l->layer,
               4 * l->hidden * (l->inputs + l->size));
    for (size_t unit = 0, i = 0; unit < l->hidden; unit++) {
        i = print_unit(l, l->input, l->inputs, unit, i);
        i = print_unit(l, l->recurrent, l->size, unit, i);
    }
    code_write("\n};\n\n");
    print_scales(l);
    if (l->projection)
        print_projection(l);
}
