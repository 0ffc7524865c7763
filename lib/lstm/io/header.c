/*
 * Reads the header of a safetensors file and checks that its tensors cover every byte
 * exactly once. Every size is checked before it is used.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/common/memory.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"

/* State while a header is read into growing arrays of the file. */
typedef struct reader {
    lstm_file *file;
    lstm_json json;
    size_t extents;
    /** Room in each array. */
    size_t tensor_room, metadata_room, extent_room;
    bool has_metadata;
} reader;

static lstm_status fail_tensor(const lstm_file *file, const char *name,
                               const char *fact)
{
    return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: tensor %s: %s", file->path, name,
                     fact);
}

static lstm_status fail_json(const reader *r)
{
    return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: header at byte %zu: %s",
                     r->file->path, (size_t)(r->json.next - r->json.start),
                     r->json.error);
}

/* Returns the array items with room for more than count items, moved if necessary; NULL
 * if memory is exhausted, and the array is then unchanged. */
static void *grow(void *items, size_t *room, size_t count, size_t size)
{
    enum { FIRST = 32 };
    if (count < *room)
        return items;
    size_t larger = *room ? 2 * *room : FIRST;
    void *copy = common_alloc(larger, size);
    if (!copy)
        return NULL;
    if (items)
        memcpy(copy, items, count * size);
    common_free(items);
    *room = larger;
    return copy;
}

static lstm_status read_dtype(reader *r, lstm_stored *tensor)
{
    if (lstm_json_peek(&r->json) != '"')
        return fail_tensor(r->file, tensor->name, "dtype is not a string");
    tensor->dtype = lstm_json_string(&r->json);
    if (!tensor->dtype)
        return fail_json(r);
    tensor->format = lstm_dtype_find(tensor->dtype);
    return LSTM_OK;
}

/* Reads an extent. check_sizes() sets tensor->shape later, when the array no longer
 * moves. */
static lstm_status read_extent(reader *r, lstm_stored *tensor)
{
    size_t *extents =
        grow(r->file->extents, &r->extent_room, r->extents, sizeof(*extents));
    if (!extents)
        return lstm_fail_memory("safetensors");
    r->file->extents = extents;
    if (!lstm_json_size(&r->json, &extents[r->extents++]))
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: extent of axis %zu is not a size",
                         r->file->path, tensor->name, tensor->rank);
    tensor->rank++;
    return LSTM_OK;
}

static lstm_status read_shape(reader *r, lstm_stored *tensor)
{
    if (lstm_json_peek(&r->json) != '[')
        return fail_tensor(r->file, tensor->name, "shape is not an array");
    tensor->rank = 0;
    for (lstm_json_enter(&r->json, '['); lstm_json_more(&r->json, ']');) {
        lstm_status status = read_extent(r, tensor);
        if (status)
            return status;
    }
    return r->json.error ? fail_json(r) : LSTM_OK;
}

static lstm_status read_offsets(reader *r, lstm_stored *tensor)
{
    lstm_json *json = &r->json;
    bool good = lstm_json_enter(json, '[') && lstm_json_more(json, ']') &&
                lstm_json_size(json, &tensor->start) && lstm_json_more(json, ']') &&
                lstm_json_size(json, &tensor->end) && !lstm_json_more(json, ']') &&
                !json->error;
    return good ? LSTM_OK
                : fail_tensor(r->file, tensor->name,
                              "data_offsets is not an array of two sizes");
}

/* Reads a member of a tensor; sets its bit in seen. */
static lstm_status read_member(reader *r, lstm_stored *tensor, unsigned *seen)
{
    static const struct {
        const char *key;
        lstm_status (*read)(reader *, lstm_stored *);
    } members[] = {
        {"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
    const char *key = lstm_json_key(&r->json);
    if (!key)
        return fail_json(r);
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(members[i].key, key) != 0)
            continue;
        if (*seen & 1u << i)
            return fail_tensor(r->file, tensor->name, "a key appears twice");
        *seen |= 1u << i;
        return members[i].read(r, tensor);
    }
    return fail_tensor(r->file, tensor->name,
                       "expected dtype, shape and data_offsets only");
}

