/*
 * The page is WIDTH wide. Above stand the image and, with the same rows, the curves;
 * below, for each direction of a layer, a panel of heat maps with a column for each
 * unit. Zero is transparent in heat maps, so that they need one palette for light and
 * dark pages.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "examples/common/markup.h"
#include "examples/common/message.h"
#include "examples/common/number.h"
#include "examples/common/output.h"
#include "examples/predict/drawing.h"

enum {
    WIDTH = 1000,
    LEFT = 60,
    TOP = 118,
    /** Side of a pixel of the image, which is the height of a row. */
    PIXEL = 12,
    IMAGE_END = LEFT + MODEL_SIDE * PIXEL,
    ROWS_END = TOP + MODEL_SIDE * PIXEL,
    /** The best class so far, the curves, the legend. */
    BEST = IMAGE_END + 28,
    CURVES = BEST + 34,
    CURVES_WIDTH = 310,
    LEGEND = CURVES + CURVES_WIDTH + 24,
    /** Curves with a style of their own, the answer first. */
    STYLES = 8,
    /** Heat maps. */
    PANELS = ROWS_END + 132,
    PANEL_PITCH = 312,
    PANEL_TOP = 34,
    CELL_WIDTH = 16,
    CELL_HEIGHT = 8,
    MAP_WIDTH = EXPLAIN_UNITS * CELL_WIDTH,
    MAP_PITCH = 155,
    /* Bytes of a name in the title. It fits if all are W of bold DejaVu Sans, a wide
     * font that many systems have. */
    NAME = 30
};

/* A class and its largest probability. */
typedef struct curve {
    size_t class, row;
    double peak;
} curve;

typedef struct drawing {
    FILE *file;
    const explanation *e;
    /** [classes] the answer, then in falling order of peaks. */
    curve *curves;
} drawing;

static const char style[] =
    "<style>\n"
    "svg{color-scheme:light dark;background:#fff}\n"
    ".page{fill:#fff}text{fill:#222}.soft{fill:#666}.grid{stroke:#ddd}"
    ".frame{fill:none;stroke:#999}\n"
    ".ink{fill:#111}.up{fill:#c44e00}.down{fill:#0069a8}\n"
    ".curve{fill:none;stroke-width:2}.mark{stroke:none}\n"
    ".k0{stroke:#111;stroke-width:3.5}.k1{stroke:#0072b2}"
    ".k2{stroke:#d55e00;stroke-dasharray:7 3}.k3{stroke:#009e73;stroke-dasharray:2 2}\n"
    ".k4{stroke:#aa4499;stroke-dasharray:9 2 2 2}.k5{stroke:#b37a00}"
    ".k6{stroke:#3a9bd9;stroke-dasharray:7 3}.k7{stroke:#882255;stroke-dasharray:2 2}\n"
    ".k8{stroke:#aaa;stroke-width:1}\n"
    "@media (prefers-color-scheme:dark){\n"
    "svg{background:#16181c}.page{fill:#16181c}text{fill:#e6e6e6}.soft{fill:#a6a6a6}"
    ".grid{stroke:#3a3d42}.frame{stroke:#777}\n"
    ".ink{fill:#f2f2f2}.up{fill:#ff9a52}.down{fill:#5cb8f2}\n"
    ".k0{stroke:#f2f2f2}.k1{stroke:#4da3e0}.k2{stroke:#ff8a4c}.k3{stroke:#2ec4a0}"
    ".k4{stroke:#e08fd0}.k5{stroke:#f0b840}.k6{stroke:#a5dcfa}.k7{stroke:#e07a9c}"
    ".k8{stroke:#666}\n"
    "}\n</style>\n";

static void begin_text(const drawing *d, double x, double y, const char *more)
{
    fprintf(d->file, "<text x='%.4g' y='%.4g'%s>", x, y, more);
}

static void put_words(const drawing *d, double x, double y, const char *more,
                      const char *text)
{
    begin_text(d, x, y, more);
    markup_text(d->file, text);
    fputs("</text>\n", d->file);
}

