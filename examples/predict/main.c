/*
 * mnist-predict: classifies digits in pictures and IDX files. sheet.c reads a file,
 * model.c classifies, output.c and tally.c print, drawing.c draws what explain.c finds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lstm/lstm.h>

#include "examples/common/input.h"
#include "examples/common/message.h"
#include "examples/digits/shifts.h"
#include "examples/predict/doubt.h"
#include "examples/predict/drawing.h"
#include "examples/predict/explain.h"
#include "examples/predict/output.h"
#include "examples/predict/places.h"
#include "examples/predict/sheet.h"
#include "examples/predict/tally.h"

enum { WHY = 8192, MOST_LABELS = 256 };

/* An image of a batch, whether it may be cut off, and why it could not be read, or "".
 */
typedef struct slot {
    output_image image;
    bool cut;
    char error[512];
} slot;

/* State shared by all files. */
typedef struct session {
    const predict_options *options;
    model network;
    output out;
    /* Images of a batch, and what belongs to them. */
    uint8_t *pixels;
    double *probabilities;
    double steadiness[MODEL_BATCH];
    slot slots[MODEL_BATCH];
    output_answer answers[MODEL_BATCH];
    mnist_box boxes[MODEL_BATCH];
    size_t count;
    /* Of the file, if it has labels. */
    tally tally;
    /* Room for the reason of a failure and for the message with it: stacks may be
     * small. */
    char why[WHY], message[2 * WHY];
    bool failed;
} session;

/* Reports an image or a file without answer, with a message that names the file. */
static void report(session *run, const output_image *image, const char *why)
{
    run->failed = true;
    message_error("%s", why);
    output_print_error(&run->out, image, why);
}

/* The same with a message that follows the name. */
static void report_image(session *run, const output_image *image, const char *why)
{
    char *text = run->message;
    const char *name = input_name(image->file);
    if (image->indexed)
        snprintf(text, sizeof(run->message), "%s: image %zu: %s", name, image->index,
                 why);
    else
        snprintf(text, sizeof(run->message), "%s: %s", name, why);
    report(run, image, text);
}

static void draw(const session *run, const uint8_t *pixels)
{
    if (run->options->show)
        output_draw(run->out.kind == OUTPUT_TEXT ? stdout : stderr, pixels);
}

/* Draws how the network reads an image. */
static bool explain(session *run, const output_answer *a, const uint8_t *pixels)
{
    char *why = run->why;
    const predict_options *options = run->options;
    explanation e = {.file = input_name(a->image.file),
                     .model = options->model,
                     .unsure = a->unsure,
                     .doubt = a->doubt};
    bool done = explain_image(&e, &run->network, pixels, a->probabilities, why, WHY)
                    ? drawing_write(&e, options->explain)
                    : message_error("%s: %s", options->explain, why);
    explain_destroy(&e);
    return done;
}

/* Prints the answer for an image; with labels, text has the tally instead. */
static void answer(session *run, const sheet *from, const output_answer *a,
                   const uint8_t *pixels)
{
    draw(run, pixels);
    if (!from->has_labels || run->out.kind != OUTPUT_TEXT)
        output_print(&run->out, a);
    if (from->has_labels && !tally_add(&run->tally, a, run->network.classes))
        report_image(run, &a->image, "no memory to note a wrong answer");
    if (run->options->explain && !explain(run, a, pixels))
        run->failed = true;
}

/* Classifies images. */
static bool classify(session *run, size_t count, char *why, size_t size)
{
    return places_predict(&run->network, shifts_count(run->options->tta), run->pixels,
                          count, run->probabilities, why, size) &&
           doubt_measure(&run->network, run->pixels, count, run->probabilities,
                         run->steadiness, why, size);
}

/* The answer for an image of the batch. Images of IDX files have MNIST's form, or one
 * that the network knows. */
static output_answer judge(const session *run, const sheet *from, output_image image,
                           size_t number, bool cut)
{
    const char *doubt = NULL;
    size_t classes = run->network.classes;
    const uint8_t *pixels = run->pixels + number * MODEL_PIXELS;
    char sign = from->dataset ? '\0' : doubt_sign(pixels);
    if (run->steadiness[number] < DOUBT_STEADINESS)
        doubt = "it changes when the digit moves";
    if (!from->dataset && doubt_is_wide(pixels))
        doubt = "wider than a digit";
    if (cut)
        doubt = "at the border, it may be cut off";
    if (sign)
        doubt = sign == '-' ? "a dash, not a digit" : "a plus sign, not a digit";
    output_answer answer =
        output_judge(image, run->probabilities + number * classes, classes, doubt);
    answer.sign = sign;
    return answer;
}

/* Classifies the images of the batch that could be read, and prints all of it. */
static bool flush_batch(session *run, const sheet *from)
{
    char *why = run->why;
    size_t good = 0;
    for (size_t i = 0; i < run->count; i++)
        good += !*run->slots[i].error;
    bool done = good == 0 || classify(run, good, why, WHY);
    good = 0;
    for (size_t i = 0; i < run->count; i++) {
        slot *s = &run->slots[i];
        if (*s->error) {
            report_image(run, &s->image, s->error);
            if (from->has_labels)
                tally_add_unread(&run->tally);
        } else if (done) {
            output_answer a = judge(run, from, s->image, good, s->cut);
            answer(run, from, &a, run->pixels + good++ * MODEL_PIXELS);
        }
    }
    run->count = 0;
    if (!done) {
        const output_image whole = {.file = from->path, .label = -1};
        report_image(run, &whole, why);
    }
    return done;
}

