#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/common/rules.h"
#include "examples/embed/byte_layer.h"
#include "examples/embed/code.h"
#include "examples/embed/standalone.h"

/* A model in memory. Its options and values belong to its objects. */
typedef struct model {
    lstm_layer *layer;
    lstm_linear *head;
    lstm_params *params;
    const char *prefix;
    lstm_layer_config config;
    /* Sizes of h and of the output. */
    size_t size, outputs;
} model;

/* The largest sum of int8 products is one part of a row: see docs/numerics.md. */
enum { MOST_CHANNELS = 1024 };
/* Room for a message with the name of a file. */
enum { WHY = 4600 };

static bool is_int8(const model *m)
{
    return m->config.precision == LSTM_INT8;
}

/* Reading -----------------------------------------------------------------------------
 */

static bool failed(const standalone *what)
{
    return message_error("%s: %s", what->path, lstm_last_error());
}

static bool has_tensor(const lstm_file *file, const char *name)
{
    lstm_tensor_info info;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++)
        if (strcmp(info.name, name) == 0)
            return true;
    return false;
}

/* What follows "PREFIX." in a name; NULL if it does not begin so. */
static const char *after(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (length && (strncmp(name, prefix, length) != 0 || name[length++] != '.'))
        return NULL;
    return name + length;
}

/* Whether a name is the prefix, the stem and the end. */
static bool is_named(const char *name, const char *prefix, const char *stem,
                     const char *end)
{
    size_t length = strlen(stem);
    name = after(name, prefix);
    return name && strncmp(name, stem, length) == 0 && strcmp(name + length, end) == 0;
}

/* A value of the model by the parts of its name; NULL if it has none. */
static const float *value_of(const model *m, const char *prefix, const char *stem,
                             const char *end)
{
    for (size_t i = 0; i < lstm_params_size(m->params); i++)
        if (is_named(lstm_params_name(m->params, i), prefix, stem, end))
            return lstm_tensor_data(lstm_params_value(m->params, i));
    return NULL;
}

static const float *layer_value(const model *m, const char *stem, size_t layer)
{
    char end[40];
    snprintf(end, sizeof(end), "_l%zu", layer);
    return value_of(m, m->prefix, stem, end);
}

static const char *head_prefix(const standalone *what)
{
    return what->head ? what->head : "fc";
}

/* Refuses what the source does not compute. */
static bool check_options(const standalone *what, const model *m)
{
    if (m->config.bidirectional)
        return message_error("%s: the LSTM is bidirectional, but a reverse direction "
                             "needs whole sequences",
                             what->path);
    if (m->config.precision == LSTM_BFLOAT16)
        return message_error("%s: the LSTM has the precision bfloat16, expected "
                             "float32 or int8",
                             what->path);
    if (is_int8(m) &&
        (m->config.inputs > MOST_CHANNELS || m->config.hidden > MOST_CHANNELS))
        return message_error(
            "%s: the LSTM has %zu inputs and %zu hidden units in int8, "
            "expected at most %d",
            what->path, m->config.inputs, m->config.hidden, MOST_CHANNELS);
    if (m->head && lstm_linear_get_config(m->head)->inputs != m->size)
        return message_error("%s: %s has %zu inputs, expected %zu, the outputs of the "
                             "LSTM",
                             what->path, head_prefix(what),
                             lstm_linear_get_config(m->head)->inputs, m->size);
    return true;
}

/* The source computes the LSTM and the linear layer alone. */
static bool check_metadata(const standalone *what, const model *m,
                           const lstm_file *file)
{
    static const rule rules[] = {{"model.output", rules_forward_outputs},
                                 {"model.samplerate", NULL},
                                 {NULL, NULL}};
    char why[WHY];
    return (rules_check_keys(file, what->path, rules, why, sizeof(why)) &&
            rules_check_tensors(file, what->path, m->prefix, false, why,
                                sizeof(why))) ||
           message_error("%s", why);
}