/* The last part of a path, without what a page cannot have, cut at the begin. */
static void shorten(char name[NAME], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash && slash[1] ? slash + 1 : path;
    size_t length = strlen(last);
    bool cut = length >= NAME;
    if (cut)
        last += length - (NAME - 4);
    /* Not within a character. */
    while (cut && ((unsigned char)*last & 0xc0) == 0x80)
        last++;
    snprintf(name, NAME, "%s%s", cut ? "..." : "", last);
    message_clean(name, NAME);
}

static double probability(const drawing *d, size_t class, size_t row)
{
    return d->e->probabilities[row * d->e->classes + class];
}

/* The running answer in words, such as "5 after rows 1 to 7, 3 after rows 8 to 28". */
static void describe_best(const drawing *d)
{
    for (size_t row = 0; row < MODEL_SIDE;) {
        size_t best = explain_best(d->e, row), first = row;
        while (row < MODEL_SIDE && explain_best(d->e, row) == best)
            row++;
        fprintf(d->file, "%s%zu after ", first ? ", " : "", best);
        if (row == first + 1)
            fprintf(d->file, "row %zu", row);
        else
            fprintf(d->file, "rows %zu to %zu", first + 1, row);
    }
}

static void put_title(const drawing *d)
{
    char name[NAME];
    shorten(name, d->e->file);
    fputs(EXPLAIN_TITLE, d->file);
    markup_text(d->file, name);
}

static void put_answer(const drawing *d)
{
    size_t best = d->curves[0].class;
    fprintf(d->file, "Answer %zu with %.1f%%", best,
            100 * probability(d, best, MODEL_SIDE - 1));
    if (d->e->unsure)
        fprintf(d->file, ", unsure%s%s", d->e->doubt ? ": " : "",
                d->e->doubt ? d->e->doubt : "");
}

static void draw_head(const drawing *d, double height)
{
    char name[NAME];
    shorten(name, d->e->model);
    fprintf(d->file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%.0f' "
            "viewBox='0 0 %d %.0f' font-family='sans-serif' font-size='12' role='img' "
            "aria-describedby='desc'>\n<title>",
            WIDTH, height, WIDTH, height);
    put_title(d);
    fputs("</title>\n<desc id='desc'>", d->file);
    put_answer(d);
    fputs(". The best class is ", d->file);
    describe_best(d);
    fprintf(d->file,
            ". Below are the gates and states of the %zu most active units of each "
            "layer of ",
            d->e->panels[0].count);
    markup_text(d->file, name);
    fprintf(d->file, ".</desc>\n%s<rect class='page' width='100%%' height='100%%'/>\n",
            style);
    begin_text(d, LEFT, 34, " font-size='20' font-weight='bold'");
    put_title(d);
    fputs("</text>\n", d->file);
    begin_text(d, LEFT, 56, " font-size='14'");
    put_answer(d);
    fputs(". Model: ", d->file);
    markup_text(d->file, name);
    fputs("</text>\n", d->file);
}

/* Numbers of rows at the left of what has these rows. */
static void draw_row_numbers(const drawing *d, double top, double height)
{
    for (size_t row = 1; row <= MODEL_SIDE; row += row == 1 ? 4 : 5)
        fprintf(d->file,
                "<text class='soft' x='%d' y='%.4g' text-anchor='end' "
                "font-size='10'>%zu</text>\n",
                LEFT - 6, top + ((double)row - 0.5) * height + 3.5, row);
}

static void draw_image(const drawing *d)
{
    put_words(d, LEFT, TOP - 26, " font-weight='bold'", "What the network sees");
    put_words(d, LEFT, TOP - 10, " class='soft'",
              "28 steps, a row each: time runs down in all parts");
    fprintf(d->file, "<g id='digit' class='ink' transform='translate(%d,%d)'>\n", LEFT,
            TOP);
    for (size_t row = 0; row < MODEL_SIDE; row++)
        for (size_t col = 0; col < MODEL_SIDE; col++)
            fprintf(d->file,
                    "<rect x='%zu' y='%zu' width='%d' height='%d' "
                    "fill-opacity='%.3g'/>\n",
                    col * PIXEL, row * PIXEL, PIXEL, PIXEL,
                    d->e->pixels[row * MODEL_SIDE + col] / 255.0);
    fprintf(d->file,
            "</g>\n<rect class='frame' x='%d' y='%d' width='%d' height='%d'/>\n", LEFT,
            TOP, MODEL_SIDE * PIXEL, MODEL_SIDE * PIXEL);
    draw_row_numbers(d, TOP, PIXEL);
}