/* Reads dtype, shape and data_offsets, in any order. */
static lstm_status read_members(reader *r, lstm_stored *tensor)
{
    unsigned seen = 0;
    for (lstm_json_enter(&r->json, '{'); lstm_json_more(&r->json, '}');) {
        lstm_status status = read_member(r, tensor, &seen);
        if (status)
            return status;
    }
    if (r->json.error)
        return fail_json(r);
    return seen == 7 ? LSTM_OK
                     : fail_tensor(r->file, tensor->name,
                                   "expected dtype, shape and data_offsets");
}

static lstm_status read_tensor(reader *r, const char *name)
{
    lstm_file *file = r->file;
    if (lstm_json_peek(&r->json) != '{')
        return fail_tensor(file, name, "expected dtype, shape and data_offsets");
    lstm_stored *tensors =
        grow(file->tensors, &r->tensor_room, file->count, sizeof(*tensors));
    if (!tensors)
        return lstm_fail_memory("safetensors");
    file->tensors = tensors;
    tensors[file->count] = (lstm_stored){.name = name};
    return read_members(r, &tensors[file->count++]);
}

static lstm_status read_entry(reader *r)
{
    lstm_file *file = r->file;
    lstm_entry *entries =
        grow(file->metadata, &r->metadata_room, file->entries, sizeof(*entries));
    if (!entries)
        return lstm_fail_memory("safetensors");
    file->metadata = entries;
    const char *key = lstm_json_key(&r->json);
    if (key && lstm_json_peek(&r->json) != '"')
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: " LSTM_METADATA_KEY
                         ": value of %s is not a string",
                         file->path, key);
    const char *value = key ? lstm_json_string(&r->json) : NULL;
    if (!value)
        return fail_json(r);
    entries[file->entries++] = (lstm_entry){key, value};
    return LSTM_OK;
}

static lstm_status read_metadata(reader *r)
{
    if (r->has_metadata)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: " LSTM_METADATA_KEY " appears twice",
                         r->file->path);
    r->has_metadata = true;
    if (lstm_json_peek(&r->json) != '{')
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: " LSTM_METADATA_KEY " is not an object",
                         r->file->path);
    for (lstm_json_enter(&r->json, '{'); lstm_json_more(&r->json, '}');) {
        lstm_status status = read_entry(r);
        if (status)
            return status;
    }
    return r->json.error ? fail_json(r) : LSTM_OK;
}

static lstm_status read_items(reader *r)
{
    for (lstm_json_enter(&r->json, '{'); lstm_json_more(&r->json, '}');) {
        const char *key = lstm_json_key(&r->json);
        if (!key)
            return fail_json(r);
        lstm_status status = strcmp(key, LSTM_METADATA_KEY) == 0 ? read_metadata(r)
                                                                 : read_tensor(r, key);
        if (status)
            return status;
    }
    return lstm_json_finish(&r->json) ? LSTM_OK : fail_json(r);
}

/* Checks that the bytes of a tensor are in the file and match its shape. For an unknown
 * dtype it checks only that they are in the file. */
static lstm_status check_size(const lstm_file *file, lstm_stored *tensor)
{
    size_t bits;
    bool counted = true;
    if (tensor->start > tensor->end || tensor->end > file->size)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: data_offsets are %zu and %zu, "
                         "expected start <= end <= %zu",
                         file->path, tensor->name, tensor->start, tensor->end,
                         file->size);
    tensor->count = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        counted =
            counted && common_multiply(tensor->count, tensor->shape[i], &tensor->count);
    if (!tensor->format)
        return LSTM_OK;
    if (!counted)
        return fail_tensor(file, tensor->name, "shape is too large");
    size_t bytes = tensor->end - tensor->start;
    if (!common_multiply(tensor->count, tensor->format->bits, &bits) || bits % 8 != 0 ||
        bits / 8 != bytes)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: tensor %s: data has %zu bytes, expected %zu "
                         "values of %zu bits",
                         file->path, tensor->name, bytes, tensor->count,
                         tensor->format->bits);
    return LSTM_OK;
}

