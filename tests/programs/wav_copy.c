/*
 * wav-copy: reads a sound and writes it in an encoding, for the tests of the reader and
 * the writer. Prints what it has read.
 *
 * usage: wav-copy IN.wav CHANNEL OUT.wav ENCODING
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/wav/wav.h"

static int copy(const wav *sound, const char *path, const char *name)
{
    size_t encoding = 0;
    wav_report report;
    while (wav_encoding_names[encoding] &&
           strcmp(wav_encoding_names[encoding], name) != 0)
        encoding++;
    if (!wav_write(path, sound->samples, sound->count, sound->rate,
                   (wav_encoding)encoding, &report))
        return 1;
    printf("%zu %lu %u %s %zu\n%zu %.9g\n", sound->count, (unsigned long)sound->rate,
           sound->channels, wav_encoding_names[sound->encoding], sound->surplus,
           report.beyond, (double)report.peak);
    for (size_t i = 0; i < sound->count; i++)
        printf("%.9g\n", (double)sound->samples[i]);
    return 0;
}

int main(int argc, char **argv)
{
    input content;
    wav sound;
    char why[1000];
    message_set_program("wav-copy");
    if (argc != 5 || !input_read(&content, argv[1], WAV_MOST_BYTES))
        return 2;
    unsigned channel = (unsigned)strtoul(argv[2], NULL, 10);
    bool read =
        wav_read(&sound, content.bytes, content.size, channel, why, sizeof(why));
    int status = read ? copy(&sound, argv[3], argv[4]) : 1;
    if (!read)
        message_error("%s", why);
    wav_free(&sound);
    input_free(&content);
    return message_finish(status);
}
