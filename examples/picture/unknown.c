/* Names files that no reader reads, and the command that converts them. */
#include <stdio.h>
#include <string.h>

#include "examples/common/shell.h"
#include "examples/picture/canvas.h"

/* A mark at an offset. In the command, FILE stands for the name of the file; without
 * command the file is not a picture. */
typedef struct signature {
    size_t offset, size;
    const char *bytes, *what, *command;
} signature;

#define IMAGEMAGICK "convert FILE'[0]' FILE.png"

static const signature signatures[] = {
#ifndef PICTURE_PNG
    {0, 8, "\x89PNG\r\n\x1a\n",
     "a PNG picture, and this program was built without libpng (on Debian libpng-dev)",
     "pngtopnm FILE > FILE.pnm"},
#endif
#ifndef PICTURE_JPEG
    {0, 3, "\xff\xd8\xff",
     "a JPEG picture, and this program was built without libjpeg (on Debian "
     "libjpeg-dev)",
     "djpeg -pnm FILE > FILE.pnm"},
#endif
    {8, 4, "WEBP", "a WebP picture", "dwebp FILE -o FILE.png"},
    {0, 4, "GIF8", "a GIF picture", IMAGEMAGICK},
    {0, 4, "II*\0", "a TIFF picture", IMAGEMAGICK},
    {0, 4, "MM\0*", "a TIFF picture", IMAGEMAGICK},
    {0, 4, "II+\0", "a TIFF picture", IMAGEMAGICK},
    {0, 4, "MM\0+", "a TIFF picture", IMAGEMAGICK},
    {4, 8, "ftypavif", "an AVIF picture", "avifdec FILE FILE.png"},
    {4, 8, "ftypavis", "an AVIF picture", "avifdec FILE FILE.png"},
    {4, 7, "ftyphei", "a HEIC picture", "heif-convert FILE FILE.png"},
    {4, 7, "ftyphev", "a HEIC picture", "heif-convert FILE FILE.png"},
    {4, 8, "ftypmif1", "a HEIF picture", "heif-convert FILE FILE.png"},
    {4, 8, "ftypmsf1", "a HEIF picture", "heif-convert FILE FILE.png"},
    {4, 7, "ftypcrx", "a raw picture of a camera", "darktable-cli FILE FILE.png"},
    {0, 8, "FUJIFILM", "a raw picture of a camera", "darktable-cli FILE FILE.png"},
    {0, 2, "\xff\x0a", "a JPEG XL picture", "djxl FILE FILE.png"},
    {0, 12, "\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", "djxl FILE FILE.png"},
    {0, 12, "\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture",
     "opj_decompress -i FILE -o FILE.png"},
    {0, 4, "\xff\x4f\xff\x51", "a JPEG 2000 picture",
     "opj_decompress -i FILE -o FILE.png"},
    {0, 5, "%PDF-", "a PDF document", "pdftoppm -singlefile -png FILE FILE"},
    {0, 4, "%!PS", "a PostScript document", "gs -sDEVICE=png16m -o FILE.png FILE"},
    {0, 4, "\0\0\1\0", "an icon (ICO)", IMAGEMAGICK},
    {0, 4, "\0\0\2\0", "a cursor (CUR) or TGA picture", IMAGEMAGICK},
    {0, 4, "8BPS", "a Photoshop picture (PSD)", IMAGEMAGICK},
    {0, 8, "gimp xcf", "a GIMP picture (XCF)", "convert FILE -flatten FILE.png"},
    {128, 4, "DICM", "a DICOM picture", "dcm2pnm FILE FILE.pnm"},
    {0, 4, "\x76\x2f\x31\x01", "an OpenEXR picture", IMAGEMAGICK},
    {0, 3, "#?R", "a Radiance HDR picture", IMAGEMAGICK},
    {0, 4, "DDS ", "a DDS picture", IMAGEMAGICK},
    {0, 3, "Pf\n", "a PFM picture", IMAGEMAGICK},
    {0, 3, "PF\n", "a PFM picture", IMAGEMAGICK},
    {0, 9, "SIMPLE  =", "a FITS picture", IMAGEMAGICK},
    {0, 9, "/* XPM */", "an XPM picture", IMAGEMAGICK},
    {0, 3, "\x0a\x05\x01", "a PCX picture", IMAGEMAGICK},
    {0, 2, "\x01\xda", "an SGI picture", IMAGEMAGICK},
    {0, 4, "\x59\xa6\x6a\x95", "a Sun raster picture", IMAGEMAGICK},
    {0, 8, "AT&TFORM", "a DjVu document", "ddjvu -format=ppm FILE FILE.ppm"},
    {4, 4, "ftyp", "an MP4 video", NULL},
    {0, 4, "\x1a\x45\xdf\xa3", "a Matroska or WebM video", NULL},
    {0, 4, "RIFF", "a RIFF file, such as WAV or AVI", NULL},
    {0, 4, "PK\3\4",
     "a ZIP archive, such as a PyTorch model, an .npz file or a document", NULL},
    {0, 4, "PK\5\6", "an empty ZIP archive", NULL},
    {0, 2, "\x1f\x8b", "a gzip file", NULL},
    {0, 3, "BZh", "a bzip2 file", NULL},
    {0, 6, "\xfd\x37zXZ\0", "an xz file", NULL},
    {0, 4, "\x28\xb5\x2f\xfd", "a zstd file", NULL},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7z archive", NULL},
    {257, 5, "ustar", "a tar archive", NULL},
    {0, 6, "\x93NUMPY", "a NumPy array (.npy)", NULL},
    {0, 8, "\x89HDF\r\n\x1a\n", "an HDF5 file, such as a Keras model", NULL},
    {0, 4,
     "\x7f"
     "ELF",
     "a program or library (ELF)", NULL},
    {0, 23, "version https://git-lfs",
     "a Git LFS pointer; fetch the file itself with "
     "git lfs pull",
     NULL},
};

