/*
 * The state of a training in the metadata of a file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/metadata.h"

static lstm_status fail_metadata(const lstm_file *file, const char *first,
                                 const char *second)
{
    return lstm_fail(LSTM_BAD_FILE, "params: %s: metadata %s%s is missing or damaged",
                     file->path, first, second);
}

lstm_status lstm_object_version(const lstm_object *object, const lstm_file *file,
                                const char *first, const char *second)
{
    const char *version = LSTM_OBJECT_VERSION;
    if (!lstm_object_string(object, "version", &version) &&
        lstm_object_has(object, "version"))
        version = "that is not a string";
    size_t major = strcspn(LSTM_OBJECT_VERSION, ".");
    if (strncmp(version, LSTM_OBJECT_VERSION, major + 1) == 0)
        return LSTM_OK;
    return lstm_fail(
        LSTM_BAD_FILE, "params: %s: metadata %s%s has version %s, expected %.*s.x",
        file->path, first, second, version, (int)major, LSTM_OBJECT_VERSION);
}

/* Reads a number of steps, small enough to count further steps. */
static bool read_steps(const lstm_object *object, uint64_t *steps)
{
    size_t value;
    if (!lstm_object_size(object, "steps", &value) || (uint64_t)value > INT64_MAX)
        return false;
    *steps = value;
    return true;
}

static bool read_rate(const lstm_object *object, const char *key, double *rate)
{
    return lstm_object_double(object, key, rate) && *rate >= 0 && isfinite(*rate);
}

static lstm_status read_adam(const lstm_file *file, lstm_progress *progress)
{
    lstm_object object;
    const char *text = lstm_file_text(file, LSTM_ADAM_KEY, "");
    lstm_status status = text ? lstm_object_read(&object, text) : LSTM_BAD_FILE;
    if (status)
        return status == LSTM_BAD_FILE ? fail_metadata(file, LSTM_ADAM_KEY, "")
                                       : status;
    status = lstm_object_version(&object, file, LSTM_ADAM_KEY, "");
    bool good = read_steps(&object, &progress->steps) &&
                read_rate(&object, "lr", &progress->lr);
    lstm_object_destroy(&object);
    if (!status && !good)
        status = fail_metadata(file, LSTM_ADAM_KEY, "");
    return status;
}

/* Reads the members of a parameter; keeps slot->steps if there is no member "steps". */
static bool read_slot_members(const lstm_object *object, lstm_slot_progress *slot)
{
    lstm_adam_rates *rates = &slot->rates;
    bool counted = lstm_object_has(object, "steps");
    rates->is_set = lstm_object_has(object, "lr_factor");
    if (rates->is_set != lstm_object_has(object, "weight_decay") ||
        !(counted || rates->is_set))
        return false;
    if (counted && !read_steps(object, &slot->steps))
        return false;
    return !rates->is_set || (read_rate(object, "lr_factor", &rates->lr_factor) &&
                              read_rate(object, "weight_decay", &rates->weight_decay));
}

/* Reads steps and rates of the parameter of this name, if the file has them. */
static lstm_status read_slot(const lstm_file *file, const char *name,
                             lstm_slot_progress *slot)
{
    lstm_object object;
    const char *text = lstm_file_text(file, LSTM_SLOT_KEY, name);
    if (!text)
        return LSTM_OK;
    lstm_status status = lstm_object_read(&object, text);
    if (status)
        return status == LSTM_BAD_FILE ? fail_metadata(file, LSTM_SLOT_KEY, name)
                                       : status;
    bool good = read_slot_members(&object, slot);
    lstm_object_destroy(&object);
    return good ? LSTM_OK : fail_metadata(file, LSTM_SLOT_KEY, name);
}

static lstm_status read_slots(const lstm_file *file, const lstm_records *records,
                              size_t parameters, lstm_progress *progress)
{
    progress->slots = common_alloc(parameters, sizeof(*progress->slots));
    if (!progress->slots)
        return lstm_fail_memory("params");
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < parameters; i++) {
        progress->slots[i].steps = progress->steps;
        status = read_slot(file, records->items[i].name, &progress->slots[i]);
    }
    return status;
}

/* Value of a hexadecimal digit; -1 for other characters but the end of a text. */
static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = strchr(digits, c);
    return found ? (int)(found - digits) : -1;
}

static lstm_status read_rng(const lstm_file *file, lstm_progress *progress)
{
    const char *text = lstm_file_text(file, LSTM_RNG_KEY, "");
    if (!text || strlen(text) != 2 * LSTM_RNG_STATE_SIZE)
        return fail_metadata(file, LSTM_RNG_KEY, "");
    for (size_t i = 0; i < LSTM_RNG_STATE_SIZE; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail_metadata(file, LSTM_RNG_KEY, "");
        progress->rng[i] = (uint8_t)(high << 4 | low);
    }
    return LSTM_OK;
}

lstm_status lstm_progress_read(const lstm_file *file, const lstm_file_options *options,
                               const lstm_records *records, size_t parameters,
                               lstm_progress *progress)
{
    lstm_status status = options->adam ? read_adam(file, progress) : LSTM_OK;
    if (!status && options->adam)
        status = read_slots(file, records, parameters, progress);
    if (!status && options->rng)
        status = read_rng(file, progress);
    return status;
}
