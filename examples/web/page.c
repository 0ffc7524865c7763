/*
 * What the script of the page calls in WebAssembly. There is one page, one canvas and
 * one network. Addresses are those of the memory that the script sees.
 */
#include <stdlib.h>
#include <string.h>

#include <lstm/threads.h>

#include "examples/predict/doubt.h"
#include "examples/web/raster.h"
#include "examples/web/reader.h"

#define EXPORT(name) __attribute__((export_name(#name), used)) name

static raster canvas;
static reader network;
static uint8_t pixels[RASTER_PIXELS];

/* Memory for the model; NULL if there is not enough. */
void *EXPORT(page_reserve)(size_t size);
/* Loads the model and frees its memory; false on failure. */
bool EXPORT(page_open)(void *model, size_t size);
/* The reason of the last failure. */
const char *EXPORT(page_why)(void);
/* An answer below this probability is unsure. */
double EXPORT(page_sure)(void);
/* Same bits as on every processor, or faster. */
void EXPORT(page_reproducible)(bool on);
/* The canvas. */
int EXPORT(page_side)(void);
void EXPORT(page_clear)(void);
void EXPORT(page_line)(float x0, float y0, float x1, float y1, float width);
/* Reads the canvas; returns a reader_result. */
int EXPORT(page_read)(bool inverted);
/* The pixels that were read, as on the canvas. */
const uint8_t *EXPORT(page_pixels)(void);
/* [28, 28] bytes, [28, 10] double, and [28, 10] float. */
const uint8_t *EXPORT(page_image)(void);
const double *EXPORT(page_probabilities)(void);
const float *EXPORT(page_logits)(void);

void *page_reserve(size_t size)
{
    return malloc(size);
}

bool page_open(void *model, size_t size)
{
    reader_close(&network);
    bool done = reader_open(&network, model, size);
    free(model);
    return done;
}

const char *page_why(void)
{
    return network.why;
}

double page_sure(void)
{
    return DOUBT_PROBABILITY;
}

void page_reproducible(bool on)
{
    lstm_set_reproducible(on);
}

int page_side(void)
{
    return RASTER_SIDE;
}

void page_clear(void)
{
    memset(&canvas, 0, sizeof(canvas));
}

void page_line(float x0, float y0, float x1, float y1, float width)
{
    raster_line(&canvas, x0, y0, x1, y1, width);
}

int page_read(bool inverted)
{
    raster_grey(&canvas, inverted, pixels);
    return (int)reader_read(&network, pixels, RASTER_SIDE, RASTER_SIDE);
}

const uint8_t *page_pixels(void)
{
    return pixels;
}

const uint8_t *page_image(void)
{
    return network.image;
}

const double *page_probabilities(void)
{
    return network.probabilities[0];
}

const float *page_logits(void)
{
    return lstm_tensor_data(network.logits);
}