/* Sets the shape of every tensor and checks it. */
static lstm_status check_sizes(lstm_file *file)
{
    const size_t *next = file->extents;
    lstm_status status = LSTM_OK;
    for (size_t i = 0; !status && i < file->count; i++) {
        file->tensors[i].shape = next;
        next += file->tensors[i].rank;
        status = check_size(file, &file->tensors[i]);
    }
    return status;
}

/* By offset; an empty tensor comes before a tensor at the same offset. */
static int compare_offsets(const void *first, const void *second)
{
    const lstm_stored *a = first, *b = second;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* Checks that the tensors cover every byte once: no gaps, no overlaps. */
static lstm_status check_cover(lstm_file *file)
{
    size_t end = 0;
    for (size_t i = 0; i < file->count; i++) {
        const lstm_stored *tensor = &file->tensors[i];
        if (tensor->start != end)
            return lstm_fail(LSTM_BAD_FILE,
                             "safetensors: %s: tensor %s: data starts at %zu, expected "
                             "%zu, the end of the previous tensor",
                             file->path, tensor->name, tensor->start, end);
        end = tensor->end;
    }
    if (end != file->size)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: data has %zu bytes, expected %zu",
                         file->path, file->size, end);
    return LSTM_OK;
}

int lstm_stored_compare(const void *first, const void *second)
{
    const lstm_stored *const *a = first, *const *b = second;
    return strcmp((*a)->name, (*b)->name);
}

int lstm_entry_compare(const void *first, const void *second)
{
    const lstm_entry *a = first, *b = second;
    return strcmp(a->key, b->key);
}

/* Sorts tensors by offset, names and keys by text, and rejects duplicates. */
static lstm_status sort(lstm_file *file)
{
    if (file->count > 0)
        qsort(file->tensors, file->count, sizeof(*file->tensors), compare_offsets);
    file->sorted = common_alloc(file->count, sizeof(lstm_stored *));
    if (!file->sorted)
        return lstm_fail_memory("safetensors");
    for (size_t i = 0; i < file->count; i++)
        file->sorted[i] = &file->tensors[i];
    if (file->count > 0)
        qsort(file->sorted, file->count, sizeof(*file->sorted), lstm_stored_compare);
    if (file->entries > 0)
        qsort(file->metadata, file->entries, sizeof(*file->metadata),
              lstm_entry_compare);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->sorted[i - 1]->name, file->sorted[i]->name) == 0)
            return fail_tensor(file, file->sorted[i]->name, "name appears twice");
    for (size_t i = 1; i < file->entries; i++)
        if (strcmp(file->metadata[i - 1].key, file->metadata[i].key) == 0)
            return lstm_fail(LSTM_BAD_FILE,
                             "safetensors: %s: " LSTM_METADATA_KEY
                             ": key %s appears twice",
                             file->path, file->metadata[i].key);
    return LSTM_OK;
}

static lstm_status check_checksum(const lstm_file *file)
{
    char found[LSTM_CRC_TEXT];
    const char *expected = lstm_file_text(file, LSTM_CHECKSUM_KEY, "");
    if (!expected)
        return LSTM_OK;
    lstm_checksum_header(found, file->sorted, file->count, file->metadata,
                         file->entries);
    if (strcmp(found, expected) == 0)
        return LSTM_OK;
    return lstm_fail(LSTM_BAD_FILE,
                     "safetensors: %s: checksum of the header is %s, expected %s: the "
                     "file is damaged, or was changed without its " LSTM_CHECKSUM_KEY,
                     file->path, found, expected);
}

lstm_status lstm_header_read(lstm_file *file, size_t size)
{
    reader r = {.file = file};
    lstm_json_start(&r.json, file->header, size);
    lstm_status status = read_items(&r);
    if (!status)
        status = check_sizes(file);
    if (!status)
        status = sort(file);
    if (!status)
        status = check_cover(file);
    return status ? status : check_checksum(file);
}
