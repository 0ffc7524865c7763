/*
 * Tensors that have names of an LSTM and are not part of it.
 *
 * The options of a layer follow from the names in a file. If a layer in the middle or a
 * half of the reverse direction is missing, the rest looks like a smaller network,
 * which would compute something else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/io/layers.h"

/* An LSTM in a file. */
typedef struct network {
    const lstm_file *file;
    const char *prefix;
    const lstm_layer_config *config;
    /** An LSTMCell, whose names have no "_l0". */
    bool cell;
} network;

/* Length of "_l0" or "_l0_reverse" at the beginning of a text, if it is that of a layer
 * of the network; else 0. */
static size_t suffix_length(const network *n, const char *text)
{
    enum { MOST_DIGITS = 9 };
    static const char reverse[] = "_reverse";
    if (strncmp(text, "_l", 2) != 0)
        return 0;
    size_t digits = strspn(text + 2, "0123456789"), length = 2 + digits;
    if (digits == 0 || digits > MOST_DIGITS || (digits > 1 && text[2] == '0') ||
        strtoul(text + 2, NULL, 10) >= n->config->layers)
        return 0;
    bool backward = n->config->bidirectional &&
                    strncmp(text + length, reverse, strlen(reverse)) == 0;
    return length + (backward ? strlen(reverse) : 0);
}

/* Length of the parameter of the network with which a name begins, which has this stem;
 * 0 without one. */
static size_t parameter_length(const network *n, const char *stem, const char *name)
{
    size_t length = strlen(stem);
    if ((strcmp(stem, "weight_hr") == 0 && n->config->proj_size == 0) ||
        (strncmp(stem, "bias", 4) == 0 && n->config->no_bias))
        return 0;
    size_t suffix = n->cell ? 0 : suffix_length(n, name + length);
    return n->cell || suffix ? length + suffix : 0;
}

/* Whether the network uses a tensor with this name after the prefix, or lacks the
 * parameter that is stored in this form, so that loading explains the form. The scales
 * of int8 values are in use. */
static bool is_known(const network *n, const char *form, const char *stem,
                     const char *name)
{
    char parameter[64];
    size_t length = parameter_length(n, stem, name);
    if (length == 0)
        return false;
    if (!*form && name[length] == '\0')
        return true;
    snprintf(parameter, sizeof(parameter), "%.*s", (int)length, name);
    const lstm_stored *stored = lstm_file_find_in(n->file, n->prefix, parameter);
    return !stored || (!*form && strcmp(stored->dtype, "I8") == 0 &&
                       strcmp(name + length, LSTM_SCALE_NAME) == 0);
}

static lstm_status fail(const network *n, const char *name)
{
    char projection[48] = "no projection";
    const lstm_layer_config *c = n->config;
    if (c->proj_size)
        snprintf(projection, sizeof(projection), "a projection to %zu", c->proj_size);
    return lstm_fail(
        LSTM_BAD_FILE,
        "layer: %s: unexpected tensor %s: by the metadata or the other tensors, the "
        "LSTM '%s' has %zu layer%s, %s, %s and %s",
        n->file->path, name, n->prefix, c->layers, c->layers == 1 ? "" : "s",
        c->bidirectional ? "two directions" : "one direction",
        c->no_bias ? "no bias" : "biases", projection);
}

/* Checks the names that begin with the prefix, the beginning of a form of storage and a
 * stem. */
static lstm_status check_stem(const network *n, const char *form, const char *stem)
{
    char start[64];
    snprintf(start, sizeof(start), "%s%s", form, stem);
    size_t count, first = lstm_file_range(n->file, n->prefix, start, &count);
    size_t before = strlen(n->prefix) + (*n->prefix ? 1 : 0) + strlen(form);
    for (size_t i = first; i < first + count; i++) {
        const char *name = n->file->sorted[i]->name;
        const char *rest = name + before + strlen(stem);
        bool alike = *rest == '\0' || *rest == '_' || *rest == '.';
        if (alike && !is_known(n, form, stem, name + before))
            return fail(n, name);
    }
    return LSTM_OK;
}

lstm_status lstm_file_check_surplus(const lstm_file *file, const char *prefix,
                                    const lstm_layer_config *config)
{
    static const char *const forms[] = {"", "parametrizations."};
    static const char *const stems[] = {"bias_hh", "bias_ih", "weight_hh", "weight_hr",
                                        "weight_ih"};
    enum {
        FORMS = sizeof(forms) / sizeof(*forms),
        STEMS = sizeof(stems) / sizeof(*stems)
    };
    const network n = {file, prefix, config,
                       lstm_file_kind(file, prefix) == LSTM_KIND_CELL};
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < (size_t)FORMS * STEMS; i++)
        status = check_stem(&n, forms[i / STEMS], stems[i % STEMS]);
    return status;
}
