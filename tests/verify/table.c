#include <stdio.h>
#include <string.h>

#include "tests/verify/table.h"

static const char *const names[] = {"passed", "FAILED", "not here"};
static const char *const keys[] = {"passed", "failed", "absent"};

/* Prints a JSON string. What is not ASCII becomes "?": such bytes come only from names
 * of processors and messages of the system. */
static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else
            putchar(*text >= ' ' && *text <= '~' ? *text : '?');
    putchar('"');
}

void table_begin(table *t, const char *const *facts)
{
    if (t->json)
        printf("{");
    for (; *facts; facts += 2)
        if (t->json) {
            print_string(facts[0]);
            printf(": ");
            print_string(facts[1]);
            printf(",\n ");
        } else {
            printf("%-10s %s\n", facts[0], facts[1]);
        }
    printf(t->json ? "\"checks\": [" : "\n");
    fflush(stdout);
}

void table_add(table *t, verdict v, const char *group, const char *check,
               const char *found)
{
    t->failed += v == VERDICT_FAILED;
    t->absent += v == VERDICT_ABSENT;
    if (t->json) {
        printf("%s\n  {\"group\": ", t->count ? "," : "");
        print_string(group);
        printf(", \"check\": ");
        print_string(check);
        printf(", \"result\": \"%s\", \"found\": ", keys[v]);
        print_string(found);
        printf("}");
    } else {
        printf("%-8s  %-10s  %-40s  %s\n", names[v], group, check, found);
    }
    t->count++;
    fflush(stdout);
}

bool table_end(table *t, double seconds)
{
    size_t passed = t->count - t->failed - t->absent;
    if (t->json)
        printf("\n ],\n \"passed\": %zu, \"failed\": %zu, \"absent\": %zu}\n", passed,
               t->failed, t->absent);
    else
        printf("\n%zu passed, %zu failed, %zu not on this machine; %.0f s\n", passed,
               t->failed, t->absent, seconds);
    if (t->failed)
        fputs("lstm-verify: do not use this library on this machine. Report the table "
              "above, how the\nlibrary was built or where the package comes from, and "
              "the output of `uname -a`.\n",
              stderr);
    return t->failed == 0;
}
