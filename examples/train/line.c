#include <math.h>
#include <string.h>

#include "examples/common/number.h"
#include "examples/train/line.h"

/* Losses and rates are text at first: %lg takes more than numbers in decimal. */
enum { NUMBER_SIZE = 64 };
#define READ_NUMBER "%63[^,}\n]"

static bool ends_with(const char *path, const char *ending)
{
    size_t size = path ? strlen(path) : 0, tail = strlen(ending);
    return size > tail && strcmp(path + size - tail, ending) == 0;
}

line_format line_format_of(const char *path)
{
    return ends_with(path, ".jsonl") ? LINE_JSON : LINE_CSV;
}

bool line_name_misleads(const char *path)
{
    return ends_with(path, ".json");
}

const char *line_header(line_format format)
{
    return format == LINE_CSV ? LINE_COLUMNS "\n" : "";
}

/* %.9g and %.17g are exact for float and double. */
bool line_write(FILE *log, line_format format, const train_line *line, double accuracy)
{
    static const char json[] = "{\"epoch\": %zu, \"step\": %zu, \"loss\": %.9g, "
                               "\"lr\": %.17g, \"accuracy\": %s, \"seconds\": %.3f}\n";
    char text[32] = "";
    if (accuracy >= 0)
        snprintf(text, sizeof(text), "%.9g", accuracy);
    double loss = (double)line->loss;
    if (format == LINE_CSV)
        return fprintf(log, "%zu,%zu,%.9g,%.17g,%s,%.3f\n", line->epoch, line->step,
                       loss, line->lr, text, line->seconds) >= 0;
    return fprintf(log, json, line->epoch, line->step, loss, line->lr,
                   *text ? text : "null", line->seconds) >= 0;
}

/* Splits a line into the texts of its numbers. An accuracy that is not there is "". */
static bool split(const char *line, line_format format, train_line *out,
                  char (*text)[NUMBER_SIZE])
{
    static const char json[] = "{ \"epoch\": %zu, \"step\": %zu, \"loss\": " READ_NUMBER
                               ", \"lr\": " READ_NUMBER ", \"accuracy\": " READ_NUMBER
                               ", \"seconds\": " READ_NUMBER;
    if (format == LINE_JSON) {
        int count = sscanf(line, json, &out->epoch, &out->step, text[0], text[1],
                           text[2], text[3]);
        if (strcmp(text[2], "null") == 0)
            text[2][0] = '\0';
        return count == 6;
    }
    int end = 0;
    if (sscanf(line, "%zu,%zu," READ_NUMBER "," READ_NUMBER ",%n", &out->epoch,
               &out->step, text[0], text[1], &end) != 4 ||
        end == 0)
        return false;
    text[2][0] = '\0';
    if (line[end] == ',')
        return sscanf(line + end, "," READ_NUMBER, text[3]) == 1;
    return sscanf(line + end, READ_NUMBER "," READ_NUMBER, text[2], text[3]) == 2;
}

bool line_read(const char *text, line_format format, train_line *line, double *accuracy)
{
    char numbers[4][NUMBER_SIZE] = {"", "", "", ""};
    double loss;
    *accuracy = -1;
    if (!split(text, format, line, numbers) || !number_real(numbers[0], &loss) ||
        !number_real(numbers[1], &line->lr) ||
        !number_real(numbers[3], &line->seconds) ||
        (*numbers[2] && !number_real(numbers[2], accuracy)))
        return false;
    line->loss = (float)loss;
    return isfinite(line->loss);
}