/* Whether the source has a tensor, or it is one of an optimiser. A layer refuses those
 * of its names that it does not use. Those of an LSTMCell have no "_l0". */
static bool is_used(const model *m, const char *name)
{
    static const char *const stems[] = {"weight_ih", "weight_hh", "weight_hr",
                                        "bias_ih", "bias_hh"};
    const char *rest = after(name, m->prefix);
    for (size_t i = 0; rest && i < sizeof(stems) / sizeof(stems[0]); i++)
        if (strncmp(rest, stems[i], strlen(stems[i])) == 0)
            return true;
    return value_of(m, "", name, "") || strncmp(name, "__adam__.", 9) == 0;
}

/* Warns of tensors that nothing uses. */
static void name_unused(const standalone *what, const model *m, const lstm_file *file)
{
    const char *unused = NULL;
    size_t count = 0;
    lstm_tensor_info info, of;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++)
        if (!is_used(m, info.name) &&
            !(rules_is_scale(file, info.name, &of) && is_used(m, of.name)) &&
            count++ == 0)
            unused = info.name;
    if (count)
        message_warning("%s: not used: %s%s", what->path, unused,
                        count > 1 ? " and other tensors" : "");
}

/* Lists all weights, and checks that they are finite. */
static bool read_values(const standalone *what, model *m)
{
    char why[400];
    if (lstm_params_create(&m->params) != LSTM_OK ||
        lstm_params_add_layer(m->params, m->prefix, m->layer) != LSTM_OK ||
        (m->head &&
         lstm_params_add_linear(m->params, head_prefix(what), m->head) != LSTM_OK))
        return failed(what);
    return finite_check(m->params, what->path, why, sizeof(why)) ||
           message_error("%s", why);
}

/* The sum of two biases, which the library adds as well. */
static float bias_of(const float *ih, const float *hh, size_t row)
{
    return ih ? ih[row] + hh[row] : 0;
}

static bool check_biases(const standalone *what, const model *m)
{
    for (size_t l = 0; l < m->config.layers; l++) {
        const float *ih = layer_value(m, "bias_ih", l),
                    *hh = layer_value(m, "bias_hh", l);
        for (size_t row = 0; row < 4 * m->config.hidden; row++)
            if (!isfinite(bias_of(ih, hh, row)))
                return message_error("%s: bias_ih_l%zu and bias_hh_l%zu have a sum "
                                     "that is not finite",
                                     what->path, l, l);
    }
    return true;
}

static bool read_model(const standalone *what, lstm_file *file, model *m)
{
    if (lstm_layer_read(&m->layer, file, what->prefix, NULL) != LSTM_OK)
        return failed(what);
    m->prefix = what->prefix ? what->prefix : lstm_file_layer_prefix(file, 0);
    m->config = *lstm_layer_get_config(m->layer);
    m->size = m->config.proj_size ? m->config.proj_size : m->config.hidden;
    if ((what->head || has_tensor(file, "fc.weight")) &&
        lstm_linear_read(&m->head, file, head_prefix(what)) != LSTM_OK)
        return failed(what);
    m->outputs = m->head ? lstm_linear_get_config(m->head)->outputs : m->size;
    if (!check_options(what, m) || !check_metadata(what, m, file) ||
        !read_values(what, m) || !check_biases(what, m))
        return false;
    name_unused(what, m, file);
    return true;
}

/* Printing ----------------------------------------------------------------------------
 */

static size_t layer_inputs(const model *m, size_t layer)
{
    return layer ? m->size : m->config.inputs;
}

