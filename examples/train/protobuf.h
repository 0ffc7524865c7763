/**
 * @file
 * Messages of Protocol Buffers, as far as TensorBoard's events need them, and the
 * frames of TFRecord around them.
 *
 * A message is a row of fields: a number, and a value that is an integer, a double, a
 * float, or bytes, which texts and messages inside a message are. The frame of a record
 * is its length in 8 bytes, a masked checksum of them, the record, and a masked
 * checksum of it. All numbers have their lowest byte first.
 */
#ifndef EXAMPLES_TRAIN_PROTOBUF_H
#define EXAMPLES_TRAIN_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** A message that grows. All zeros is one without fields. */
typedef struct protobuf {
    unsigned char *data;
    size_t size, room;
    /** Whether memory was exhausted: then all that follows is ignored. */
    bool failed;
} protobuf;

void protobuf_integer(protobuf *message, unsigned field, uint64_t value);
void protobuf_double(protobuf *message, unsigned field, double value);
void protobuf_float(protobuf *message, unsigned field, float value);
void protobuf_text(protobuf *message, unsigned field, const char *text);

/** Appends a message as a field, and frees it. */
void protobuf_message(protobuf *message, unsigned field, protobuf *inner);

/** Frees the fields. */
void protobuf_free(protobuf *message);

/** Writes a message as a record, in one piece, and frees it. False with errno set. */
bool protobuf_write(protobuf *message, FILE *file);

#endif