static double row_middle(size_t row)
{
    return TOP + ((double)row + 0.5) * PIXEL;
}

/* The best class after each row; bold where it changes. */
static void draw_best(const drawing *d)
{
    put_words(d, BEST, TOP - 10, " class='soft' text-anchor='middle'", "best");
    fputs("<g id='best' text-anchor='middle' font-size='11'>\n", d->file);
    for (size_t row = 0; row < MODEL_SIDE; row++) {
        size_t best = explain_best(d->e, row);
        bool changes = row == 0 || explain_best(d->e, row - 1) != best;
        fprintf(d->file, "<text x='%d' y='%.4g'%s>%zu</text>\n", BEST,
                row_middle(row) + 4, changes ? " font-weight='bold'" : " class='soft'",
                best);
    }
    fputs("</g>\n", d->file);
}

static void draw_curve(const drawing *d, size_t class, size_t look)
{
    fprintf(d->file, "<polyline class='curve k%zu' data-class='%zu' data-values='",
            look, class);
    for (size_t row = 0; row < MODEL_SIDE; row++)
        fprintf(d->file, "%s%.9g", row ? " " : "", probability(d, class, row));
    fputs("' points='", d->file);
    for (size_t row = 0; row < MODEL_SIDE; row++)
        fprintf(d->file, "%s%.2f,%.4g", row ? " " : "",
                CURVES + CURVES_WIDTH * probability(d, class, row), row_middle(row));
    fputs("'/>\n", d->file);
}

static void draw_axis(const drawing *d)
{
    put_words(d, CURVES, TOP - 26, " font-weight='bold'",
              d->e->bidirectional ? "Probabilities if the picture ended after the row"
                                  : "Probabilities after each row");
    for (int percent = 0; percent <= 100; percent += 25) {
        double x = CURVES + CURVES_WIDTH * percent / 100.0;
        fprintf(d->file,
                "<line class='grid' x1='%.1f' y1='%d' x2='%.1f' y2='%d'/>\n"
                "<text class='soft' x='%.1f' y='%d' text-anchor='middle'>%d%%</text>\n",
                x, TOP, x, ROWS_END, x, TOP - 10, percent);
    }
}

/* The end of the answer's curve. */
static void mark_answer(const drawing *d)
{
    size_t best = d->curves[0].class, last = MODEL_SIDE - 1;
    double p = probability(d, best, last), x = CURVES + CURVES_WIDTH * p;
    fprintf(d->file,
            "<circle id='answer' class='ink' cx='%.2f' cy='%.4g' r='6'/>\n"
            "<text x='%.2f' y='%d' text-anchor='%s' font-size='14' "
            "font-weight='bold'>answer %zu: %.1f%%</text>\n",
            x, row_middle(last), x, ROWS_END + 20, p > 0.5 ? "end" : "start", best,
            100 * p);
}

static void draw_legend(const drawing *d)
{
    size_t own = d->e->classes < STYLES ? d->e->classes : STYLES;
    double y = TOP + 10;
    put_words(d, LEGEND, TOP - 26, " font-weight='bold'", "Classes");
    for (size_t i = 0; i < own; i++, y += 38) {
        const curve *c = &d->curves[i];
        fprintf(d->file,
                "<line class='curve k%zu' x1='%d' y1='%.4g' x2='%d' y2='%.4g'/>\n"
                "<text x='%d' y='%.4g' font-weight='bold'>%zu</text>\n"
                "<text class='soft' x='%d' y='%.4g' font-size='11'>at most %.1f%%, "
                "after row %zu</text>\n",
                i, LEGEND, y, LEGEND + 30, y, LEGEND + 38, y + 4, c->class, LEGEND + 38,
                y + 18, 100 * c->peak, c->row + 1);
    }
    if (d->e->classes <= own)
        return;
    size_t rest = d->e->classes - own;
    fprintf(d->file,
            "<line class='curve k%d' x1='%d' y1='%.4g' x2='%d' y2='%.4g'/>\n"
            "<text class='soft' x='%d' y='%.4g' font-size='11'>%zu other%s, at most "
            "%.1f%%</text>\n",
            STYLES, LEGEND, y, LEGEND + 30, y, LEGEND + 38, y + 4, rest,
            number_plural(rest), 100 * d->curves[own].peak);
}

