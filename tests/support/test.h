/**
 * @file
 * Included by every test program: CMocka and additional assertions.
 */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** An entry in the table of tests of a program. */
#define TEST(name) cmocka_unit_test(name)

/** Fails the calling line unless two floats differ by at most tolerance. */
#define assert_close(actual, expected, tolerance)                                      \
    test_assert_close((double)(actual), (double)(expected), (double)(tolerance),       \
                      __FILE__, __LINE__)

static inline void test_assert_close(double actual, double expected, double tolerance,
                                     const char *file, int line)
{
    /* A NaN makes the comparison false and fails. */
    if (fabs(actual - expected) <= tolerance)
        return;
    print_error("%.9g is not within %.3g of %.9g\n", actual, tolerance, expected);
    _fail(file, line);
}

/** Fails the calling line unless text contains part. */
#define assert_contains(text, part) test_assert_contains(text, part, __FILE__, __LINE__)

static inline void test_assert_contains(const char *text, const char *part,
                                        const char *file, int line)
{
    if (text && strstr(text, part))
        return;
    print_error("\"%s\" does not contain \"%s\"\n", text ? text : "NULL", part);
    _fail(file, line);
}

/** Exits so that Meson reports the test as skipped. */
static inline void test_skip_all(const char *reason)
{
    printf("1..0 # SKIP %s\n", reason);
    exit(0);
}

#endif
