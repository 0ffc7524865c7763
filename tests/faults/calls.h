/**
 * @file
 * Tables of calls, one line for each.
 */
#ifndef TESTS_FAULTS_CALLS_H
#define TESTS_FAULTS_CALLS_H

#include "tests/faults/world.h"

/** Defines call_NAME, which evaluates a status. */
#define STATUS(name, expression)                                                       \
    static int call_##name(world *w)                                                   \
    {                                                                                  \
        (void)w;                                                                       \
        return (int)(expression);                                                      \
    }

/** Defines call_NAME, which has a value instead of a status. */
#define VALUE(name, expression)                                                        \
    static int call_##name(world *w)                                                   \
    {                                                                                  \
        (void)w;                                                                       \
        w->result = (uint64_t)(expression);                                            \
        return 0;                                                                      \
    }

/** Defines call_NAME, which has neither. */
#define VOID(name, expression)                                                         \
    static int call_##name(world *w)                                                   \
    {                                                                                  \
        (void)w;                                                                       \
        expression;                                                                    \
        return 0;                                                                      \
    }

/** Entries: a call; one after prepare; one that creates a handle. */
#define CALL(name)                                                                     \
    {                                                                                  \
#name, call_##name, NULL, 0                                                    \
    }
#define AFTER(name, prepare)                                                           \
    {                                                                                  \
#name, call_##name, prepare, 0                                                 \
    }
#define NEW(name, handle)                                                              \
    {                                                                                  \
#name, call_##name, NULL, offsetof(world, handle)                              \
    }

#endif
