/*
 * Errors of exp, sigmoid and tanh over all 2^32 floats, compared with long double.
 *
 * usage: check-activations [exp|sigmoid|tanh] [THREADS]
 *
 * Checks the best set of kernels, or the one in LSTM_CPU. The C library in double
 * precision, with an error of about 1e-16, finds the candidates for the largest error;
 * long double decides among them. Prints the largest absolute error and, for |x| up to
 * 87.33, where results are normal floats, the largest relative error and the largest
 * error in units of the last place (ULP: the distance of the floats at the exact
 * result), with the x of each. Fails if an error in ULP is above its bound or a NaN is
 * lost. Takes a minute per function.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lstm/kernels/kernels.h"

enum { CHUNK = 1 << 14, MAX_THREADS = 64 };

/* A generous bound of the relative error of double precision. */
static const double double_error = 1e-14;

typedef struct function {
    const char *name;
    /* The bound of the error in ULP with fused multiply-adds, and without. */
    double ulps, plain_ulps;
    double (*approximate)(double);
    long double (*exact)(long double);
} function;

/* exp(-87.33) is a normal float; below -87.3365, exp returns 0. */
static const float normal_limit = 87.33f;

/* An error and the x that has it. */
typedef struct worst {
    long double error;
    float x;
} worst;

typedef struct task {
    pthread_t thread;
    const function *function;
    void (*kernel)(size_t count, const float *x, float *y);
    uint64_t start, end;
    worst absolute, relative, ulps;
    uint64_t wrong_nans;
} task;

static double double_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static long double exact_sigmoid(long double x)
{
    return 1 / (1 + expl(-x));
}

static const function functions[] = {
    {"exp", 3.1, 48, exp, expl},
    {"sigmoid", 25, 69, double_sigmoid, exact_sigmoid},
    {"tanh", 20, 20, tanh, tanhl},
};

/* The distance of the floats at a result: its power of two, without the bits of the
 * fraction. */
static double ulp(double exact)
{
    uint64_t bits;
    if (fabs(exact) < (double)FLT_MIN)
        exact = (double)FLT_MIN;
    memcpy(&bits, &exact, sizeof(bits));
    bits &= UINT64_C(0x7ff0000000000000);
    memcpy(&exact, &bits, sizeof(bits));
    return exact * (double)FLT_EPSILON;
}

/* Updates the largest error, in a unit, if its upper bound exceeds the current one. */
static void update(worst *w, double bound, const task *t, float x, float y,
                   long double (*unit)(long double exact))
{
    if (bound <= (double)w->error)
        return;
    long double exact = t->function->exact((long double)x);
    long double error = fabsl((long double)y - exact) / unit(exact);
    if (error > w->error)
        *w = (worst){error, x};
}

static long double one(long double exact)
{
    (void)exact;
    return 1;
}

static long double exact_ulp(long double exact)
{
    return ulp((double)exact);
}

static void check_value(task *t, float x, float y)
{
    if (x != x) {
        t->wrong_nans += y == y;
        return;
    }
    double exact = t->function->approximate((double)x);
    /* Infinity is correct for a result beyond the largest float. */
    if (exact > (double)FLT_MAX * (1 + 0x1p-25) && y == INFINITY)
        return;
    double error = fabs((double)y - exact), margin = double_error * fabs(exact);
    update(&t->absolute, error + margin, t, x, y, one);
    if (fabsf(x) > normal_limit)
        return;
    update(&t->relative, (error + margin) / fabs(exact), t, x, y, fabsl);
    update(&t->ulps, (error + margin) / ulp(exact), t, x, y, exact_ulp);
}

static void *run(void *argument)
{
    task *t = argument;
    float *x = malloc(2 * CHUNK * sizeof(*x)), *y = x + CHUNK;
    for (uint64_t bits = t->start; bits < t->end; bits += CHUNK) {
        for (uint32_t i = 0; i < CHUNK; i++) {
            uint32_t pattern = (uint32_t)bits + i;
            memcpy(&x[i], &pattern, sizeof(pattern));
        }
        t->kernel(CHUNK, x, y);
        for (size_t i = 0; i < CHUNK; i++)
            check_value(t, x[i], y[i]);
    }
    free(x);
    return NULL;
}

static void take_larger(worst *w, worst other)
{
    if (other.error > w->error)
        *w = other;
}

static void print(const char *name, worst w)
{
    printf(", %s %.4Lg at %.9g", name, w.error, (double)w.x);
}

/* Whether the errors are within the bounds. */
static bool check(const function *f, size_t threads)
{
    const lstm_kernels *k = lstm_kernels_get();
    static task tasks[MAX_THREADS];
    uint64_t chunks = (UINT64_C(1) << 32) / CHUNK;
    for (size_t i = 0; i < threads; i++) {
        tasks[i] = (task){.function = f,
                          .kernel = f == functions       ? k->exp
                                    : f == functions + 1 ? k->sigmoid
                                                         : k->tanh,
                          .start = chunks * i / threads * CHUNK,
                          .end = chunks * (i + 1) / threads * CHUNK};
        pthread_create(&tasks[i].thread, NULL, run, &tasks[i]);
    }
    task all = {0};
    for (size_t i = 0; i < threads; i++) {
        pthread_join(tasks[i].thread, NULL);
        all.wrong_nans += tasks[i].wrong_nans;
        take_larger(&all.absolute, tasks[i].absolute);
        take_larger(&all.relative, tasks[i].relative);
        take_larger(&all.ulps, tasks[i].ulps);
    }
    bool plain = strcmp(k->name, "generic") == 0;
    double bound = plain ? f->plain_ulps : f->ulps;
    printf("%s %s", k->name, f->name);
    print("absolute", all.absolute);
    print("relative", all.relative);
    print("ULP", all.ulps);
    printf(" (bound %g), NaN lost %llu\n", bound, (unsigned long long)all.wrong_nans);
    fflush(stdout);
    return all.ulps.error <= (long double)bound && all.wrong_nans == 0;
}

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : NULL;
    bool good = true;
    size_t threads = count > 2 ? strtoul(arguments[2], NULL, 10) : 1;
    size_t chosen = 0;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        chosen += !name || strcmp(name, functions[i].name) == 0;
    if (chosen == 0 || threads < 1 || threads > MAX_THREADS) {
        fprintf(stderr, "usage: check-activations [exp|sigmoid|tanh] [THREADS]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (!name || strcmp(name, functions[i].name) == 0)
            good &= check(&functions[i], threads);
    return good ? 0 : 1;
}
