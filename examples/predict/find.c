#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/rules.h"
#include "examples/predict/find.h"

enum { LIST = 1200, SHOWN = 12 };

__attribute__((format(printf, 2, 3))) static bool refuse(const finder *in,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = snprintf(in->why, in->why_size, "%s: ", in->path);
    if (length >= 0 && (size_t)length < in->why_size)
        vsnprintf(in->why + length, in->why_size - (size_t)length, format, arguments);
    va_end(arguments);
    return false;
}

/* Appends "NAME [2, 3]" to a list. */
static void append(char *text, size_t size, const lstm_tensor_info *info)
{
    size_t length = strlen(text);
    length += (size_t)snprintf(text + length, size - length, "%s%.80s [",
                               length ? ", " : "", info->name);
    for (size_t i = 0; i < info->rank && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%zu", i ? ", " : "",
                                   info->shape[i]);
    if (length < size)
        snprintf(text + length, size - length, "]");
}

/* Whether a tensor has the name "PREFIX.NAME"; *name follows the prefix. */
static bool is_under(const char *whole, const char *prefix, const char **name)
{
    size_t length = strlen(prefix);
    *name = length ? whole + length + 1 : whole;
    return length == 0 || (strncmp(whole, prefix, length) == 0 && whole[length] == '.');
}

/* Whether a name is one of a layer with this prefix. */
static bool is_of_layer(const char *whole, const char *prefix)
{
    const char *name;
    return prefix && is_under(whole, prefix, &name) &&
           (strncmp(name, "weight_", 7) == 0 || strncmp(name, "bias_", 5) == 0);
}

static bool is_of_linear(const char *whole, const char *prefix)
{
    const char *name;
    return prefix && is_under(whole, prefix, &name) &&
           (strcmp(name, "weight") == 0 || strcmp(name, "bias") == 0);
}

/* Moments of an optimiser, in a checkpoint. */
static bool is_of_optimiser(const char *whole)
{
    return strncmp(whole, "__adam__.", 9) == 0;
}

/* Whether a tensor is of one of these, or has the scales of one that is. */
static bool is_used(const finder *in, const char *name, const char *lstm,
                    const char *other, const char *head)
{
    lstm_tensor_info of;
    return is_of_layer(name, lstm) || is_of_layer(name, other) ||
           is_of_linear(name, head) || is_of_optimiser(name) ||
           (rules_is_scale(in->file, name, &of) && is_of_linear(of.name, head));
}

size_t find_rest(const finder *in, const char *lstm, const char *other,
                 const char *head, char *text, size_t size)
{
    size_t count = 0;
    lstm_tensor_info info;
    text[0] = '\0';
    for (size_t i = 0; lstm_file_tensor_info(in->file, i, &info) == LSTM_OK; i++)
        if (!is_used(in, info.name, lstm, other, head) && count++ < SHOWN)
            append(text, size - 32, &info);
    size_t length = strlen(text);
    if (count > SHOWN)
        snprintf(text + length, size - length, " and %zu more", count - SHOWN);
    return count;
}

/* Lists the whole file. */
static const char *content_of(const finder *in, char *text)
{
    return find_rest(in, NULL, NULL, NULL, text, LIST) ? text : "no tensor";
}

/* Writes the prefixes of all LSTMs. */
static void list_layers(const finder *in, char *text, size_t size)
{
    size_t length = 0;
    const char *prefix;
    for (size_t i = 0; (prefix = lstm_file_layer_prefix(in->file, i)) && length < size;
         i++)
        length += (size_t)snprintf(text + length, size - length, "%s'%.80s'",
                                   i ? ", " : "", prefix);
}

bool find_lstm(const finder *in, const char **prefix, size_t inputs)
{
    char list[LIST];
    lstm_layer_config config;
    if (!*prefix && lstm_file_layer_prefix(in->file, 1)) {
        list_layers(in, list, sizeof(list));
        return refuse(in, "has several LSTMs, expected one or --lstm NAME: %s", list);
    }
    if (lstm_file_layer_config(in->file, *prefix, &config) != LSTM_OK) {
        snprintf(in->why, in->why_size, "%s", lstm_last_error());
        return false;
    }
    *prefix = *prefix ? *prefix : lstm_file_layer_prefix(in->file, 0);
    if (config.inputs == inputs)
        return true;
    return refuse(in,
                  "the LSTM '%s' has %zu inputs, expected %zu, a row of an image; the "
                  "file has %s",
                  *prefix, config.inputs, inputs, content_of(in, list));
}

/* Length of the name of a linear layer that has this matrix as its weight; SIZE_MAX for
 * other tensors. */
static size_t linear_length(const lstm_tensor_info *info)
{
    const char *dot = strrchr(info->name, '.');
    if (info->rank != 2 || is_of_optimiser(info->name) ||
        strcmp(dot ? dot + 1 : info->name, "weight") != 0)
        return SIZE_MAX;
    return dot ? (size_t)(dot - info->name) : 0;
}

/* Finds linear layers with this number of inputs, and writes the last one. */
static size_t find_linear(const finder *in, size_t inputs, lstm_tensor_info *found)
{
    size_t count = 0;
    lstm_tensor_info info;
    for (size_t i = 0; lstm_file_tensor_info(in->file, i, &info) == LSTM_OK; i++)
        if (linear_length(&info) != SIZE_MAX && info.shape[1] == inputs) {
            *found = info;
            count++;
        }
    return count;
}

static bool choose_head(const finder *in, const char *lstm, size_t inputs,
                        lstm_tensor_info *head)
{
    char list[LIST];
    lstm_tensor_info next;
    size_t count = find_linear(in, inputs, head);
    if (count != 1)
        return refuse(in,
                      "has %zu linear layers with %zu inputs, the outputs of the LSTM "
                      "'%s', expected one or --head NAME; the file has %s",
                      count, inputs, lstm, content_of(in, list));
    if (head->shape[0] != inputs && find_linear(in, head->shape[0], &next))
        return refuse(in,
                      "%s may be followed by %s, expected one linear layer or --head "
                      "NAME; the file has %s",
                      head->name, next.name, content_of(in, list));
    return true;
}

bool find_head(const finder *in, const char *wanted, const char *lstm, size_t inputs,
               char **name)
{
    lstm_tensor_info head;
    if (wanted) {
        *name = strdup(wanted);
    } else {
        if (!choose_head(in, lstm, inputs, &head))
            return false;
        *name = strndup(head.name, linear_length(&head));
    }
    return *name || refuse(in, "no memory");
}
