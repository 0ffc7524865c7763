/*
 * Checksums of a file: one for the bytes of each tensor, so that a single tensor can be
 * checked, and one for the content of the header. The checksum of the header does not
 * depend on its formatting: a program that writes the same tensors and metadata in
 * another order computes the same checksum.
 */
#include <stdio.h>
#include <string.h>

#include "lib/lstm/io/crc32.h"
#include "lib/lstm/io/safetensors.h"

static void write_crc(char text[LSTM_CRC_TEXT], uint32_t crc)
{
    snprintf(text, LSTM_CRC_TEXT, "%08x", (unsigned)crc);
}

void lstm_checksum_data(char text[LSTM_CRC_TEXT], const void *data, size_t size)
{
    write_crc(text, lstm_crc32(0, data, size));
}

/* Adds a text and its zero byte. */
static uint32_t add_text(uint32_t crc, const char *text)
{
    return lstm_crc32(crc, text, strlen(text) + 1);
}

/* NAME 0 DTYPE 0 2,3 0 */
static uint32_t add_tensor(uint32_t crc, const lstm_stored *tensor)
{
    crc = add_text(crc, tensor->name);
    crc = add_text(crc, tensor->dtype);
    for (size_t i = 0; i < tensor->rank; i++) {
        char extent[24];
        int length = snprintf(extent, sizeof(extent), "%s%zu", i > 0 ? "," : "",
                              tensor->shape[i]);
        crc = lstm_crc32(crc, extent, (size_t)length);
    }
    return add_text(crc, "");
}

void lstm_checksum_header(char text[LSTM_CRC_TEXT], const lstm_stored *const *tensors,
                          size_t count, const lstm_entry *metadata, size_t entries)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < count; i++)
        crc = add_tensor(crc, tensors[i]);
    for (size_t i = 0; i < entries; i++)
        if (strcmp(metadata[i].key, LSTM_CHECKSUM_KEY) != 0) {
            crc = add_text(crc, metadata[i].key);
            crc = add_text(crc, metadata[i].value);
        }
    write_crc(text, crc);
}