/* Marks in text, after blanks, in lower case. */
static const signature texts[] = {
    {0, 9, "<!doctype", "an HTML page", NULL},
    {0, 5, "<html", "an HTML page", NULL},
    {0, 4, "<svg", "an SVG drawing", "rsvg-convert FILE -o FILE.png"},
    {0, 1, "{", "a JSON or other text file", NULL},
    {0, 2, "#!", "a script", NULL},
};

/* Writes a command with the name of the file; false if it does not fit. */
static bool fill_in(char *command, size_t size, const char *template, const char *path)
{
    static const char word[] = "FILE";
    enum { LENGTH = sizeof(word) - 1 };
    command[0] = '\0';
    while (*template) {
        const char *found = strstr(template, word);
        size_t length = found ? (size_t)(found - template) : strlen(template);
        if (!shell_append(command, size, template, length) ||
            (found && !shell_append_file(command, size, path)))
            return false;
        template += length + (found ? LENGTH : 0);
    }
    return true;
}

static bool refuse(canvas *c, const signature *s, const char *path)
{
    char command[1024];
    if (!s->command)
        return canvas_refuse(c, "is %s, expected a picture", s->what);
    if (!path || !fill_in(command, sizeof(command), s->command, path))
        fill_in(command, sizeof(command), s->command, "FILE");
    return canvas_refuse(c, "is %s; convert it with: %s", s->what, command);
}

/* Whether the text at the offset of the mark is the mark. */
static bool matches(content file, const signature *s, bool ignore_case)
{
    if (file.size < s->offset + s->size)
        return false;
    const char *at = (const char *)file.bytes + s->offset;
    return ignore_case ? strncasecmp(at, s->bytes, s->size) == 0
                       : memcmp(at, s->bytes, s->size) == 0;
}

/* Weights of a model begin with the length of a header in JSON. */
static bool is_safetensors(content file)
{
    return file.size > 9 && file.bytes[7] == 0 && file.bytes[8] == '{';
}

static bool is_text(content file)
{
    enum { ENOUGH = 512 };
    for (size_t i = 0; i < file.size && i < ENOUGH; i++)
        if (file.bytes[i] == 0x7f ||
            (file.bytes[i] < ' ' && (file.bytes[i] < '\t' || file.bytes[i] > '\r')))
            return false;
    return true;
}

/* An SVG drawing may begin with a declaration and comments of XML. */
static bool has_svg(content file)
{
    enum { ENOUGH = 4096 };
    size_t size = file.size < ENOUGH ? file.size : ENOUGH;
    return memmem(file.bytes, size, "<svg", 4) != NULL;
}

static bool refuse_text(canvas *c, content file, const char *path)
{
    static const signature svg = {0, 4, "<svg", "an SVG drawing",
                                  "rsvg-convert FILE -o FILE.png"};
    if (canvas_begins(file, "\xef\xbb\xbf", 3))
        file = (content){file.bytes + 3, file.size - 3};
    while (file.size > 0 &&
           (*file.bytes == ' ' || (*file.bytes >= '\t' && *file.bytes <= '\r')))
        file = (content){file.bytes + 1, file.size - 1};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (matches(file, &texts[i], true))
            return refuse(c, &texts[i], path);
    if (canvas_begins(file, "<", 1) && has_svg(file))
        return refuse(c, &svg, path);
    return canvas_refuse(c, "is a text file, expected a picture");
}

bool canvas_refuse_unknown(canvas *c, content file, const char *path)
{
    if (file.size < 2)
        return canvas_refuse(c, "has %zu bytes, expected a picture", file.size);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (matches(file, &signatures[i], false))
            return refuse(c, &signatures[i], path);
    if (is_safetensors(file))
        return canvas_refuse(c, "is a safetensors file, expected a picture");
    if (is_text(file))
        return refuse_text(c, file, path);
    return canvas_refuse(c,
                         "begins with the bytes 0x%02x 0x%02x, expected a picture: %s",
                         file.bytes[0], file.bytes[1], picture_formats());
}
