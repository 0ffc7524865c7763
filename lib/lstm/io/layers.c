/*
 * Layers in a file, found by the names and shapes of their tensors.
 *
 * The shape of weight_hh_l0 determines the kind of a layer: [4H, H], or [4H, P] with
 * weight_hr_l0 [P, H], is an LSTM; [3H, H] is a GRU; [H, H] is a plain RNN.
 */
#include <stdio.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/layers.h"
#include "lib/lstm/io/records.h"

static const lstm_stored *find_matrix(const lstm_file *file, const char *prefix,
                                      const char *name)
{
    const lstm_stored *stored = lstm_file_find_in(file, prefix, name);
    return stored && stored->rank == 2 ? stored : NULL;
}

const lstm_stored *lstm_file_weight(const lstm_file *file, const char *prefix,
                                    const char *name, size_t layer)
{
    char numbered[64];
    snprintf(numbered, sizeof(numbered), "%s_l%zu", name, layer);
    return find_matrix(file, prefix, numbered);
}

/* Identifies a layer by the shapes of its matrices. */
static lstm_kind kind_of(const lstm_stored *input, const lstm_stored *recurrent,
                         const lstm_stored *projection)
{
    if (!input || !recurrent || input->shape[0] != recurrent->shape[0])
        return LSTM_KIND_NONE;
    size_t rows = recurrent->shape[0], columns = recurrent->shape[1];
    if (rows == 0 || columns == 0 || input->shape[1] == 0)
        return LSTM_KIND_NONE;
    bool projected = projection && projection->shape[0] == columns &&
                     projection->shape[1] == rows / 4;
    if (rows % 4 == 0 && (columns == rows / 4 || projected))
        return LSTM_KIND_LSTM;
    if (rows % 3 == 0 && columns == rows / 3)
        return LSTM_KIND_GRU;
    return columns == rows ? LSTM_KIND_RNN : LSTM_KIND_NONE;
}

lstm_kind lstm_file_kind(const lstm_file *file, const char *prefix)
{
    const lstm_stored *input = find_matrix(file, prefix, "weight_ih_l0");
    if (input)
        return kind_of(input, find_matrix(file, prefix, "weight_hh_l0"),
                       find_matrix(file, prefix, "weight_hr_l0"));
    lstm_kind kind = kind_of(find_matrix(file, prefix, "weight_ih"),
                             find_matrix(file, prefix, "weight_hh"), NULL);
    return kind == LSTM_KIND_LSTM ? LSTM_KIND_CELL : kind;
}

/* Length of the prefix of a name that ends in weight_ih_l0 or weight_ih, without its
 * dot; SIZE_MAX for other names, and for a name that begins with the dot, which no
 * prefix has. */
static size_t prefix_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;
    if (strcmp(last, "weight_ih_l0") != 0 && strcmp(last, "weight_ih") != 0)
        return SIZE_MAX;
    if (dot == name || strncmp(name, LSTM_ADAM_NAME, strlen(LSTM_ADAM_NAME)) == 0)
        return SIZE_MAX;
    return dot ? (size_t)(dot - name) : 0;
}

/* Whether this name lists the layer. A layer with weight_ih_l0 and weight_ih is listed
 * once, by weight_ih_l0. */
static bool is_listed_by(const lstm_file *file, const char *prefix, const char *name)
{
    bool cell = strcmp(name + strlen(name) - 3, "_ih") == 0;
    return !cell || !lstm_file_find_in(file, prefix, "weight_ih_l0");
}

/* Appends a prefix, whose memory then belongs to the file. */
static bool append(lstm_file *file, size_t *room, char *prefix)
{
    enum { FIRST = 4 };
    if (file->layers == *room) {
        size_t larger = *room ? 2 * *room : FIRST;
        char **prefixes = common_alloc(larger, sizeof(*prefixes));
        if (!prefixes)
            return false;
        if (file->prefixes)
            memcpy(prefixes, file->prefixes, file->layers * sizeof(*prefixes));
        common_free(file->prefixes);
        file->prefixes = prefixes;
        *room = larger;
    }
    file->prefixes[file->layers++] = prefix;
    return true;
}

lstm_status lstm_file_find_layers(lstm_file *file)
{
    size_t room = 0;
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        size_t length = prefix_length(name);
        if (length == SIZE_MAX)
            continue;
        char *prefix = common_alloc_bytes(length + 1);
        if (!prefix)
            return lstm_fail_memory("file");
        memcpy(prefix, name, length);
        lstm_kind kind = lstm_file_kind(file, prefix);
        bool found = (kind == LSTM_KIND_LSTM || kind == LSTM_KIND_CELL) &&
                     is_listed_by(file, prefix, name);
        bool kept = found && append(file, &room, prefix);
        if (!kept)
            common_free(prefix);
        if (found && !kept)
            return lstm_fail_memory("file");
    }
    return LSTM_OK;
}

