#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/crc.h"
#include "examples/train/protobuf.h"

/* How a value is stored: its number of bytes follows from it. */
enum { VARINT, BITS_64, BYTES, BITS_32 = 5 };
enum { HEAD = 12, TAIL = 4 };

static void append(protobuf *message, const void *data, size_t size)
{
    if (!message->failed && message->room - message->size < size) {
        size_t room = 2 * message->size + size + 64;
        unsigned char *grown = realloc(message->data, room);
        message->failed = !grown;
        if (grown) {
            message->data = grown;
            message->room = room;
        }
    }
    if (message->failed || size == 0)
        return;
    memcpy(message->data + message->size, data, size);
    message->size += size;
}

/* The lowest bytes of a number, the lowest first. */
static void append_bytes(protobuf *message, uint64_t value, size_t count)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    append(message, bytes, count);
}

/* Seven bits in a byte; its highest bit says that more follow. */
static void append_varint(protobuf *message, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        append_bytes(message, value | 0x80, 1);
    append_bytes(message, value, 1);
}

static void append_key(protobuf *message, unsigned field, unsigned kind)
{
    append_varint(message, field << 3 | kind);
}

void protobuf_integer(protobuf *message, unsigned field, uint64_t value)
{
    append_key(message, field, VARINT);
    append_varint(message, value);
}

void protobuf_double(protobuf *message, unsigned field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    append_key(message, field, BITS_64);
    append_bytes(message, bits, sizeof(bits));
}

void protobuf_float(protobuf *message, unsigned field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    append_key(message, field, BITS_32);
    append_bytes(message, bits, sizeof(bits));
}

static void append_field(protobuf *message, unsigned field, const void *data,
                         size_t size)
{
    append_key(message, field, BYTES);
    append_varint(message, size);
    append(message, data, size);
}

void protobuf_text(protobuf *message, unsigned field, const char *text)
{
    append_field(message, field, text, strlen(text));
}

void protobuf_message(protobuf *message, unsigned field, protobuf *inner)
{
    message->failed |= inner->failed;
    append_field(message, field, inner->data, inner->size);
    protobuf_free(inner);
}

void protobuf_free(protobuf *message)
{
    free(message->data);
    *message = (protobuf){0};
}

/* Checksums of data that contain checksums are weak without this. */
static uint32_t checksum(const unsigned char *data, size_t size)
{
    uint32_t crc = crc_add(crc_of_castagnoli, 0, data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

bool protobuf_write(protobuf *message, FILE *file)
{
    protobuf record = {0};
    append_bytes(&record, message->size, 8);
    append_bytes(&record, record.failed ? 0 : checksum(record.data, 8), HEAD - 8);
    append(&record, message->data, message->size);
    append_bytes(&record, checksum(message->data, message->size), TAIL);
    bool written = false;
    if (record.failed || message->failed)
        errno = ENOMEM;
    else
        written = fwrite(record.data, 1, record.size, file) == record.size;
    protobuf_free(&record);
    protobuf_free(message);
    return written;
}