static void draw_curves(const drawing *d)
{
    draw_axis(d);
    fputs("<g id='curves'>\n", d->file);
    /* The answer comes last, on top. */
    for (size_t i = d->e->classes; i-- > 0;)
        draw_curve(d, d->curves[i].class, i < STYLES ? i : STYLES);
    fputs("</g>\n", d->file);
    mark_answer(d);
    draw_legend(d);
}

/* What a heat map shows. */
typedef struct map_name {
    const char *id, *name, *meaning;
} map_name;

static const map_name maps[EXPLAIN_VALUES] = {
    {"i", "input gate", "lets the candidate in"},
    {"f", "forget gate", "keeps the cell state"},
    {"g", "cell candidate", "what may come in"},
    {"o", "output gate", "shows the cell state"},
    {"c", "cell state", "what is remembered"},
    {"h", "hidden state", "what the unit says"},
};

/* Colours of values: orange above zero, blue below it. */
static void draw_scale(const drawing *d, double x, double y)
{
    enum { STEPS = 21, STEP = 10 };
    for (int i = 0; i < STEPS; i++) {
        double value = (i - STEPS / 2) / (double)(STEPS / 2);
        fprintf(d->file,
                "<rect class='%s' x='%.4g' y='%.4g' width='%d' height='12' "
                "fill-opacity='%.3g'/>\n",
                value < 0 ? "down" : "up", x + i * STEP, y, STEP, fabs(value));
    }
    put_words(d, x, y + 26, " class='soft'", "-1");
    put_words(d, x + STEPS * STEP / 2.0, y + 26, " class='soft' text-anchor='middle'",
              "0");
    put_words(d, x + STEPS * STEP, y + 26, " class='soft' text-anchor='end'", "1");
}

static void draw_gates_legend(const drawing *d)
{
    double y = ROWS_END + 62;
    put_words(d, LEFT, y, " font-size='16' font-weight='bold'",
              "Gates and states of the most active units");
    put_words(
        d, LEFT, y + 20, " class='soft'",
        "A column is a unit with its number, a row is a row of the picture. These "
        "are the units");
    put_words(d, LEFT, y + 36, " class='soft'",
              d->e->projected ? "whose hidden state, here before its projection, "
                                "changes most from row to row, in this order."
                              : "whose hidden state changes most from row to row, in "
                                "this order.");
    draw_scale(d, LEFT + 5 * MAP_PITCH + MAP_WIDTH - 210, y - 2);
}

/* The value that has the full colour. */
static double full_scale(const explain_panel *panel, size_t map)
{
    double most = 1;
    for (size_t i = 0; map == EXPLAIN_CELL && i < panel->count; i++)
        for (size_t row = 0; row < MODEL_SIDE; row++)
            most = fmax(most, fabs(panel->values[map][i][row]));
    return most;
}

static void draw_unit(const drawing *d, const explain_panel *panel, size_t map,
                      size_t index, double scale)
{
    const double *values = panel->values[map][index];
    fprintf(d->file, "<g data-unit='%zu' data-values='", panel->units[index]);
    for (size_t row = 0; row < MODEL_SIDE; row++)
        fprintf(d->file, "%s%.6g", row ? " " : "", values[row]);
    fprintf(d->file, "'><title>%s of unit %zu</title>\n", maps[map].name,
            panel->units[index]);
    for (size_t row = 0; row < MODEL_SIDE; row++)
        fprintf(d->file,
                "<rect class='%s' x='%zu' y='%zu' width='%d' height='%d' "
                "fill-opacity='%.2g'/>\n",
                values[row] < 0 ? "down" : "up", index * CELL_WIDTH, row * CELL_HEIGHT,
                CELL_WIDTH, CELL_HEIGHT, fabs(values[row]) / scale);
    fprintf(d->file,
            "<text class='soft' x='%.4g' y='%d' text-anchor='middle' "
            "font-size='%d'>%zu</text></g>\n",
            ((double)index + 0.5) * CELL_WIDTH, MODEL_SIDE * CELL_HEIGHT + 11,
            panel->units[index] < 1000 ? 8 : 6, panel->units[index]);
}

