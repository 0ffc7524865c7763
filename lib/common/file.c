#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "lib/common/file.h"
#include "lib/common/platform.h"

static const common_file_calls *calls = &common_platform_files;

void common_file_set_calls(const common_file_calls *replacement)
{
    calls = replacement ? replacement : &common_platform_files;
}

const common_file_calls *common_file_get_calls(void)
{
    return calls;
}

int common_file_check_kind(mode_t mode)
{
    return S_ISDIR(mode) ? EISDIR : S_ISREG(mode) ? 0 : EINVAL;
}

int common_input_open(common_input *input, const char *path)
{
    /* O_NONBLOCK: opening a named pipe must not wait for its writer. */
    *input = (common_input){
        .file = common_file_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (input->file < 0)
        return errno;
    struct stat facts;
    int error = calls->fstat(input->file, &facts) ? errno : 0;
    if (!error)
        error = common_file_check_kind(facts.st_mode);
    if (!error && (uintmax_t)facts.st_size > SIZE_MAX)
        error = EFBIG;
    if (error)
        common_input_close(input);
    else
        input->size = (size_t)facts.st_size;
    return error;
}

int common_input_read_at(const common_input *input, void *data, size_t size,
                         size_t offset)
{
    char *next = data;
    while (size > 0) {
        ssize_t count = calls->pread(input->file, next, size, (off_t)offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : ENODATA;
        next += count;
        offset += (size_t)count;
        size -= (size_t)count;
    }
    return 0;
}

void common_input_close(common_input *input)
{
    calls->close(input->file);
    input->file = COMMON_NO_FILE;
}