/* Writes "'a', 'b' and 3 more" to text [LSTM_NAMES_TEXT]. */
static const char *prefixes_text(char *text, const lstm_file *file)
{
    enum { LAST = 32 };
    size_t length = 0, i = 0;
    text[0] = '\0';
    for (; i < file->layers; i++) {
        const char *prefix = file->prefixes[i];
        if (length + strlen(prefix) + LAST > LSTM_NAMES_TEXT)
            break;
        length += (size_t)snprintf(text + length, LSTM_NAMES_TEXT - length, "%s'%s'",
                                   i > 0 ? ", " : "", prefix);
    }
    if (i < file->layers)
        snprintf(text + length, LSTM_NAMES_TEXT - length, "%s%zu more",
                 i > 0 ? " and " : "", file->layers - i);
    return text;
}

/* Copies the prefix of a name that has this end; returns false for other names. */
static bool cut_end(const char *name, const char *end, char *prefix, size_t size)
{
    size_t length = strlen(name), tail = strlen(end);
    if (length < tail || strcmp(name + length - tail, end) != 0)
        return false;
    length -= tail;
    if (length > 0 && name[length - 1] != '.')
        return false;
    snprintf(prefix, size, "%.*s", (int)(length > 0 ? length - 1 : 0), name);
    return true;
}

/* The kind of layer if this tensor is a weight in another form; NULL for others. */
static const char *transformed_layer(const char *name, char *prefix, size_t size)
{
    static const char *const ends[] = {"parametrizations.weight_ih_l0.original0",
                                       "parametrizations.weight_hh_l0.original0",
                                       "weight_ih_l0_g", "weight_hh_l0_g"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (cut_end(name, ends[i], prefix, size))
            return "an LSTM stored with weight normalisation";
    if (cut_end(name, "_all_weight_values.0.param", prefix, size))
        return "a quantised LSTM";
    return NULL;
}

/* The kind of layer of a tensor if it is not an LSTM; NULL for others. */
static const char *other_layer(const lstm_file *file, const char *name, char *prefix,
                               size_t size)
{
    const char *transformed = transformed_layer(name, prefix, size);
    size_t length = prefix_length(name);
    if (transformed || length >= size)
        return transformed;
    memcpy(prefix, name, length);
    prefix[length] = '\0';
    lstm_kind kind = lstm_file_kind(file, prefix);
    return kind == LSTM_KIND_GRU ? "a GRU" : kind == LSTM_KIND_RNN ? "an RNN" : NULL;
}

static lstm_status fail_none(const lstm_file *file)
{
    char names[LSTM_NAMES_TEXT], prefix[128];
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        const char *other = other_layer(file, name, prefix, sizeof(prefix));
        if (other)
            return lstm_fail(LSTM_BAD_FILE,
                             "layer: %s: no LSTM in the file, but %s under '%s'",
                             file->path, other, prefix);
    }
    return lstm_fail(LSTM_BAD_FILE, "layer: %s: no LSTM in the file; it has %s",
                     file->path, lstm_names_text(names, file, "weight_ih_l0"));
}

lstm_status lstm_file_choose(const lstm_file *file, const char **prefix)
{
    char text[LSTM_NAMES_TEXT];
    if (*prefix)
        return LSTM_OK;
    if (file->layers == 0)
        return fail_none(file);
    if (file->layers > 1)
        return lstm_fail(
            LSTM_BAD_FILE,
            "layer: %s: %zu LSTMs in the file, expected the prefix of one: %s",
            file->path, file->layers, prefixes_text(text, file));
    *prefix = file->prefixes[0];
    return LSTM_OK;
}

lstm_status lstm_fail_no_layer(const lstm_file *file, const char *prefix)
{
    char text[LSTM_NAMES_TEXT];
    lstm_kind kind = lstm_file_kind(file, prefix);
    const lstm_stored *input = lstm_file_find_in(file, prefix, "weight_ih_l0");
    if (kind == LSTM_KIND_GRU || kind == LSTM_KIND_RNN)
        return lstm_fail(LSTM_BAD_FILE, "layer: %s: '%s' is %s, expected an LSTM",
                         file->path, prefix,
                         kind == LSTM_KIND_GRU ? "a GRU" : "an RNN");
    if (file->layers > 0 && !input && !lstm_file_explains(file, prefix, "weight_ih_l0"))
        return lstm_fail(LSTM_BAD_FILE,
                         "layer: %s: no LSTM under '%s'; the file has %s: %s",
                         file->path, prefix, file->layers == 1 ? "one" : "some",
                         prefixes_text(text, file));
    if (!input)
        return lstm_fail_missing(file, "layer", prefix, "weight_ih_l0");
    if (!lstm_file_find_in(file, prefix, "weight_hh_l0"))
        return lstm_fail_missing(file, "layer", prefix, "weight_hh_l0");
    return lstm_fail(LSTM_BAD_FILE,
                     "layer: %s: weight_ih_l0 and weight_hh_l0 of '%s' do not have the "
                     "shapes of an LSTM, [4H, I] and [4H, H]",
                     file->path, prefix);
}
