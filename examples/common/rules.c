#include <stdio.h>
#include <string.h>

#include "examples/common/rules.h"

const char *const rules_forward_outputs[] = {"steps", "last", "states", NULL};
const char *const rules_probabilities[] = {"softmax", "log_softmax", NULL};

static const char begin[] = "model.";
enum { BEGIN = sizeof(begin) - 1 };

bool rules_is_key(const char *key)
{
    return strncmp(key, begin, BEGIN) == 0 || strcmp(key, "scale") == 0;
}

/* Whether docs/file-format.md has the key. */
static bool is_known(const char *key)
{
    static const char *const known[] = {"in_gain",     "activation", "skip",
                                        "differences", "out_gain",   "samplerate",
                                        "reverse",     "read",       "output"};
    bool found = strcmp(key, "scale") == 0;
    for (size_t i = 0; !found && i < sizeof(known) / sizeof(known[0]); i++)
        found = strcmp(key + BEGIN, known[i]) == 0;
    return found;
}

/* Writes "a, b or c". */
static void list_values(const char *const *values, char *text, size_t size)
{
    size_t length = 0;
    *text = '\0';
    for (size_t i = 0; values[i] && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s",
                                   i == 0          ? ""
                                   : values[i + 1] ? ", "
                                                   : " or ",
                                   values[i]);
}

static bool has_value(const char *const *values, const char *value)
{
    for (; *values; values++)
        if (strcmp(*values, value) == 0)
            return true;
    return false;
}

/* Checks a key whose rule has no key if the program does not obey it. */
static bool check_key(const lstm_file *file, const char *path, const char *key,
                      const rule *obeyed, char *why, size_t size)
{
    char expected[200] = "none: this program does not apply it";
    const char *value = lstm_file_metadata(file, key);
    if (!is_known(key)) {
        snprintf(why, size,
                 "%s: metadata has the unknown key '%.200s', expected only keys of "
                 "docs/file-format.md after 'model.'",
                 path, key);
        return false;
    }
    if (obeyed->key && (!obeyed->values || has_value(obeyed->values, value)))
        return true;
    if (obeyed->key)
        list_values(obeyed->values, expected, sizeof(expected));
    snprintf(why, size, "%s: metadata %s is '%.200s', expected %s", path, key, value,
             expected);
    return false;
}

bool rules_check_keys(const lstm_file *file, const char *path, const rule *rules,
                      char *why, size_t size)
{
    const char *key;
    for (size_t i = 0; (key = lstm_file_metadata_key(file, i)); i++) {
        const rule *obeyed = rules;
        while (obeyed->key && strcmp(obeyed->key, key) != 0)
            obeyed++;
        if (rules_is_key(key) && !check_key(file, path, key, obeyed, why, size))
            return false;
    }
    return true;
}

/* Whether a tensor is the first h or c of the LSTM under a prefix. */
static bool is_first_state(const char *name, const char *prefix)
{
    size_t length = strlen(prefix);
    if (length && (strncmp(name, prefix, length) != 0 || name[length++] != '.'))
        return false;
    return strcmp(name + length, "h0") == 0 || strcmp(name + length, "c0") == 0;
}

bool rules_check_tensors(const lstm_file *file, const char *path, const char *prefix,
                         bool embedding, char *why, size_t size)
{
    lstm_tensor_info info;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++) {
        if (is_first_state(info.name, prefix))
            snprintf(why, size,
                     "%s: has first states, %.200s, expected none: this program begins "
                     "with zeros",
                     path, info.name);
        else if (!embedding && strcmp(info.name, "embedding.weight") == 0)
            snprintf(why, size,
                     "%s: has an embedding, embedding.weight, expected the LSTM and "
                     "the linear layer alone",
                     path);
        else
            continue;
        return false;
    }
    return true;
}

bool rules_is_scale(const lstm_file *file, const char *name, lstm_tensor_info *of)
{
    static const char end[] = "_scale";
    size_t length = strlen(name);
    if (length < sizeof(end) || strcmp(name + length - (sizeof(end) - 1), end) != 0)
        return false;
    length -= sizeof(end) - 1;
    for (size_t i = 0; lstm_file_tensor_info(file, i, of) == LSTM_OK; i++)
        if (strncmp(of->name, name, length) == 0 && !of->name[length])
            return strcmp(of->dtype, "I8") == 0;
    return false;
}

static bool is_parameter(const lstm_params *params, const char *name)
{
    for (size_t i = 0; i < lstm_params_size(params); i++)
        if (strcmp(lstm_params_name(params, i), name) == 0)
            return true;
    return false;
}

bool rules_check_surplus(const lstm_file *file, const char *path,
                         const lstm_params *params, const char *const *others,
                         char *why, size_t size)
{
    lstm_tensor_info info, of;
    for (size_t i = 0; lstm_file_tensor_info(file, i, &info) == LSTM_OK; i++) {
        const char *name = info.name;
        if (is_parameter(params, name) || strncmp(name, "__adam__.", 9) == 0 ||
            (others && has_value(others, name)) ||
            (rules_is_scale(file, name, &of) && is_parameter(params, of.name)))
            continue;
        snprintf(why, size,
                 "%s: has the tensor %.200s, which is not of the network, expected its "
                 "parameters alone",
                 path, name);
        return false;
    }
    return true;
}

bool rules_contain(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (; *list; list += strcspn(list, " ")) {
        list += strspn(list, " ");
        if (strcspn(list, " ") == length && strncmp(list, word, length) == 0)
            return length > 0;
    }
    return false;
}
