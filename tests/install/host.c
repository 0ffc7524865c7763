/* A host program that defines names which libraries like to use themselves. */
#include <stdint.h>
#include <stdio.h>

#include <lstm/lstm.h>
#include <mnist/mnist.h>

/* Of this program, and not of a library: each returns something else than its namesake
 * would. */
void *common_alloc(void);
void common_free(void);
uint32_t mt19937_seed(void);
uint32_t mt19937_next32(void);

void *common_alloc(void)
{
    return NULL;
}

void common_free(void)
{
}

uint32_t mt19937_seed(void)
{
    return 1;
}

uint32_t mt19937_next32(void)
{
    return 2;
}

int main(void)
{
    lstm_rng *rng;
    mnist_dataset *digits;
    common_free();
    if (common_alloc() || mt19937_seed() + mt19937_next32() != 3)
        return 1;
    if (lstm_rng_create(&rng, 0))
        return 1;
    lstm_rng_destroy(&rng);
    if (mnist_dataset_synthetic(&digits, 10, 0))
        return 1;
    mnist_dataset_destroy(&digits);
    puts("the host's names are its own");
    return 0;
}
