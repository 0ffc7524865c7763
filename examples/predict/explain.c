#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "examples/common/markup.h"
#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/predict/explain.h"
#include "examples/predict/labels.h"

static size_t panels_of(const model *network)
{
    const lstm_layer_config *config = lstm_layer_get_config(network->lstm);
    return config->layers * (config->bidirectional ? 2 : 1);
}

static bool check_network(const char *path, const model *network)
{
    if (network->order != READING_ROWS)
        return message_error("%s: reads %s, expected rows: --explain draws the answer "
                             "after each row",
                             path, reading_names[network->order]);
    if (network->reverse)
        return message_error("%s: reads from the last row to the first, expected from "
                             "the first: --explain draws the answer after each row",
                             path);
    size_t panels = panels_of(network);
    if (network->classes > EXPLAIN_CLASSES)
        return message_error("%s: has %zu classes, --explain draws at most %d", path,
                             network->classes, EXPLAIN_CLASSES);
    if (panels > EXPLAIN_PANELS)
        return message_error("%s: has %zu layers, counting directions, --explain draws "
                             "at most %d",
                             path, panels, EXPLAIN_PANELS);
    return true;
}

/* Labels that are beside the images are read, too. */
static bool check_labels(const predict_options *options, const char *path)
{
    char *found = NULL;
    if (!options->labels && !labels_find(options->files[0], &found))
        return message_error("%s: no memory to look for labels", options->files[0]);
    bool same = output_same_file(path, found);
    free(found);
    return !same || message_error("%s: has the labels of the picture, which --explain "
                                  "would replace",
                                  path);
}

/* Whether the output is a file that is read. */
static bool check_inputs(const predict_options *options, const char *path)
{
    const char *const inputs[] = {options->model, options->files[0], options->labels};
    static const char *const names[] = {"the model", "the picture", "--labels"};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (output_same_file(path, inputs[i]))
            return message_error("%s: is %s, which --explain would replace", path,
                                 names[i]);
    return check_labels(options, path);
}

bool explain_check(const predict_options *options, const model *network)
{
    struct stat facts;
    const char *path = options->explain;
    if (!check_network(options->model, network) || !check_inputs(options, path))
        return false;
    if (stat(path, &facts) != 0 && errno != ENOENT)
        return message_error("%s: %s", path, message_errno());
    bool present = stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size;
    if (!present || options->force || markup_is_titled(path, EXPLAIN_TITLE))
        return output_check(path);
    return message_error("%s: exists and is not a drawing of --explain; --force "
                         "replaces it",
                         path);
}

/* Gates and states of a unit in the order of rows. gates: [28, 4*H]. The reverse
 * direction begins at the last row. */
static void follow_unit(const float *gates, size_t hidden, size_t unit, bool reverse,
                        double values[EXPLAIN_VALUES][MODEL_SIDE])
{
    double c = 0;
    for (size_t step = 0; step < MODEL_SIDE; step++) {
        size_t row = reverse ? MODEL_SIDE - 1 - step : step;
        double gate[EXPLAIN_GATES];
        for (size_t k = 0; k < EXPLAIN_GATES; k++)
            values[k][row] = gate[k] = gates[(row * EXPLAIN_GATES + k) * hidden + unit];
        c = gate[1] * c + gate[0] * gate[2];
        values[EXPLAIN_CELL][row] = c;
        values[EXPLAIN_STATE][row] = gate[3] * tanh(c);
    }
}

/* How much the hidden state of a unit changes; it begins at 0. */
static double activity(const double state[MODEL_SIDE], bool reverse)
{
    double sum = fabs(state[reverse ? MODEL_SIDE - 1 : 0]);
    for (size_t row = 1; row < MODEL_SIDE; row++)
        sum += fabs(state[row] - state[row - 1]);
    return sum;
}

/* Inserts a unit into the most active ones, in falling order; the first of equal ones
 * stays before the others. */
static void insert(explain_panel *panel, double *most, size_t unit, double active)
{
    size_t at = panel->count;
    if (at < EXPLAIN_UNITS)
        panel->count++;
    else if (active > most[at - 1])
        at--;
    else
        return;
    for (; at > 0 && active > most[at - 1]; at--) {
        panel->units[at] = panel->units[at - 1];
        most[at] = most[at - 1];
    }
    panel->units[at] = unit;
    most[at] = active;
}

static void fill_panel(explain_panel *panel, const float *gates, size_t hidden)
{
    double most[EXPLAIN_UNITS], values[EXPLAIN_VALUES][MODEL_SIDE];
    for (size_t unit = 0; unit < hidden; unit++) {
        follow_unit(gates, hidden, unit, panel->reverse, values);
        insert(panel, most, unit, activity(values[EXPLAIN_STATE], panel->reverse));
    }
    for (size_t i = 0; i < panel->count; i++) {
        follow_unit(gates, hidden, panel->units[i], panel->reverse, values);
        for (size_t k = 0; k < EXPLAIN_VALUES; k++)
            for (size_t row = 0; row < MODEL_SIDE; row++)
                panel->values[k][i][row] = values[k][row];
    }
}

bool explain_image(explanation *e, model *network, const uint8_t *pixels,
                   const double *answer, char *why, size_t size)
{
    const lstm_layer_config *config = lstm_layer_get_config(network->lstm);
    size_t directions = config->bidirectional ? 2 : 1;
    size_t values = MODEL_SIDE * EXPLAIN_GATES * config->hidden;
    e->pixels = pixels;
    e->classes = network->classes;
    e->hidden = config->hidden;
    e->bidirectional = config->bidirectional;
    e->projected = config->proj_size > 0;
    e->panel_count = panels_of(network);
    e->probabilities = calloc(MODEL_SIDE * e->classes, sizeof(*e->probabilities));
    e->panels = calloc(e->panel_count, sizeof(*e->panels));
    float *gates = calloc(e->panel_count, values * sizeof(*gates));
    bool done = e->probabilities && e->panels && gates;
    if (!done)
        snprintf(why, size, "no memory for the gates");
    done = done && model_predict_rows(network, pixels, e->probabilities, why, size) &&
           model_gates(network, pixels, gates, why, size);
    /* Products of another shape may round in another way. */
    for (size_t i = 0; done && i < e->classes; i++)
        e->probabilities[(MODEL_SIDE - 1) * e->classes + i] = answer[i];
    for (size_t i = 0; done && i < e->panel_count; i++) {
        e->panels[i].layer = i / directions;
        e->panels[i].reverse = i % directions;
        fill_panel(&e->panels[i], gates + i * values, config->hidden);
    }
    free(gates);
    return done;
}

void explain_destroy(explanation *e)
{
    free(e->probabilities);
    free(e->panels);
    *e = (explanation){0};
}

size_t explain_best(const explanation *e, size_t row)
{
    const double *p = e->probabilities + row * e->classes;
    size_t best = 0;
    for (size_t i = 1; i < e->classes; i++)
        if (p[i] > p[best])
            best = i;
    return best;
}