static void draw_map(const drawing *d, const explain_panel *panel, size_t map,
                     double top)
{
    double x = (double)(LEFT + map * MAP_PITCH), scale = full_scale(panel, map);
    char meaning[60];
    snprintf(meaning, sizeof(meaning), "%s", maps[map].meaning);
    if (map == EXPLAIN_CELL)
        snprintf(meaning, sizeof(meaning), "full colour at %.3g", scale);
    fprintf(d->file, "<g class='map' data-map='%s' transform='translate(%.4g,%.4g)'>\n",
            maps[map].id, x, top);
    put_words(d, 0, -18, " font-weight='bold'", maps[map].name);
    put_words(d, 0, -5, " class='soft' font-size='11'", meaning);
    for (size_t i = 0; i < panel->count; i++)
        draw_unit(d, panel, map, i, scale);
    fprintf(d->file, "<rect class='frame' width='%zu' height='%d'/>\n</g>\n",
            panel->count * CELL_WIDTH, MODEL_SIDE * CELL_HEIGHT);
}

static void draw_panel(const drawing *d, size_t index)
{
    const explain_panel *panel = &d->e->panels[index];
    double top = PANELS + (double)(index * PANEL_PITCH);
    fprintf(d->file,
            "<g class='panel' data-layer='%zu' data-reverse='%d'>\n"
            "<text x='%d' y='%.0f' font-size='14' font-weight='bold'>Layer %zu%s, %zu "
            "of %zu unit%s</text>\n",
            panel->layer, panel->reverse, LEFT, top, panel->layer + 1,
            !d->e->bidirectional ? ""
            : panel->reverse     ? ", from the last row up"
                                 : ", from the first row down",
            panel->count, d->e->hidden, number_plural(d->e->hidden));
    for (size_t map = 0; map < EXPLAIN_VALUES; map++)
        draw_map(d, panel, map, top + PANEL_TOP + 6);
    draw_row_numbers(d, top + PANEL_TOP + 6, CELL_HEIGHT);
    fputs("</g>\n", d->file);
}

static int by_peak(const void *a, const void *b)
{
    const curve *x = a, *y = b;
    if (x->peak != y->peak)
        return x->peak > y->peak ? -1 : 1;
    return (x->class > y->class) - (x->class < y->class);
}

/* Finds the peaks and puts the answer first. */
static bool sort_curves(drawing *d)
{
    const explanation *e = d->e;
    size_t best = explain_best(e, MODEL_SIDE - 1), count = 1;
    d->curves = calloc(e->classes, sizeof(*d->curves));
    if (!d->curves)
        return false;
    for (size_t class = 0; class < e->classes; class ++) {
        curve *c = &d->curves[class == best ? 0 : count++];
        *c = (curve){.class = class, .peak = -1};
        for (size_t row = 0; row < MODEL_SIDE; row++)
            if (probability(d, class, row) > c->peak) {
                c->peak = probability(d, class, row);
                c->row = row;
            }
    }
    qsort(d->curves + 1, count - 1, sizeof(*d->curves), by_peak);
    return true;
}

bool drawing_write(const explanation *e, const char *path)
{
    output out;
    drawing d = {.e = e};
    if (!sort_curves(&d))
        return message_error("%s: no memory for the curves", path);
    bool done = output_open(&out, path);
    if (done) {
        d.file = out.stream;
        draw_head(&d, PANELS + (double)(e->panel_count * PANEL_PITCH));
        draw_image(&d);
        draw_best(&d);
        draw_curves(&d);
        draw_gates_legend(&d);
        for (size_t i = 0; i < e->panel_count; i++)
            draw_panel(&d, i);
        fputs("</svg>\n", d.file);
        done = output_commit(&out);
    }
    free(d.curves);
    return done;
}
