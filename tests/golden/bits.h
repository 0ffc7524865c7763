/* Written by make_bits.sh. */
#ifndef TESTS_GOLDEN_BITS_H
#define TESTS_GOLDEN_BITS_H

#include <stdint.h>

/* Hashes of the networks of tests/support/bits.c. */
typedef struct bits_of_network {
    uint64_t training, inference;
} bits_of_network;

static const bits_of_network golden_bits[] = {
    {UINT64_C(0x5140f8fe04e89124), UINT64_C(0xb7be3d49ac99762d)},
    {UINT64_C(0x09ce278b5426ef70), UINT64_C(0xa5ef85425224c07b)},
    {UINT64_C(0xb83e258ef53a99bd), UINT64_C(0x40d60464ee844423)},
    {UINT64_C(0xb93ac0b3484f2d29), UINT64_C(0xe47536e49416ed2b)},
    {UINT64_C(0xcc7576a7380a2f12), UINT64_C(0xa6f7924dcb8b1fa0)},
    {UINT64_C(0xff7f03396ceed70f), UINT64_C(0xf02fe7521ade341d)},
    {UINT64_C(0xe312baf6a3d29ab1), UINT64_C(0x437f06e8caf0f892)},
    {UINT64_C(0xe9c952c0dadb3eae), UINT64_C(0x47ec01b68785d547)},
    {UINT64_C(0x218191d88eae5dbf), UINT64_C(0x6a476cbcb7a7221c)},
    {UINT64_C(0x6df4ccda217631a6), UINT64_C(0x6f5e2d8d1066d2e2)},
    {UINT64_C(0xaac6118ee0a48aa5), UINT64_C(0x868b3fea5b981b24)},
    {UINT64_C(0x650565d08330f951), UINT64_C(0x0aa4e7b699b1984f)},
    {UINT64_C(0x9643557e0535aaa6), UINT64_C(0x93592a29b0ee9d7b)},
};

#endif
