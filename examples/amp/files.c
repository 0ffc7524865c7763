#include <string.h>
#include <sys/stat.h>

#include "examples/amp/files.h"
#include "examples/common/message.h"
#include "examples/common/output.h"

const float *files_parameter(const lstm_params *params, const char *name)
{
    for (size_t i = 0; i < lstm_params_size(params); i++)
        if (strcmp(lstm_params_name(params, i), name) == 0)
            return lstm_tensor_data(lstm_params_value(params, i));
    return NULL;
}

bool files_may_replace(const char *path, const amp_options *options)
{
    struct stat facts;
    if (!options->force && stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
        return message_error("%s: the file exists; --force replaces it", path);
    return output_check(path);
}

bool files_may_write(const export_model *model, const amp_options *options)
{
    bool used = !options->format_given;
    for (int i = 0; i < options->out_count; i++) {
        const char *path = options->outs[i];
        amp_format format;
        if (!amp_options_format(options, path, &format) ||
            (format != AMP_SAFETENSORS && !export_check(model, format, path)) ||
            !files_may_replace(path, options))
            return false;
        used = used || (int)format == options->format;
    }
    return used || message_error("--format is that of none of the files");
}
