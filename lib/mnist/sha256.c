/* The names of functions and variables are those of FIPS 180-4. */
#include <stdio.h>
#include <string.h>

#include "lib/common/extremes.h"
#include "lib/mnist/sha256.h"

enum { ROUNDS = 64, LENGTH_SIZE = 8 };

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
 */
static const uint32_t constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned bits)
{
    return x >> bits | x << (32 - bits);
}

static void schedule(uint32_t *w, const uint8_t *block)
{
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < ROUNDS; t++) {
        uint32_t x = w[t - 15], y = w[t - 2];
        w[t] = w[t - 16] + w[t - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
               (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
}

static void compress(uint32_t *state, const uint8_t *block)
{
    uint32_t w[ROUNDS];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    schedule(w, block);
    for (int t = 0; t < ROUNDS; t++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & f) ^ (~e & g)) + constants[t] + w[t];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const uint32_t done[] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < MNIST_SHA256_WORDS; i++)
        state[i] += done[i];
}

void mnist_sha256_start(mnist_sha256 *sum)
{
    /* The same of the square roots of the first 8 primes. */
    *sum = (mnist_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void mnist_sha256_add(mnist_sha256 *sum, const void *data, size_t size)
{
    const uint8_t *next = data;
    size_t used = sum->size % MNIST_SHA256_BLOCK;
    sum->size += size;
    while (size > 0) {
        size_t room = MNIST_SHA256_BLOCK - used, bytes = common_smaller(size, room);
        memcpy(sum->block + used, next, bytes);
        used = (used + bytes) % MNIST_SHA256_BLOCK;
        if (used == 0)
            compress(sum->state, sum->block);
        next += bytes;
        size -= bytes;
    }
}

void mnist_sha256_end(mnist_sha256 *sum, char text[MNIST_SHA256_TEXT])
{
    uint8_t padding[MNIST_SHA256_BLOCK] = {0x80}, length[LENGTH_SIZE];
    uint64_t bits = sum->size * 8;
    size_t end = MNIST_SHA256_BLOCK - LENGTH_SIZE,
           used = sum->size % MNIST_SHA256_BLOCK;
    for (int i = 0; i < LENGTH_SIZE; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    mnist_sha256_add(sum, padding,
                     (used < end ? end : end + MNIST_SHA256_BLOCK) - used);
    mnist_sha256_add(sum, length, sizeof(length));
    for (int i = 0; i < MNIST_SHA256_WORDS; i++)
        snprintf(text + (size_t)8 * i, 9, "%08x", (unsigned)sum->state[i]);
}
