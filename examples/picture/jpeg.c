/*
 * JPEG with libjpeg: baseline and progressive, grey, YCbCr, RGB, CMYK and YCCK.
 *
 * libjpeg ends a failed call with error_exit(), which must not return: it jumps. All
 * that is freed afterwards is in a job, which belongs to the caller of the function
 * with setjmp().
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "examples/picture/canvas.h"

enum {
    BLOCK = 8,
    EXIF_MARKER = JPEG_APP0 + 1,
    EXIF_NAME = 6,
    LONGEST_MARKER = 65533,
    END_OF_IMAGE = 0xd9,
    /* Most blocks of one bit. Only a large picture that is all white has more. */
    ARITHMETIC_MOST = 64,
    /* Progressive pictures have about 10 scans. Each scan takes the time of a whole
     * picture. */
    MOST_SCANS = 100,
    MOST_MEMORY = 1 << 30
};

typedef struct job {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    canvas *to;
    content file;
    /* A row. */
    JSAMPLE *samples;
} job;

_Noreturn static void fail(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    canvas_refuse(j->to, "%s", text);
    longjmp(j->escape, 1);
}

/* A warning means that data are missing or damaged; but bytes before the end of the
 * image, which some cameras write, change no pixel. */
static void warn(j_common_ptr jpeg, int level)
{
    const struct jpeg_error_mgr *errors = jpeg->err;
    if (level >= 0 || errors->msg_code == JWRN_JFIF_MAJOR ||
        (errors->msg_code == JWRN_EXTRANEOUS_DATA &&
         errors->msg_parm.i[1] == END_OF_IMAGE))
        return;
    fail(jpeg);
}

static void count_scans(j_common_ptr jpeg)
{
    job *j = jpeg->client_data;
    if (j->jpeg.input_scan_number <= MOST_SCANS)
        return;
    canvas_refuse(j->to, "has more than %d scans, the limit", MOST_SCANS);
    longjmp(j->escape, 1);
}

/* Whether the file can have all pixels. Each block of the first component has at least
 * one bit; with arithmetic coding it may have less, but then a small file could take
 * any memory, so there is a limit, too. */
static bool can_have_pixels(job *j)
{
    const struct jpeg_decompress_struct *jpeg = &j->jpeg;
    const jpeg_component_info *first = jpeg->comp_info;
    uint64_t across = jpeg->image_width * (uint64_t)first->h_samp_factor /
                      ((uint64_t)jpeg->max_h_samp_factor * BLOCK);
    uint64_t down = jpeg->image_height * (uint64_t)first->v_samp_factor /
                    ((uint64_t)jpeg->max_v_samp_factor * BLOCK);
    uint64_t blocks_per_bit = jpeg->arith_code ? ARITHMETIC_MOST : 1;
    return across * down / (8 * blocks_per_bit) <= j->file.size ||
           canvas_refuse(j->to,
                         "is truncated: has %zu bytes, too few for %u by %u pixels",
                         j->file.size, jpeg->image_height, jpeg->image_width);
}

/* EXIF data are a marker that begins with this name. */
static void read_orientation(job *j)
{
    jpeg_saved_marker_ptr marker = j->jpeg.marker_list;
    for (; marker; marker = marker->next)
        if (marker->data_length > EXIF_NAME &&
            memcmp(marker->data, "Exif\0\0", EXIF_NAME) == 0) {
            j->to->orientation = canvas_exif_orientation(
                (content){marker->data + EXIF_NAME, marker->data_length - EXIF_NAME});
            return;
        }
}

/* libjpeg converts YCbCr to grey, and YCCK to CMYK. */
static void choose_colours(struct jpeg_decompress_struct *jpeg)
{
    if (jpeg->num_components == 4)
        jpeg->out_color_space = JCS_CMYK;
    else if (jpeg->jpeg_color_space != JCS_RGB)
        jpeg->out_color_space = JCS_GRAYSCALE;
}

/* Adobe's programs store the inks inverted: 255 is no ink. */
static void print_inks(const job *j, JSAMPLE *samples)
{
    bool inverted = j->jpeg.saw_Adobe_marker;
    for (size_t i = 0; i < j->jpeg.output_width; i++) {
        JSAMPLE *at = samples + 4 * i;
        for (int ink = 0; ink < 4 && !inverted; ink++)
            at[ink] = (JSAMPLE)(255 - at[ink]);
        for (int ink = 0; ink < 3; ink++)
            samples[3 * i + (size_t)ink] = (JSAMPLE)((at[ink] * at[3] + 127) / 255);
    }
}

static void read_rows(job *j)
{
    unsigned channels = (unsigned)j->jpeg.output_components;
    while (j->jpeg.output_scanline < j->jpeg.output_height) {
        size_t row = j->jpeg.output_scanline;
        JSAMPROW rows[] = {j->samples};
        jpeg_read_scanlines(&j->jpeg, rows, 1);
        if (channels == 4)
            print_inks(j, j->samples);
        canvas_put_row(j->to, row, j->samples, channels == 4 ? 3 : channels);
    }
}

static bool allocate(job *j)
{
    size_t size = (size_t)j->jpeg.output_width * (size_t)j->jpeg.output_components;
    if (!canvas_create(j->to, j->jpeg.output_height, j->jpeg.output_width, false))
        return false;
    j->samples = malloc(size);
    return j->samples || canvas_refuse(j->to, "no memory for a row of its samples");
}

static bool read_jpeg(job *j)
{
    if (setjmp(j->escape))
        return false;
    jpeg_create_decompress(&j->jpeg);
    j->jpeg.progress = &j->progress;
    j->jpeg.mem->max_memory_to_use = MOST_MEMORY;
    jpeg_mem_src(&j->jpeg, (unsigned char *)(uintptr_t)j->file.bytes,
                 (unsigned long)j->file.size);
    jpeg_save_markers(&j->jpeg, EXIF_MARKER, LONGEST_MARKER);
    jpeg_read_header(&j->jpeg, TRUE);
    if (!canvas_check(j->to, j->jpeg.image_height, j->jpeg.image_width) ||
        !can_have_pixels(j))
        return false;
    choose_colours(&j->jpeg);
    read_orientation(j);
    jpeg_start_decompress(&j->jpeg);
    if (!allocate(j))
        return false;
    read_rows(j);
    jpeg_finish_decompress(&j->jpeg);
    return true;
}

bool canvas_read_jpeg(canvas *c, content file)
{
    job j = {.to = c, .file = file};
    j.jpeg.err = jpeg_std_error(&j.errors);
    j.jpeg.client_data = &j;
    j.errors.error_exit = fail;
    j.errors.emit_message = warn;
    j.progress.progress_monitor = count_scans;
    bool done = read_jpeg(&j);
    jpeg_destroy_decompress(&j.jpeg);
    free(j.samples);
    return done;
}
