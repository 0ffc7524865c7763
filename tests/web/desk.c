/*
 * Reads drawings as the page does, on this machine, for comparisons with the page:
 *
 *     test-web-desk MODEL < DRAWINGS
 *
 * A drawing is lines "X0 Y0 X1 Y1 WIDTH" and then a line "read" or "read inverted". For
 * each drawing the program prints the result, and the bits of the image and of the
 * scores after each row in hexadecimal digits.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/input.h"
#include "examples/web/raster.h"
#include "examples/web/reader.h"

static raster canvas;
static reader network;
static uint8_t pixels[RASTER_PIXELS];

static void print_bits(void)
{
    const float *logits = lstm_tensor_data(network.logits);
    for (size_t i = 0; i < READER_PIXELS; i++)
        printf("%02x", network.image[i]);
    putchar(' ');
    for (size_t i = 0; i < READER_SIDE * READER_CLASSES; i++) {
        uint32_t bits;
        memcpy(&bits, &logits[i], sizeof(bits));
        printf("%08" PRIx32, bits);
    }
}

static void read_canvas(bool inverted)
{
    raster_grey(&canvas, inverted, pixels);
    reader_result result = reader_read(&network, pixels, RASTER_SIDE, RASTER_SIDE);
    printf("%d ", (int)result);
    if (result == READER_ANSWER)
        print_bits();
    putchar('\n');
    memset(&canvas, 0, sizeof(canvas));
}

static bool read_drawings(void)
{
    char line[256];
    while (fgets(line, sizeof(line), stdin)) {
        float x0, y0, x1, y1, width;
        if (sscanf(line, "%f %f %f %f %f", &x0, &y0, &x1, &y1, &width) == 5)
            raster_line(&canvas, x0, y0, x1, y1, width);
        else if (strcmp(line, "read\n") == 0 || strcmp(line, "read inverted\n") == 0)
            read_canvas(line[4] == ' ');
        else
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    input model;
    if (argc != 2 || !input_read(&model, argv[1], SIZE_MAX / 4))
        return EXIT_FAILURE;
    bool done = reader_open(&network, model.bytes, model.size);
    if (!done)
        printf("%s\n", network.why);
    done = done && read_drawings();
    reader_close(&network);
    input_free(&model);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
