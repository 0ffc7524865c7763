/*
 * Messages about a missing tensor: the reason, or the names in the file.
 */
#include <stdio.h>
#include <string.h>

#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Appends to a text [LSTM_NAMES_TEXT]. Returns false, and appends nothing, if the
 * number of names that follows would no longer fit. */
static bool append(char *text, const char *separator, const char *name)
{
    enum { LAST = 32 };
    size_t length = strlen(text);
    if (length + strlen(separator) + strlen(name) + LAST > LSTM_NAMES_TEXT)
        return false;
    snprintf(text + length, LSTM_NAMES_TEXT - length, "%s%s", separator, name);
    return true;
}

const char *lstm_names_text(char *text, const lstm_file *file, const char *like)
{
    enum { MOST = 5 };
    size_t named = 0;
    snprintf(text, LSTM_NAMES_TEXT, "%zu tensor%s", file->count,
             file->count == 1 ? "" : "s");
    /* Names with the same end come first, then the first names of the file. */
    for (int alike = 1; alike >= 0; alike--)
        for (size_t i = 0; i < file->count && named < MOST; i++) {
            const char *name = file->tensors[i].name;
            if (ends_with(name, like) == alike)
                named += append(text, named ? ", " : ": ", name);
        }
    if (named < file->count) {
        size_t length = strlen(text);
        snprintf(text + length, LSTM_NAMES_TEXT - length, "%s%zu more",
                 named ? " and " : ": ", file->count - named);
    }
    return text;
}

/* Describes the other form in which a parameter is stored; NULL without one. */
static const char *stored_as(const lstm_file *file, const char *prefix,
                             const char *name)
{
    static const struct {
        const char *begin, *end, *what;
    } forms[] = {
        {"", "_g",
         "stored with weight normalisation: call torch.nn.utils.remove_weight_norm() "
         "before saving"},
        {"parametrizations.", ".original0",
         "stored with weight normalisation: call "
         "torch.nn.utils.parametrize.remove_parametrizations() before saving"},
        {"parametrizations.", ".original",
         "stored with a parametrisation: call "
         "torch.nn.utils.parametrize.remove_parametrizations() before saving"},
        {"", "_orig",
         "stored with spectral normalisation or pruning: remove it before "
         "saving"},
        {"", ".qweight", "quantised, which is not supported"},
        {"", "_scale", "quantised, which is not supported"},
        {"", "_quantized", "quantised, which is not supported"},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char stored[128];
        snprintf(stored, sizeof(stored), "%s%s%s", forms[i].begin, name, forms[i].end);
        if (lstm_file_find_in(file, prefix, stored))
            return forms[i].what;
    }
    return NULL;
}

/* The tensor that a missing one is tied to: safetensors.torch.save_model() saves shared
 * values once and names the other tensors in the metadata. NULL without such a tensor.
 */
static const char *tied_to(const lstm_file *file, const char *prefix, const char *name)
{
    char full[256];
    snprintf(full, sizeof(full), "%s%s%s", prefix, *prefix ? "." : "", name);
    const char *other = lstm_file_text(file, full, "");
    return other && lstm_file_find(file, other) ? other : NULL;
}

bool lstm_file_explains(const lstm_file *file, const char *prefix, const char *name)
{
    return stored_as(file, prefix, name) || tied_to(file, prefix, name);
}

lstm_status lstm_fail_missing(const lstm_file *file, const char *object,
                              const char *prefix, const char *name)
{
    char names[LSTM_NAMES_TEXT];
    const char *dot = *prefix ? "." : "";
    const char *form = stored_as(file, prefix, name);
    const char *other = tied_to(file, prefix, name);
    if (form)
        return lstm_fail(LSTM_BAD_FILE, "%s: %s: tensor %s%s%s is %s", object,
                         file->path, prefix, dot, name, form);
    if (other)
        return lstm_fail(LSTM_BAD_FILE,
                         "%s: %s: tensor %s%s%s is missing: it is tied to %s; save it "
                         "as a separate tensor",
                         object, file->path, prefix, dot, name, other);
    const char *last = strrchr(name, '.');
    return lstm_fail(LSTM_BAD_FILE, "%s: %s: tensor %s%s%s is missing; the file has %s",
                     object, file->path, prefix, dot, name,
                     lstm_names_text(names, file, last ? last + 1 : name));
}