static bool predict_images(session *run, sheet *from)
{
    size_t good = 0;
    for (size_t i = 0; i < sheet_count(from); i++) {
        slot *s = &run->slots[run->count++];
        *s = (slot){.image = {from->path, i, from->dataset, sheet_label(from, i)}};
        good += sheet_read(from, i, run->pixels + good * MODEL_PIXELS, &s->cut,
                           s->error, sizeof(s->error));
        if (run->count < MODEL_BATCH && i + 1 < sheet_count(from))
            continue;
        if (!flush_batch(run, from))
            return false;
        good = 0;
    }
    return true;
}

static void predict_digits(session *run, sheet *from)
{
    char *why = run->why;
    size_t count;
    const output_image whole = {.file = from->path, .label = -1};
    if (!sheet_read_digits(from, MODEL_BATCH, run->pixels, run->boxes, &count, why,
                           WHY) ||
        !classify(run, count, why, WHY)) {
        report_image(run, &whole, why);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const output_image image = {from->path, i, true, -1};
        run->answers[i] = judge(run, from, image, i, sheet_cuts(from, &run->boxes[i]));
        run->answers[i].box = &run->boxes[i];
        draw(run, run->pixels + i * MODEL_PIXELS);
    }
    output_print_digits(&run->out, run->answers, count);
}

/* Prints how many answers are right: in text all, otherwise a line on standard error.
 */
static void print_tally(session *run, const char *file)
{
    char text[128];
    if (run->tally.foreign > 0)
        message_warning("%s: %zu labels are not among the %zu classes of the model",
                        file, run->tally.foreign, run->network.classes);
    if (run->out.kind == OUTPUT_TEXT) {
        tally_print(&run->tally, file);
        return;
    }
    tally_describe(&run->tally, text, sizeof(text));
    message_info("%s: %s", file, text);
}

static void predict_labelled(session *run, sheet *from)
{
    const output_image whole = {.file = from->path, .label = -1};
    size_t classes = run->network.classes;
    if (!tally_create(&run->tally, classes > MOST_LABELS ? classes : MOST_LABELS))
        report_image(run, &whole, "no memory for the confusion matrix");
    else if (predict_images(run, from))
        print_tally(run, from->path);
    tally_destroy(&run->tally);
}

/* Reports that only one image can be explained. */
static void refuse_many(session *run, const sheet *from)
{
    char why[80];
    const output_image whole = {.file = from->path, .label = -1};
    snprintf(why, sizeof(why), "has %zu images, --explain draws exactly one",
             sheet_count(from));
    report_image(run, &whole, why);
}

static void predict_file(session *run, const char *path)
{
    char *why = run->why;
    sheet from;
    const output_image whole = {.file = path, .label = -1};
    if (!sheet_open(&from, path, run->options, why, WHY))
        report(run, &whole, why);
    else if (run->options->explain && sheet_count(&from) != 1)
        refuse_many(run, &from);
    else if (run->options->digits)
        predict_digits(run, &from);
    else if (from.has_labels)
        predict_labelled(run, &from);
    else
        predict_images(run, &from);
    sheet_close(&from);
}

/* Adds to the reason why MODEL cannot be opened that one of the files is a model. */
static void explain_order(const predict_options *options, char *why, size_t size)
{
    for (size_t i = 0; i < options->file_count; i++) {
        lstm_file *file;
        const char *path = options->files[i];
        size_t length = strlen(why);
        if (strcmp(path, INPUT_STDIN) == 0 || lstm_file_open(&file, path) != LSTM_OK)
            continue;
        snprintf(why + length, size - length,
                 "; %s is a model: MODEL comes before FILE", path);
        lstm_file_destroy(&file);
        return;
    }
}

/* Opens the model; false with a reason. */
static bool open_model(session *run, char *why, size_t size)
{
    const predict_options *options = run->options;
    lstm_file *file;
    if (model_open(&run->network, options->model, options->lstm, options->head, why,
                   size))
        return true;
    if (lstm_file_open(&file, options->model) != LSTM_OK)
        explain_order(options, why, size);
    else
        lstm_file_destroy(&file);
    return false;
}

static bool start(session *run)
{
    char *why = run->why;
    const predict_options *options = run->options;
    const output_image whole = {.file = options->model, .label = -1};
    if (options->threads && lstm_set_threads(options->threads) != LSTM_OK)
        return message_error("%s", lstm_last_error());
    run->out.kind = options->json  ? OUTPUT_JSON
                    : options->csv ? OUTPUT_CSV
                                   : OUTPUT_TEXT;
    bool done = open_model(run, why, WHY);
    run->out.classes = run->network.classes;
    run->pixels = malloc((size_t)MODEL_BATCH * MODEL_PIXELS);
    run->probabilities =
        calloc(MODEL_BATCH * (run->network.classes + 1), sizeof(*run->probabilities));
    output_begin(&run->out);
    if (done && !(run->pixels && run->probabilities)) {
        snprintf(why, WHY, "no memory for a batch of images");
        done = false;
    }
    if (!done)
        report(run, &whole, why);
    return done && (!options->explain || explain_check(options, &run->network));
}

int main(int argc, char **argv)
{
    static session run;
    predict_options options;
    message_set_program("mnist-predict");
    int status = predict_options_parse(&options, argc, argv);
    if (status >= 0)
        return status;
    run.options = &options;
    if (start(&run))
        for (size_t i = 0; i < options.file_count; i++)
            predict_file(&run, options.files[i]);
    else
        run.failed = true;
    output_end(&run.out);
    free(run.pixels);
    free(run.probabilities);
    model_close(&run.network);
    return message_finish(run.failed);
}
