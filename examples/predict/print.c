#include "examples/predict/print.h"
#include "examples/predict/model.h"

static size_t best_of(const prediction *p)
{
    size_t best = 0;
    for (size_t i = 1; i < p->classes; i++)
        if (p->probabilities[i] > p->probabilities[best])
            best = i;
    return best;
}

void print_text(const prediction *p)
{
    printf("%s", p->file);
    if (p->indexed)
        printf("[%zu]", p->index);
    printf(": %zu ", best_of(p));
    for (size_t i = 0; i < p->classes; i++)
        printf(" %zu %.2f%%", i, 100 * p->probabilities[i]);
    putchar('\n');
}

/* Length of the UTF-8 character at text; 0 if it is not valid. */
static size_t character_at(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *text < 0x80                    ? 1
                    : *text >= 0xc0 && *text < 0xe0 ? 2
                    : *text >= 0xe0 && *text < 0xf0 ? 3
                    : *text >= 0xf0 && *text < 0xf8 ? 4
                                                    : 0;
    if (length < 2)
        return length;
    uint32_t code = *text & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return code >= least[length] && code < 0x110000 && !surrogate ? length : 0;
}

/* Prints a JSON string; bytes that are not valid UTF-8 become U+FFFD. */
static void print_string(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    putchar('"');
    while (*at) {
        size_t length = character_at(at);
        if (length == 0)
            fputs("\\ufffd", stdout);
        else if (*at < 0x20)
            printf("\\u%04x", *at);
        else if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else
            fwrite(at, 1, length, stdout);
        at += length ? length : 1;
    }
    putchar('"');
}

void print_json(const prediction *p)
{
    fputs("{\"file\": ", stdout);
    print_string(p->file);
    if (p->indexed)
        printf(", \"index\": %zu", p->index);
    printf(", \"class\": %zu, \"probabilities\": [", best_of(p));
    for (size_t i = 0; i < p->classes; i++)
        printf("%s%.9g", i ? ", " : "", p->probabilities[i]);
    fputs("]}", stdout);
}

void print_image(FILE *to, const uint8_t *image)
{
    static const char inks[] = " .:-=+*#%@";
    for (size_t row = 0; row < MODEL_SIDE; row++) {
        for (size_t col = 0; col < MODEL_SIDE; col++) {
            char ink = inks[image[row * MODEL_SIDE + col] * 10 / 256];
            fputc(ink, to);
            fputc(ink, to);
        }
        fputc('\n', to);
    }
}
