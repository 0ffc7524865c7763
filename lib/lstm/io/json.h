/**
 * @file
 * JSON (RFC 8259): a strict reader that allocates nothing, and a writer.
 *
 * The reader decodes strings in place, so it cannot run out of memory. It rejects texts
 * that RFC 8259 does not allow, invalid UTF-8, half of a surrogate pair, and the
 * character U+0000, which would end a C string. The caller reads objects and arrays
 * item by item, and checks that keys are unique.
 *
 *     for (lstm_json_enter(json, '{'); lstm_json_more(json, '}');) {
 *         const char *key = lstm_json_key(json);
 *         ...
 *     }
 */
#ifndef LSTM_IO_JSON_H
#define LSTM_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <lstm/status.h>

/** State of a reader. */
typedef struct lstm_json {
    char *start, *next, *end;
    /** True until the first item of the innermost object or array is read. */
    bool first;
    /** The error at next; NULL without an error. After an error all calls fail. */
    const char *error;
} lstm_json;

/** Starts to read a text; text[size] MUST be writable. */
void lstm_json_start(lstm_json *json, char *text, size_t size);

/** The next character after white space; '\0' at the end and after an error. */
char lstm_json_peek(lstm_json *json);

/** Reads the bracket that opens an object or array. */
bool lstm_json_enter(lstm_json *json, char bracket);

/** Returns whether another item follows. Reads the comma before it, or the closing
 *  bracket. */
bool lstm_json_more(lstm_json *json, char bracket);

/** Reads a string, which is valid as long as the text. NULL on an error. */
const char *lstm_json_string(lstm_json *json);

/** Reads a string and the colon after it. */
const char *lstm_json_key(lstm_json *json);

/** Reads an integer from 0 to SIZE_MAX, without sign, fraction and exponent. */
bool lstm_json_size(lstm_json *json, size_t *value);

/** Checks that only white space follows; returns false after any error. */
bool lstm_json_finish(lstm_json *json);

/** Length of the UTF-8 sequence at text; 0 when it is not valid. The zero byte at the
 * end of a text makes an incomplete sequence invalid. */
size_t lstm_utf8_length(const char *text);

/** Whether a text is valid UTF-8. */
bool lstm_is_utf8(const char *text);

/** A member of a flat object. */
typedef struct lstm_member {
    const char *key;
    /** '"', '0', 't', 'f' or 'n': a string, a number, true, false or null. */
    char kind;
    /** The string, or the beginning of the number. */
    const char *text;
} lstm_member;

/** Most members that a flat object may have. */
enum { LSTM_MEMBERS = 64 };

/** An object whose values are strings, numbers, true, false and null. */
typedef struct lstm_object {
    char *text;
    lstm_member members[LSTM_MEMBERS];
    size_t count;
} lstm_object;

/**
 * Reads a flat object from a copy of a text.
 *
 * @return LSTM_OK, LSTM_OUT_OF_MEMORY, or LSTM_BAD_FILE without a message, because only
 * the caller can name the object. After a failure there is nothing to destroy.
 */
lstm_status lstm_object_read(lstm_object *object, const char *text);

/** Frees the copy. */
void lstm_object_destroy(lstm_object *object);

/** Whether an object has a member, of any type. */
bool lstm_object_has(const lstm_object *object, const char *key);

/** Reads a member of one type; returns false, and does not change *value, if the member
 * is missing or has another type. */
bool lstm_object_size(const lstm_object *object, const char *key, size_t *value);
bool lstm_object_double(const lstm_object *object, const char *key, double *value);
bool lstm_object_bool(const lstm_object *object, const char *key, bool *value);
bool lstm_object_string(const lstm_object *object, const char *key, const char **value);

/** A growing text. Set it to zero before its first use. After memory runs out it stays
 * empty. */
typedef struct lstm_text {
    char *data;
    size_t size, room;
    bool failed;
} lstm_text;

/** Frees a text. */
void lstm_text_destroy(lstm_text *text);

/** Appends formatted text of at most 255 characters, in the C locale. */
void lstm_text_add(lstm_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Appends bytes. */
void lstm_text_bytes(lstm_text *text, const void *data, size_t size);

/** Appends a JSON string with quotes and escapes. */
void lstm_text_string(lstm_text *text, const char *string);

/** Appends a number that reads back as the same double. */
void lstm_text_double(lstm_text *text, double value);

#endif