static void print_head_comment(const standalone *what, const model *m)
{
    const char *name = what->name;
    code_write("/*\n * %s, printed by lstm-embed --standalone.\n *\n", what->title);
    code_write(" * An LSTM: inputs %zu, layers %zu, hidden units %zu, outputs %zu.\n",
               m->config.inputs, m->config.layers, m->config.hidden, m->outputs);
    code_print(
        " *\n"
        " *     static @_state state;            zeros, or after @_reset(&state)\n"
        " *     @_step(&state, x, out);\n"
        " *\n"
        " * Other sources get the declarations from this file:\n"
        " *\n"
        " *     #define LSTM_DECLARATIONS\n"
        " *     #include \"FILE\"\n"
        " *\n"
        " * C99, or C++17 as GNU compilers have it. No memory is allocated, and no\n"
        " * function is called but those of this file, and memcpy() and memset()\n"
        " * where the compiler puts them. The bits of the results are those of\n"
        " * liblstm in the reproducible mode. Compile without -ffast-math; the\n"
        " * file does not depend on -ffp-contract, but =off is what it means.\n"
        " */\n",
        name);
}

static void print_declarations(const standalone *what, const model *m)
{
    const char *name = what->name;
    code_print("#ifndef LSTM_STANDALONE_@\n#define LSTM_STANDALONE_@\n\n"
               "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
               name);
    code_write("enum {\n    %s_inputs = %zu,\n    %s_outputs = %zu,\n", name,
               m->config.inputs, name, m->outputs);
    code_write("    %s_layers = %zu,\n    %s_hidden = %zu,\n", name, m->config.layers,
               name, m->config.hidden);
    code_write("    %s_size = %zu /* of h of a layer */\n};\n\n", name, m->size);
    code_print("/* The state of one sequence. Copies of it continue independently. */\n"
               "typedef struct @_state {\n"
               "    float h[@_layers * @_size], c[@_layers * @_hidden];\n"
               "    float next[@_hidden]; /* for a step */\n"
               "    int begun;            /* 0: h and c are zeros */\n",
               name);
    if (is_int8(m))
        code_write("    short x[%zu], a[%zu]; /* for a step */\n",
                   m->config.inputs > m->size ? m->config.inputs : m->size,
                   m->config.hidden);
    code_print(
        "} @_state;\n\n"
        "/* Begins a sequence: sets the state to zeros. */\n"
        "void @_reset(@_state *state);\n\n"
        "/* Reads one step, x [@_inputs], and writes out [@_outputs]. out may be\n"
        " * NULL, or overlap x. */\n"
        "void @_step(@_state *state, const float *x, float *out);\n\n"
        "#ifdef __cplusplus\n}\n#endif\n\n#endif\n\n",
        name);
}

static void print_array(const char *name, const char *what, size_t count)
{
    code_write("static const float %s_%s[%zu] = {", name, what, count);
}

/* The biases and weights of one unit: four gates for each value. */
static size_t print_unit(const model *m, size_t layer, size_t unit, size_t i)
{
    const char *const stems[] = {"weight_ih", "weight_hh"};
    const size_t columns[] = {layer_inputs(m, layer), m->size};
    const float *ih = layer_value(m, "bias_ih", layer),
                *hh = layer_value(m, "bias_hh", layer);
    size_t hidden = m->config.hidden;
    for (size_t gate = 0; gate < 4; gate++)
        code_number(i++, bias_of(ih, hh, gate * hidden + unit));
    for (size_t part = 0; part < 2; part++) {
        const float *weight = layer_value(m, stems[part], layer);
        for (size_t k = 0; k < columns[part]; k++)
            for (size_t gate = 0; gate < 4; gate++)
                code_number(i++, weight[(gate * hidden + unit) * columns[part] + k]);
    }
    return i;
}

static void print_byte_layer(const standalone *what, const model *m, size_t layer)
{
    byte_layer_print(&(byte_layer){.name = what->name,
                                   .layer = layer,
                                   .hidden = m->config.hidden,
                                   .inputs = layer_inputs(m, layer),
                                   .size = m->size,
                                   .input = layer_value(m, "weight_ih", layer),
                                   .recurrent = layer_value(m, "weight_hh", layer),
                                   .ih = layer_value(m, "bias_ih", layer),
                                   .hh = layer_value(m, "bias_hh", layer),
                                   .projection = layer_value(m, "weight_hr", layer)});
}

