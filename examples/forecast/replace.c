#include <errno.h>
#include <sys/stat.h>

#include <lstm/lstm.h>

#include "examples/common/markup.h"
#include "examples/common/message.h"
#include "examples/common/output.h"
#include "examples/forecast/replace.h"

/* Whether the file begins as a chart of forecast does; false for one that cannot be
 * read. */
static bool is_chart(const char *path)
{
    return markup_is_titled(path, FORECAST_TITLE);
}

static bool is_model(const char *path)
{
    lstm_file *file = NULL;
    bool found = lstm_file_open(&file, path) == LSTM_OK &&
                 lstm_file_metadata(file, FORECAST_KEY);
    lstm_file_destroy(&file);
    return found;
}

static bool check(const forecast_options *options, const char *path, const char *what,
                  bool (*is_own)(const char *))
{
    struct stat facts;
    if (!path)
        return true;
    if (output_same_file(path, options->path))
        return message_error("%s: is the table, which the %s would replace", path,
                             what);
    if (stat(path, &facts) != 0)
        return errno != ENOENT ? message_error("%s: %s", path, message_errno())
                               : output_check(path);
    if (options->force || !S_ISREG(facts.st_mode) || facts.st_size == 0 || is_own(path))
        return output_check(path);
    return message_error("%s: exists and is not a %s of forecast; --force replaces it",
                         path, what);
}

bool replace_check(const forecast_options *options)
{
    return check(options, options->svg, "chart", is_chart) &&
           check(options, options->save, "model", is_model);
}
