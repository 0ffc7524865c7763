#include <string.h>

#include "examples/common/markup.h"

/* What stands for the character at text, or NULL for itself. */
static const char *entity(const char *text)
{
    switch (*text) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return (unsigned char)*text < ' ' ? " " : NULL;
    }
}

/* Whether U+FFFE or U+FFFF is at text, which XML does not allow. */
static bool is_no_character(const char *text)
{
    return strncmp(text, "\xef\xbf\xbe", 3) == 0 ||
           strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

void markup_text(FILE *file, const char *text)
{
    for (; *text; text++) {
        const char *other = entity(text);
        if (other) {
            fputs(other, file);
        } else if (is_no_character(text)) {
            fputc('?', file);
            text += 2;
        } else {
            fputc(*text, file);
        }
    }
}

bool markup_is_titled(const char *path, const char *title)
{
    static const char tag[] = "<title>";
    char head[1024];
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(head, 1, sizeof(head) - 1, file);
    fclose(file);
    head[length] = '\0';
    const char *found = strncmp(head, "<svg ", 5) == 0 ? strstr(head, tag) : NULL;
    return found && strncmp(found + strlen(tag), title, strlen(title)) == 0;
}