static void print_layer(const standalone *what, const model *m, size_t layer)
{
    char name[40];
    size_t hidden = m->config.hidden, i = 0;
    snprintf(name, sizeof(name), "layer%zu", layer);
    print_array(what->name, name, hidden * 4 * (1 + layer_inputs(m, layer) + m->size));
    for (size_t unit = 0; unit < hidden; unit++)
        i = print_unit(m, layer, unit, i);
    code_write("\n};\n\n");
    if (!m->config.proj_size)
        return;
    const float *projection = layer_value(m, "weight_hr", layer);
    snprintf(name, sizeof(name), "projection%zu", layer);
    print_array(what->name, name, m->size * hidden);
    for (i = 0; i < m->size * hidden; i++)
        code_number(i, projection[i]);
    code_write("\n};\n\n");
}

static void print_head(const standalone *what, const model *m)
{
    const float *weight = value_of(m, head_prefix(what), "weight", "");
    const float *bias = value_of(m, head_prefix(what), "bias", "");
    print_array(what->name, "head", m->outputs * (1 + m->size));
    for (size_t output = 0, i = 0; output < m->outputs; output++) {
        code_number(i++, bias ? bias[output] : 0);
        for (size_t k = 0; k < m->size; k++)
            code_number(i++, weight[output * m->size + k]);
    }
    code_write("\n};\n\n");
}

static void print_step(const standalone *what, const model *m)
{
    const char *name = what->name;
    code_print("void @_step(@_state *state, const float *x, float *out)\n{\n"
               "    @_mode before = @_denormals_off();\n",
               name);
    for (size_t l = 0; l < m->config.layers; l++) {
        code_write("    x = %s_layer(state, %zu, x, %s_%s, %s_layer%zu", name, l, name,
                   l ? "size" : "inputs", name, l);
        if (is_int8(m))
            code_write(", %s_scales%zu", name, l);
        if (m->config.proj_size)
            code_write(", %s_projection%zu", name, l);
        if (is_int8(m) && m->config.proj_size)
            code_write(", %s_projection_scales%zu", name, l);
        code_write(");\n");
    }
    code_print(m->head ? "    if (out)\n        @_linear(x, out);\n"
                       : "    for (size_t i = 0; out && i < @_size; i++)\n"
                         "        out[i] = x[i];\n",
               name);
    code_print("    state->begun = 1;\n    @_denormals_restore(before);\n}\n\n"
               "#endif\n",
               name);
}

static void print_source(const standalone *what, const model *m)
{
    const char *copy = is_int8(m) ? code_byte_copy : code_copy;
    const char *project = is_int8(m) ? code_byte_project : code_project;
    const char *const parts[] = {
        code_modes,
        code_multiply_add,
        code_activations,
        is_int8(m) ? code_byte_layer : code_layer,
        m->config.proj_size ? project : copy,
    };
    print_head_comment(what, m);
    print_declarations(what, m);
    code_print("#ifndef LSTM_DECLARATIONS\n\n", what->name);
    code_print(code_checks, what->name);
    for (size_t l = 0; l < m->config.layers; l++) {
        if (is_int8(m))
            print_byte_layer(what, m, l);
        else
            print_layer(what, m, l);
    }
    if (m->head)
        print_head(what, m);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        code_print(parts[i], what->name);
    if (m->head)
        code_print(code_linear, what->name);
    code_print(code_reset, what->name);
    print_step(what, m);
}

bool standalone_print(const standalone *what, lstm_file *file)
{
    model m = {0};
    bool valid = read_model(what, file, &m);
    if (valid)
        print_source(what, &m);
    lstm_params_destroy(&m.params);
    lstm_linear_destroy(&m.head);
    lstm_layer_destroy(&m.layer);
    return valid;
}
