/*
 * picture-pgm: reads a picture as mnist-predict does and writes it as PGM, for the
 * tests of the readers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/picture/picture.h"

enum { LARGEST_FILE = 1 << 28 };

int main(int argc, char **argv)
{
    input content;
    picture read;
    char why[2048];
    message_set_program("picture-pgm");
    if (argc != 2 || !input_read(&content, argv[1], LARGEST_FILE))
        return 2;
    if (!picture_read(&read, content.bytes, content.size, argv[1], why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        input_free(&content);
        return 1;
    }
    printf("P5 %zu %zu 255\n", read.cols, read.rows);
    fwrite(read.pixels, 1, read.rows * read.cols, stdout);
    picture_free(&read);
    input_free(&content);
    return message_finish(0);
}
