/* Written by make_bits.sh. */
#ifndef TESTS_GOLDEN_BITS_H
#define TESTS_GOLDEN_BITS_H

#include <stdint.h>

/* Hashes of the networks of tests/support/bits.c. */
typedef struct bits_of_network {
    uint64_t training, inference;
} bits_of_network;

static const bits_of_network golden_bits[] = {
    {UINT64_C(0x5140f8fe04e89124), UINT64_C(0x5c5cb510e886d1a7)},
    {UINT64_C(0x09ce278b5426ef70), UINT64_C(0x9299d0e085a04a10)},
    {UINT64_C(0xb83e258ef53a99bd), UINT64_C(0xaffe7ca457ea58bd)},
    {UINT64_C(0xb93ac0b3484f2d29), UINT64_C(0x4e72c3f8158df87e)},
    {UINT64_C(0xff7f03396ceed70f), UINT64_C(0x7a8e9937b152ca8b)},
    {UINT64_C(0xe312baf6a3d29ab1), UINT64_C(0x7e9488f01bae2b4e)},
    {UINT64_C(0xe9c952c0dadb3eae), UINT64_C(0x32b8bba397563bc5)},
    {UINT64_C(0x218191d88eae5dbf), UINT64_C(0x7b12b07c4fc40d86)},
};

#endif
