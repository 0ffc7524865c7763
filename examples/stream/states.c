#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "examples/common/finite.h"
#include "examples/common/message.h"
#include "examples/stream/states.h"

/* Both states as a file has them, and views of them as a stream has them [L, 1, S]. */
typedef struct states {
    lstm_tensor *h, *c, *h_view, *c_view;
} states;

static bool lstm_failed(void)
{
    return message_error("%s", lstm_last_error());
}

bool states_find(const lstm_file *file, const char *name, lstm_tensor_info *info)
{
    for (size_t i = 0; lstm_file_tensor_info(file, i, info) == LSTM_OK; i++)
        if (strcmp(info->name, name) == 0)
            return true;
    return false;
}

static bool create_state(lstm_tensor **state, lstm_tensor **view, size_t layers,
                         size_t size)
{
    return lstm_tensor_create(state, 2, (size_t[]){layers, size}) == LSTM_OK &&
           lstm_tensor_reshape(view, *state, 3, (size_t[]){layers, 1, size}) == LSTM_OK;
}

static bool create(states *s, const lstm_layer *layer)
{
    const lstm_layer_config *config = lstm_layer_get_config(layer);
    size_t size = config->proj_size ? config->proj_size : config->hidden;
    *s = (states){0};
    return create_state(&s->h, &s->h_view, config->layers, size) &&
           create_state(&s->c, &s->c_view, config->layers, config->hidden);
}

static void destroy(states *s)
{
    lstm_tensor_destroy(&s->h_view);
    lstm_tensor_destroy(&s->c_view);
    lstm_tensor_destroy(&s->h);
    lstm_tensor_destroy(&s->c);
}

/* Whether the states that have a name are finite. */
static bool check_finite(const states *s, const char *path, const char *h_name,
                         const char *c_name)
{
    char why[400];
    lstm_params *params = NULL;
    bool listed =
        (lstm_params_create(&params) == LSTM_OK &&
         (!h_name || lstm_params_add_tensor(params, h_name, s->h, NULL) == LSTM_OK) &&
         (!c_name || lstm_params_add_tensor(params, c_name, s->c, NULL) == LSTM_OK)) ||
        lstm_failed();
    bool finite = listed && (finite_check(params, path, why, sizeof(why)) ||
                             message_error("%s", why));
    lstm_params_destroy(&params);
    return finite;
}

bool states_read(lstm_stream *stream, const lstm_layer *layer, lstm_file *file,
                 const char *path, const char *h_name, const char *c_name)
{
    states s;
    bool read = (create(&s, layer) &&
                 (!h_name || lstm_file_read_tensor(file, h_name, s.h) == LSTM_OK) &&
                 (!c_name || lstm_file_read_tensor(file, c_name, s.c) == LSTM_OK)) ||
                lstm_failed();
    bool set =
        read && check_finite(&s, path, h_name, c_name) &&
        (lstm_stream_set_state(stream, s.h_view, s.c_view) == LSTM_OK || lstm_failed());
    destroy(&s);
    return set;
}

bool states_may_save(const char *path, const char *h_name, const char *c_name)
{
    struct stat facts;
    lstm_file *file;
    lstm_tensor_info info;
    if (stat(path, &facts) != 0)
        return errno == ENOENT || message_error("%s: %s", path, message_errno());
    if (lstm_file_open(&file, path) != LSTM_OK)
        return lstm_failed();
    bool own = lstm_file_tensor_count(file) == 2 && states_find(file, h_name, &info) &&
               states_find(file, c_name, &info);
    lstm_file_destroy(&file);
    return own || message_error("%s: is not a file of states, expected one or none to "
                                "save states to",
                                path);
}

static bool save(const states *s, const char *path, const char *h_name,
                 const char *c_name, const char *fingerprint, const double *before)
{
    char text[40];
    const char *pairs[] = {STATES_MODEL_KEY, fingerprint, "stream.before", text};
    const lstm_file_options options = {.metadata = pairs,
                                       .metadata_count = before ? 2 : 1};
    lstm_params *params = NULL;
    snprintf(text, sizeof(text), "%.17g", before ? *before : 0);
    bool saved = lstm_params_create(&params) == LSTM_OK &&
                 lstm_params_add_tensor(params, h_name, s->h, NULL) == LSTM_OK &&
                 lstm_params_add_tensor(params, c_name, s->c, NULL) == LSTM_OK &&
                 lstm_params_save(params, path, &options) == LSTM_OK;
    if (!saved)
        lstm_failed();
    lstm_params_destroy(&params);
    return saved;
}

bool states_save(const lstm_stream *stream, const lstm_layer *layer, const char *path,
                 const char *h_name, const char *c_name, const char *fingerprint,
                 const double *before)
{
    states s;
    bool got = (create(&s, layer) &&
                lstm_stream_get_state(stream, s.h_view, s.c_view) == LSTM_OK) ||
               lstm_failed();
    bool saved = got && save(&s, path, h_name, c_name, fingerprint, before);
    destroy(&s);
    return saved;
}
