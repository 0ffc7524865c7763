/* Written by make_bits.sh. */
#ifndef TESTS_GOLDEN_BITS_H
#define TESTS_GOLDEN_BITS_H

#include <stdint.h>

/* Hashes of the networks of test_bits.c. */
typedef struct bits_of_network {
    uint64_t training, inference;
} bits_of_network;

static const bits_of_network golden_bits[] = {
    {UINT64_C(0xac6264495f7956cd), UINT64_C(0x8038254a1b227a97)},
    {UINT64_C(0x5ac1a273d308aa27), UINT64_C(0xcc3e193f77717dc0)},
    {UINT64_C(0xa1f94c7f89a76a29), UINT64_C(0x6d1be12b5f3d1d05)},
};

#endif
