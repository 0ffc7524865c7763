#include <stdio.h>
#include <string.h>

#include "examples/common/message.h"
#include "tests/verify/table.h"

static const char *const names[] = {"passed", "FAILED", "not here", "unknown"};
static const char *const keys[] = {"passed", "failed", "absent", "unchecked"};

/* The end of the table on standard error. */
static const char *const ends[] = {
    [VERDICT_FAILED] =
        "do not use this library on this machine. Report the table above, how the\n"
        "library was built, and where the package comes from.",
    [VERDICT_UNCHECKED] =
        "the checks that are named above could not be made here, for the reason "
        "beside\n"
        "each. They say nothing about the library: mend the reason, and run again.",
};

/* Prints text in a field of at least width columns. */
static void print_field(int width, const char *text)
{
    char clean[1024];
    snprintf(clean, sizeof(clean), "%s", text);
    message_clean(clean, sizeof(clean));
    printf("%-*s", width, clean);
}

static void print_string(const char *text)
{
    char clean[1024];
    snprintf(clean, sizeof(clean), "%s", text);
    message_clean(clean, sizeof(clean));
    putchar('"');
    for (const char *next = clean; *next; next++) {
        if (*next == '"' || *next == '\\')
            putchar('\\');
        putchar(*next);
    }
    putchar('"');
}

void table_begin(const table *t)
{
    if (t->json)
        printf("{");
}

void table_fact(const table *t, const char *name, const char *value)
{
    if (!t->json) {
        print_field(17, name);
        print_field(0, value);
        putchar('\n');
        return;
    }
    print_string(name);
    printf(": ");
    print_string(value);
    printf(",\n ");
}

void table_number(const table *t, const char *name, size_t value)
{
    if (t->json)
        printf("\"%s\": %zu,\n ", name, value);
    else
        printf("%-16s %zu\n", name, value);
}

static void print_row(const char *result, const char *group, const char *check,
                      const char *found)
{
    printf("%-8s  ", result);
    print_field(12, group);
    print_field(43, check);
    print_field(0, found);
    putchar('\n');
}

void table_begin_results(const table *t)
{
    if (t->json)
        printf("\"checks\": [");
    else
        putchar('\n');
    if (!t->json)
        print_row("result", "group", "check", "found");
    fflush(stdout);
}

void table_add(table *t, verdict v, const char *group, const char *check,
               const char *found)
{
    if (t->json) {
        printf("%s\n  {\"group\": ", t->count ? "," : "");
        print_string(group);
        printf(", \"check\": ");
        print_string(check);
        printf(", \"result\": \"%s\", \"found\": ", keys[v]);
        print_string(found);
        printf("}");
    } else {
        print_row(names[v], group, check, found);
    }
    t->of[v]++;
    t->count++;
    fflush(stdout);
    if (v == VERDICT_FAILED || v == VERDICT_UNCHECKED)
        message_error("%s: %s: %s: %s", group, check,
                      v == VERDICT_FAILED ? "failed" : "could not be checked", found);
}

verdict table_end(table *t, double seconds)
{
    const size_t *of = t->of;
    verdict whole = of[VERDICT_FAILED]      ? VERDICT_FAILED
                    : of[VERDICT_UNCHECKED] ? VERDICT_UNCHECKED
                                            : VERDICT_PASSED;
    if (t->json)
        printf("\n ],\n \"passed\": %zu, \"failed\": %zu, \"absent\": %zu,"
               " \"unchecked\": %zu,\n \"seconds\": %.1f, \"verdict\": \"%s\"}\n",
               of[VERDICT_PASSED], of[VERDICT_FAILED], of[VERDICT_ABSENT],
               of[VERDICT_UNCHECKED], seconds, keys[whole]);
    else
        printf("\n%zu passed, %zu failed, %zu not on this machine, %zu could not be "
               "checked; %.0f s\n",
               of[VERDICT_PASSED], of[VERDICT_FAILED], of[VERDICT_ABSENT],
               of[VERDICT_UNCHECKED], seconds);
    if (!t->json && whole == VERDICT_PASSED)
        puts("A report of a fault needs all of the above.");
    fflush(stdout);
    if (whole != VERDICT_PASSED)
        fprintf(stderr, "%s: %s\n", message_program(), ends[whole]);
    return whole;
}
