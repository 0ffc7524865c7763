#include <stdlib.h>
#include <string.h>

#include "examples/picture/canvas.h"

/* The beginning of the files of a reader. */
typedef struct format {
    const char *name;
    size_t size;
    char bytes[8];
    canvas_reader *read;
} format;

static const format formats[] = {
#ifdef PICTURE_PNG
    {"PNG", 8, "\x89PNG\r\n\x1a\n", canvas_read_png},
#endif
#ifdef PICTURE_JPEG
    {"JPEG", 3, "\xff\xd8\xff", canvas_read_jpeg},
#endif
    {"PBM", 2, "P1", canvas_read_netpbm},
    {"PGM", 2, "P2", canvas_read_netpbm},
    {"PPM", 2, "P3", canvas_read_netpbm},
    {"PBM", 2, "P4", canvas_read_netpbm},
    {"PGM", 2, "P5", canvas_read_netpbm},
    {"PPM", 2, "P6", canvas_read_netpbm},
    {"PAM", 2, "P7", canvas_read_netpbm},
    {"BMP", 2, "BM", canvas_read_bmp},
    {"QOI", 4, "qoif", canvas_read_qoi},
    {"farbfeld", 8, "farbfeld", canvas_read_farbfeld},
};

bool canvas_begins(content file, const char *bytes, size_t count)
{
    return file.size >= count && memcmp(file.bytes, bytes, count) == 0;
}

/* Two letters are a weak mark: text may begin with them, too. */
static bool has_format(content file, const format *f)
{
    if (!canvas_begins(file, f->bytes, f->size))
        return false;
    if (f->read == canvas_read_netpbm)
        return file.size == 2 || strchr(" \t\n\v\f\r#", file.bytes[2]);
    /* The size of the header, below 256. */
    return f->read != canvas_read_bmp || file.size < 18 ||
           (file.bytes[15] == 0 && file.bytes[16] == 0 && file.bytes[17] == 0);
}

static bool read(canvas *c, content file, const char *path)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (has_format(file, &formats[i])) {
            c->format = formats[i].name;
            return formats[i].read(c, file);
        }
    return canvas_refuse_unknown(c, file, path);
}

bool picture_read(picture *out, const uint8_t *bytes, size_t size, const char *path,
                  char *why, size_t why_size)
{
    canvas c = {.orientation = 1, .why = why, .why_size = why_size};
    *out = (picture){0};
    bool done = read(&c, (content){bytes, size}, path) && canvas_finish(&c, out);
    canvas_free(&c);
    return done;
}

void picture_free(picture *p)
{
    free(p->pixels);
    *p = (picture){0};
}

const char *picture_formats(void)
{
    return
#ifdef PICTURE_PNG
        "PNG, "
#endif
#ifdef PICTURE_JPEG
        "JPEG, "
#endif
        "PBM, PGM, PPM, PAM, BMP, QOI or farbfeld";
}
