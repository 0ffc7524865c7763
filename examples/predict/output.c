#include <unistd.h>

#include "examples/common/message.h"
#include "examples/predict/doubt.h"
#include "examples/predict/output.h"

enum { TEN_DIGITS = 10 };

output_answer output_judge(output_image image, const double *probabilities,
                           size_t classes, const char *doubt)
{
    output_answer answer = {
        .image = image, .probabilities = probabilities, .doubt = doubt};
    for (size_t i = 1; i < classes; i++)
        if (probabilities[i] > probabilities[answer.best])
            answer.best = i;
    answer.second = answer.best == 0 && classes > 1;
    for (size_t i = 0; i < classes; i++)
        if (i != answer.best && probabilities[i] > probabilities[answer.second])
            answer.second = i;
    answer.unsure = doubt || probabilities[answer.best] < DOUBT_PROBABILITY;
    return answer;
}

/* The name of a file, on a terminal without what would control it. */
static void print_name(const char *file)
{
    char name[8192];
    if (!isatty(STDOUT_FILENO)) {
        printf("%s", file);
        return;
    }
    snprintf(name, sizeof(name), "%s", file);
    message_clean(name, sizeof(name));
    printf("%s", name);
}

static void print_text(const output *o, const output_answer *a)
{
    print_name(a->image.file);
    if (a->image.indexed)
        printf("[%zu]", a->image.index);
    printf(": %zu ", a->best);
    if (a->unsure)
        printf("(unsure, %zu or %zu%s%s) ", a->best, a->second, a->doubt ? "; " : "",
               a->doubt ? a->doubt : "");
    for (size_t i = 0; i < o->classes; i++)
        printf(" %zu %.2f%%", i, 100 * a->probabilities[i]);
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
static void print_json_string(const char *text)
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

/* Begins an object with the fields of an image. */
static void begin_object(output *o, const output_image *image)
{
    fputs(o->objects++ ? ",\n{\"file\": " : "\n{\"file\": ", stdout);
    print_json_string(image->file);
    if (image->indexed)
        printf(", \"index\": %zu", image->index);
    if (image->label >= 0)
        printf(", \"label\": %d", image->label);
}

static void print_json_answer(const output *o, const output_answer *a)
{
    printf("\"class\": %zu, \"unsure\": %s, ", a->best, a->unsure ? "true" : "false");
    if (a->doubt)
        printf("\"doubt\": \"%s\", ", a->doubt);
    fputs("\"probabilities\": [", stdout);
    for (size_t i = 0; i < o->classes; i++)
        printf("%s%.9g", i ? ", " : "", a->probabilities[i]);
    putchar(']');
}

/* Prints a field of RFC 4180: in quotes if it needs them. */
static void print_csv_string(const char *text)
{
    bool quoted = false;
    for (const char *at = text; *at; at++)
        quoted = quoted || *at == ',' || *at == '"' || *at == '\n' || *at == '\r';
    if (quoted)
        putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    if (quoted)
        putchar('"');
}

static void begin_row(const output_image *image)
{
    print_csv_string(image->file);
    putchar(',');
    if (image->indexed)
        printf("%zu", image->index);
    putchar(',');
    if (image->label >= 0)
        printf("%d", image->label);
}

static void print_csv(const output *o, const output_answer *a)
{
    begin_row(&a->image);
    printf(",%zu,%d,", a->best, a->unsure);
    for (size_t i = 0; i < o->classes; i++)
        printf(",%.9g", a->probabilities[i]);
    putchar('\n');
}

void output_begin(output *o)
{
    if (o->kind == OUTPUT_JSON)
        putchar('[');
    if (o->kind != OUTPUT_CSV)
        return;
    fputs("file,index,label,class,unsure,error", stdout);
    for (size_t i = 0; i < o->classes; i++)
        printf(",p%zu", i);
    putchar('\n');
}

void output_end(const output *o)
{
    if (o->kind == OUTPUT_JSON)
        fputs("\n]\n", stdout);
}

void output_print(output *o, const output_answer *answer)
{
    if (o->kind == OUTPUT_TEXT) {
        print_text(o, answer);
    } else if (o->kind == OUTPUT_CSV) {
        print_csv(o, answer);
    } else {
        begin_object(o, &answer->image);
        fputs(", ", stdout);
        print_json_answer(o, answer);
        putchar('}');
    }
}

/* The classes of all digits as one number. Classes of two digits are kept apart. */
static void print_number(const output *o, const output_answer *answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs(i && o->classes > TEN_DIGITS ? " " : "", stdout);
        if (answers[i].sign)
            putchar(answers[i].sign);
        else
            printf("%zu", answers[i].best);
    }
}

static void print_json_digits(output *o, const output_answer *answers, size_t count)
{
    const output_image whole = {.file = answers->image.file, .label = -1};
    begin_object(o, &whole);
    fputs(", \"number\": \"", stdout);
    print_number(o, answers, count);
    fputs("\", \"digits\": [", stdout);
    for (size_t i = 0; i < count; i++) {
        const mnist_box *box = answers[i].box;
        fputs(i ? ",\n  {" : "\n  {", stdout);
        printf("\"box\": {\"top\": %zu, \"left\": %zu, \"rows\": %zu, \"cols\": %zu}, ",
               box->top, box->left, box->rows, box->cols);
        print_json_answer(o, &answers[i]);
        putchar('}');
    }
    fputs("]}", stdout);
}

void output_print_digits(output *o, const output_answer *answers, size_t count)
{
    if (o->kind == OUTPUT_JSON) {
        print_json_digits(o, answers, count);
        return;
    }
    if (o->kind == OUTPUT_TEXT) {
        printf("%s: ", answers->image.file);
        print_number(o, answers, count);
        putchar('\n');
    }
    for (size_t i = 0; i < count; i++)
        output_print(o, &answers[i]);
}

void output_print_error(output *o, const output_image *image, const char *why)
{
    if (o->kind == OUTPUT_CSV) {
        begin_row(image);
        fputs(",,,", stdout);
        print_csv_string(why);
        for (size_t i = 0; i < o->classes; i++)
            putchar(',');
        putchar('\n');
    } else if (o->kind == OUTPUT_JSON) {
        begin_object(o, image);
        fputs(", \"class\": null, \"probabilities\": null, \"error\": ", stdout);
        print_json_string(why);
        putchar('}');
    }
}

void output_draw(FILE *to, const uint8_t *pixels)
{
    static const char inks[] = " .:-=+*#%@";
    for (size_t row = 0; row < MODEL_SIDE; row++) {
        for (size_t col = 0; col < MODEL_SIDE; col++) {
            char ink = inks[pixels[row * MODEL_SIDE + col] * 10 / 256];
            fputc(ink, to);
            fputc(ink, to);
        }
        fputc('\n', to);
    }
}
