/*
 * Many threads that call the library at once, each with objects of its own: one of them
 * has the workers, the others compute alone. All have the bits of a single caller. The
 * thread sanitizer runs this program, too.
 */
#include <pthread.h>
#include <stdlib.h>

#include "tests/support/bits.h"
#include "tests/support/draw.h"
#include "tests/support/test.h"

/* The first networks are small. */
enum { CALLERS = 16, NETWORKS = 5, ROUNDS = 3 };

/* A caller, the network that it trains, and its hash. */
typedef struct caller {
    pthread_t thread;
    size_t network;
    uint64_t hash;
} caller;

/* A few steps of a training, and inference. */
static uint64_t train(size_t network)
{
    enum { UPDATES = 3 };
    bits_training t = bits_create(network);
    uint64_t seed = 5, hash = HASH_START;
    for (int i = 0; i < UPDATES; i++) {
        float loss = bits_update(&t, &seed);
        hash = hash_bytes(hash, &loss, sizeof(loss));
    }
    uint64_t inference = bits_infer(&t);
    hash = hash_bytes(bits_parameters(&t, hash), &inference, sizeof(inference));
    bits_destroy(&t);
    return hash;
}

static void *call(void *argument)
{
    caller *c = argument;
    for (int i = 0; i < ROUNDS; i++)
        c->hash = hash_bytes(c->hash, &(uint64_t){train(c->network)}, sizeof(uint64_t));
    return NULL;
}

static void sixteen_callers_have_the_bits_of_one(void **state)
{
    (void)state;
    uint64_t alone[NETWORKS];
    caller callers[CALLERS];
    assert_int_equal(lstm_set_threads(3), LSTM_OK);
    for (size_t i = 0; i < NETWORKS; i++) {
        caller c = {.network = i, .hash = HASH_START};
        call(&c);
        alone[i] = c.hash;
    }
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.network = i % NETWORKS, .hash = HASH_START};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]),
                         0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_true(callers[i].hash == alone[callers[i].network]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(sixteen_callers_have_the_bits_of_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
