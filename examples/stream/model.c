#include "examples/stream/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void check(lstm_status status)
{
    if (status == LSTM_OK)
        return;
    fprintf(stderr, "stream: %s\n", lstm_last_error());
    exit(EXIT_FAILURE);
}

/* Describes a tensor of a file; false if the file does not have it. */
static bool find_tensor(const lstm_file *file, const char *name, lstm_tensor_info *info)
{
    for (size_t i = 0; i < lstm_file_tensor_count(file); i++) {
        check(lstm_file_tensor_info(file, i, info));
        if (strcmp(info->name, name) == 0)
            return true;
    }
    return false;
}

/* Reads states [L, size] as [L, 1, size]; NULL if the file does not have them. */
static lstm_tensor *read_states(lstm_file *file, const char *name, size_t layers,
                                size_t size)
{
    lstm_tensor *rows, *states, *view;
    lstm_tensor_info info;
    if (!find_tensor(file, name, &info))
        return NULL;
    check(lstm_tensor_create(&rows, 2, (size_t[]){layers, size}));
    check(lstm_file_read_tensor(file, name, rows));
    check(lstm_tensor_create(&states, 3, (size_t[]){layers, 1, size}));
    check(lstm_tensor_reshape(&view, states, 2, (size_t[]){layers, size}));
    check(lstm_tensor_copy(view, rows));
    lstm_tensor_destroy(&view);
    lstm_tensor_destroy(&rows);
    return states;
}

static void set_initial_states(model *m, lstm_file *file)
{
    const lstm_layer_config *config = lstm_layer_get_config(m->layer);
    size_t size = config->proj_size ? config->proj_size : config->hidden;
    lstm_tensor *h = read_states(file, "lstm.h0", config->layers, size);
    lstm_tensor *c = read_states(file, "lstm.c0", config->layers, config->hidden);
    check(lstm_stream_set_state(m->stream, h, c));
    lstm_tensor_destroy(&h);
    lstm_tensor_destroy(&c);
}

static void read_embedding(model *m, lstm_file *file)
{
    lstm_tensor_info info;
    if (!find_tensor(file, "embedding.weight", &info))
        return;
    check(lstm_tensor_create(&m->table, info.rank, info.shape));
    check(lstm_file_read_tensor(file, info.name, m->table));
    size_t inputs = lstm_layer_get_config(m->layer)->inputs;
    if (info.rank == 2 && info.shape[1] == inputs)
        return;
    fprintf(stderr, "stream: embedding.weight does not have %zu columns\n", inputs);
    exit(EXIT_FAILURE);
}

static void allocate(model *m)
{
    size_t inputs = lstm_layer_get_config(m->layer)->inputs;
    m->inputs = m->table ? 1 : inputs;
    m->outputs = m->head ? lstm_linear_get_config(m->head)->outputs
                         : lstm_layer_output_size(m->layer);
    check(lstm_tensor_create(&m->x, 2, (size_t[]){1, inputs}));
    check(lstm_tensor_create(&m->y, 2, (size_t[]){1, m->outputs}));
    m->values = calloc(m->outputs, sizeof(*m->values));
    if (m->values)
        return;
    fprintf(stderr, "stream: out of memory\n");
    exit(EXIT_FAILURE);
}

void load_model(model *m, const char *path)
{
    lstm_file *file;
    lstm_tensor_info info;
    check(lstm_file_open(&file, path));
    check(lstm_layer_read(&m->layer, file, "lstm", NULL));
    if (find_tensor(file, "fc.weight", &info))
        check(lstm_linear_read(&m->head, file, "fc"));
    read_embedding(m, file);
    allocate(m);
    size_t inputs = lstm_tensor_extent(m->x, 1);
    read_keys(&m->keys, path, file, inputs < m->outputs ? inputs : m->outputs);
    check(lstm_layer_set_training(m->layer, false));
    check(lstm_stream_create(&m->stream, m->layer, m->head, 1));
    set_initial_states(m, file);
    lstm_file_destroy(&file);
}

void destroy_model(model *m)
{
    lstm_tensor_destroy(&m->x);
    lstm_tensor_destroy(&m->y);
    lstm_tensor_destroy(&m->table);
    lstm_stream_destroy(&m->stream);
    lstm_linear_destroy(&m->head);
    lstm_layer_destroy(&m->layer);
    free(m->values);
}

static bool set_index(model *m, double value)
{
    size_t count = lstm_tensor_extent(m->table, 0),
           size = lstm_tensor_extent(m->table, 1);
    if (!(value >= 0 && value < (double)count) || value != floor(value))
        return false;
    const float *row = lstm_tensor_data(m->table) + (size_t)value * size;
    for (size_t i = 0; i < size; i++)
        lstm_tensor_data(m->x)[i] = scale_input(&m->keys, (double)row[i]);
    return true;
}

bool set_input(model *m, size_t i, double value)
{
    if (m->table)
        return set_index(m, value);
    lstm_tensor_data(m->x)[i] = scale_input(&m->keys, value);
    return true;
}

void step_model(model *m)
{
    check(lstm_stream_step(m->stream, m->x, m->y));
    check(finish_output(&m->keys, m->x, m->y, m->values));
}
