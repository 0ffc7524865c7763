/*
 * Errors of exp, sigmoid and tanh over all 2^32 floats, against long double.
 *
 * usage: check-activations [exp|sigmoid|tanh] [THREADS]
 *
 * The set of kernels is the best one, or that of LSTM_CPU. The C library in double
 * precision (its error is some 1e-16) finds the floats that can be the worst; long
 * double decides among them. Prints the largest absolute error, the largest relative
 * error for |x| up to 87.33, where results are normal floats, and where they are. Takes
 * a minute for each function.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lstm/kernels/kernels.h"

enum { CHUNK = 1 << 14, MAX_THREADS = 64 };

/* What double precision may be wrong by, relative, with room to spare. */
static const double doubt = 1e-14;

typedef struct function {
    const char *name;
    double (*near)(double);
    long double (*exact)(long double);
} function;

/* exp(-87.33) is a normal float; below -87.3365 exp gives 0 and sigmoid stays. */
static const float normal_limit = 87.33f;

/* An error and the x that has it. */
typedef struct worst {
    long double error;
    float x;
} worst;

typedef struct share {
    pthread_t thread;
    const function *function;
    void (*kernel)(size_t count, const float *x, float *y);
    uint64_t start, end;
    worst absolute, relative;
    uint64_t wrong_nans;
} share;

static double near_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static long double exact_sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}

static const function functions[] = {
    {"exp", exp, expl},
    {"sigmoid", near_sigmoid, exact_sigmoid},
    {"tanh", tanh, tanhl},
};

static void keep(worst *w, double near, const share *s, float x, float y, bool relative)
{
    if (near <= (double)w->error)
        return;
    long double exact = s->function->exact((long double)x);
    long double error = fabsl((long double)y - exact);
    if (relative)
        error /= fabsl(exact);
    if (error > w->error)
        *w = (worst){error, x};
}

static void look(share *s, float x, float y)
{
    if (x != x) {
        s->wrong_nans += y == y;
        return;
    }
    double exact = s->function->near((double)x);
    /* An exact result beyond the largest float has to be infinite. */
    if (exact > (double)FLT_MAX * (1 + 0x1p-25) && y == INFINITY)
        return;
    double error = fabs((double)y - exact), room = doubt * fabs(exact);
    keep(&s->absolute, error + room, s, x, y, false);
    if (fabsf(x) <= normal_limit)
        keep(&s->relative, (error + room) / fabs(exact), s, x, y, true);
}

static void *run(void *argument)
{
    share *s = argument;
    float *x = malloc(2 * CHUNK * sizeof(*x)), *y = x + CHUNK;
    for (uint64_t bits = s->start; bits < s->end; bits += CHUNK) {
        for (uint32_t i = 0; i < CHUNK; i++) {
            uint32_t pattern = (uint32_t)bits + i;
            memcpy(&x[i], &pattern, sizeof(pattern));
        }
        s->kernel(CHUNK, x, y);
        for (size_t i = 0; i < CHUNK; i++)
            look(s, x[i], y[i]);
    }
    free(x);
    return NULL;
}

static void check(const function *f, size_t threads)
{
    const lstm_kernels *k = lstm_kernels_get();
    static share shares[MAX_THREADS];
    uint64_t chunks = (UINT64_C(1) << 32) / CHUNK;
    for (size_t i = 0; i < threads; i++) {
        shares[i] = (share){.function = f,
                            .kernel = f == functions       ? k->exp
                                      : f == functions + 1 ? k->sigmoid
                                                           : k->tanh,
                            .start = chunks * i / threads * CHUNK,
                            .end = chunks * (i + 1) / threads * CHUNK};
        pthread_create(&shares[i].thread, NULL, run, &shares[i]);
    }
    share all = {0};
    for (size_t i = 0; i < threads; i++) {
        pthread_join(shares[i].thread, NULL);
        all.wrong_nans += shares[i].wrong_nans;
        if (shares[i].absolute.error > all.absolute.error)
            all.absolute = shares[i].absolute;
        if (shares[i].relative.error > all.relative.error)
            all.relative = shares[i].relative;
    }
    printf("%-8s %-8s absolute %.4Le at %.9g, relative %.4Le at %.9g, NaN lost %llu\n",
           k->name, f->name, all.absolute.error, (double)all.absolute.x,
           all.relative.error, (double)all.relative.x,
           (unsigned long long)all.wrong_nans);
    fflush(stdout);
}

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : NULL;
    size_t threads = count > 2 ? strtoul(arguments[2], NULL, 10) : 1;
    if (threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: check-activations [exp|sigmoid|tanh] [THREADS]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (!name || strcmp(name, functions[i].name) == 0)
            check(&functions[i], threads);
    return 0;
}
