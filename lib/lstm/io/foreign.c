/*
 * Names the format of a file that is not a safetensors file, from its first bytes and,
 * in a ZIP archive, from the names of its members.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/common/extremes.h"
#include "lib/lstm/core/status.h"
#include "lib/lstm/io/safetensors.h"

enum {
    /** Number of bytes read from the beginning and from the end. */
    HEAD = 256,
    TAIL = 4096,
    /** Longest name of a member that is checked, its end included. */
    MEMBER = 96
};

typedef struct start {
    unsigned char bytes[HEAD + 1];
    size_t size;
} start;

static bool begins(const start *s, size_t offset, const char *bytes, size_t size)
{
    return offset + size <= s->size && memcmp(s->bytes + offset, bytes, size) == 0;
}

static const struct {
    size_t offset;
    const char *bytes;
    size_t size;
    const char *kind;
} signatures[] = {
    {0, "\x89HDF\r\n\x1a\n", 8, "an HDF5 file, such as a Keras .h5 file"},
    {0, "\x93NUMPY", 6, "a NumPy array (.npy)"},
    {0, "GGUF", 4, "a GGUF file"},
    {4, "TFL3", 4, "a TensorFlow Lite file"},
    {0, "\x1f\x8b\x08", 3, "a gzip file: decompress it"},
    {0, "\x28\xb5\x2f\xfd", 4, "a Zstandard file: decompress it"},
    {0,
     "\xfd"
     "7zXZ\0",
     6, "an xz file: decompress it"},
    {0, "version https://git-lfs", 23,
     "a Git LFS pointer: get the file itself with 'git lfs pull'"},
};

/* The first character of a text, after a byte order mark and white space; NULL if the
 * bytes are not text. */
static const char *first_character(const start *s)
{
    size_t i = begins(s, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    if (memchr(s->bytes, '\0', common_smaller(s->size, 16)))
        return NULL;
    while (i < s->size && memchr(" \t\r\n", s->bytes[i], 4))
        i++;
    return (const char *)s->bytes + i;
}

/* Whether the bytes are UTF-8 without control characters. The last character may be
 * incomplete. */
static bool is_printable(const start *s)
{
    const char *next = (const char *)s->bytes, *end = next + s->size;
    while (next < end) {
        size_t length = lstm_utf8_length(next);
        if (length == 0)
            return s->size == HEAD && end - next < 4;
        if (*next == 0x7f ||
            ((unsigned char)*next < ' ' && !memchr("\t\n\v\f\r", *next, 5)))
            return false;
        next += length;
    }
    return true;
}

static const char *text_kind(const start *s)
{
    const char *text = first_character(s);
    if (!text)
        return NULL;
    if (*text == '{' || *text == '[')
        return "JSON text";
    if (strncasecmp(text, "<!doctype html", 14) == 0 ||
        strncasecmp(text, "<html", 5) == 0)
        return "an HTML page, perhaps the error page of a download";
    if (strncasecmp(text, "<?xml", 5) == 0)
        return "XML text";
    return is_printable(s) ? "a text file" : NULL;
}

/* A protobuf of ONNX: field 1, the version of the format, then a short text or the
 * graph. */
static bool is_onnx(const start *s)
{
    const unsigned char *b = s->bytes;
    return s->size >= 8 && b[0] == 0x08 && b[1] > 0 && b[1] < 0x40 &&
           (b[2] == 0x12 || b[2] == 0x3a || b[2] == 0x42) && b[3] > 0 && b[4] > 0;
}

static bool is_pickle(const start *s)
{
    const unsigned char *b = s->bytes;
    return s->size >= 3 && b[0] == 0x80 && b[1] >= 2 && b[1] <= 5 && b[2] != 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The kind of archive that has a member of this name; NULL for common names. */
static const char *archive_of(const char *member)
{
    static const char *const kinds[][2] = {
        {"data.pkl", "a PyTorch archive"},
        {"constants.pkl", "a TorchScript archive"},
        {".npy", "a NumPy archive (.npz)"},
        {"model.weights.h5", "a Keras archive (.keras)"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (ends_with(member, kinds[i][0]))
            return kinds[i][1];
    return NULL;
}

/* Copies the name of a member, empty if it is long. Its length is stored in two bytes.
 */
static void copy_member(char member[MEMBER], const unsigned char *length,
                        const unsigned char *name, const unsigned char *end)
{
    size_t size = length[0];
    if (length[1] != 0 || size >= MEMBER || name + size > end)
        size = 0;
    memcpy(member, name, size);
    member[size] = '\0';
}

/* Searches the list of members at the end of an archive for a name that identifies the
 * kind, and copies it to member. */
static const char *search_list(const unsigned char *bytes, size_t size,
                               char member[MEMBER])
{
    enum { LENGTH = 28, NAME = 46 };
    for (size_t i = 0; i + NAME < size; i++) {
        char name[MEMBER];
        if (memcmp(bytes + i, "PK\1\2", 4) != 0)
            continue;
        copy_member(name, bytes + i + LENGTH, bytes + i + NAME, bytes + size);
        const char *kind = archive_of(name);
        if (kind) {
            memcpy(member, name, MEMBER);
            return kind;
        }
    }
    return NULL;
}

static const char *archive_kind(const lstm_file *file, const start *s,
                                char member[MEMBER])
{
    enum { LENGTH = 26, NAME = 30 };
    unsigned char tail[TAIL];
    size_t size = common_smaller(file->input.size, TAIL);
    if (s->size > NAME)
        copy_member(member, s->bytes + LENGTH, s->bytes + NAME, s->bytes + s->size);
    const char *kind = archive_of(member);
    if (!kind && !lstm_file_bytes(file, tail, size, file->input.size - size))
        kind = search_list(tail, size, member);
    return kind ? kind : "a ZIP archive";
}

/* Whether the file begins like a safetensors file. Its length may look like the
 * signature of another format: 66,176 is stored as 80 02 01 00, which is also the
 * beginning of a pickle. */
static bool is_safetensors(const start *s)
{
    return begins(s, 4, "\0\0\0\0{", 5);
}

static const char *kind_of(const start *s)
{
    if (is_safetensors(s))
        return NULL;
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (begins(s, signatures[i].offset, signatures[i].bytes, signatures[i].size))
            return signatures[i].kind;
    if (is_onnx(s))
        return "an ONNX model";
    if (is_pickle(s))
        return "a Python pickle, such as an older PyTorch file";
    return s->size == 0 ? "an empty file" : text_kind(s);
}

lstm_status lstm_fail_foreign(const lstm_file *file, const char *fact)
{
    start s = {.size = file->input.size < HEAD ? file->input.size : HEAD};
    char member[MEMBER] = "";
    lstm_status status = lstm_file_bytes(file, s.bytes, s.size, 0);
    if (status)
        return status;
    bool archive = begins(&s, 0, "PK\3\4", 4) || begins(&s, 0, "PK\5\6", 4);
    if (archive && !is_safetensors(&s)) {
        const char *kind = archive_kind(file, &s, member);
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: not a safetensors file but %s (PK%s%s)",
                         file->path, kind, *member ? ", with the member " : "", member);
    }
    const char *kind = kind_of(&s);
    if (kind)
        return lstm_fail(LSTM_BAD_FILE,
                         "safetensors: %s: not a safetensors file but %s", file->path,
                         kind);
    return lstm_fail(LSTM_BAD_FILE, "safetensors: %s: %s", file->path, fact);
}
