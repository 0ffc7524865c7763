#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "examples/embed/name.h"

/* Keywords of C and C++, macros that compilers and <stddef.h> define, and main. */
static const char taken[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char "
    "class co_await co_return co_yield compl concept const const_cast consteval "
    "constexpr constinit continue decltype default delete do double dynamic_cast else "
    "enum explicit export extern false float for friend goto if inline int long "
    "mutable namespace new noexcept not not_eq nullptr operator or or_eq private "
    "protected public register reinterpret_cast requires restrict return short signed "
    "sizeof static static_assert static_cast struct switch template this thread_local "
    "throw true try typedef typeid typename typeof typeof_unqual union unsigned using "
    "virtual void volatile while xor xor_eq "
    "NULL offsetof linux unix main ";

/* Standard types, and POSIX's reserved names. */
static bool is_type(const char *name)
{
    size_t length = strlen(name);
    return length > 2 && strcmp(name + length - 2, "_t") == 0;
}

bool name_is_free(const char *name)
{
    char between_blanks[40];
    snprintf(between_blanks, sizeof(between_blanks), " %s ", name);
    if (!isalpha((unsigned char)*name) || strstr(taken, between_blanks) ||
        is_type(name))
        return false;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}
