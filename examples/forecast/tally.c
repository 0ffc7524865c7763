#include <math.h>
#include <string.h>

#include "examples/forecast/tally.h"

static void add_to_order(tally_order *o, const csv_number *number)
{
    double step = number->value - o->last, before = o->step, rounding = 0;
    size_t count = o->count++;
    /* Steps of rounded numbers differ by the rounding. */
    if (number->decimals > 0)
        rounding = fmin(2.01 * pow(10, -number->decimals), fabs(step) / 10);
    o->varies = o->varies || (count > 0 && fabs(step) > 0);
    bool stays = count > 0 && !(fabs(step) > 0);
    bool turns = count > 1 && (step > 0) != (before > 0);
    o->irregular = o->irregular || stays || turns;
    o->uneven = o->uneven || (count > 1 && fabs(step - before) > rounding);
    o->many = o->many || (fabs(number->value) > 0 && fabs(number->value - 1) > 0);
    o->last = number->value;
    o->step = step;
}

static void tally_number(tally *t, const char *field, bool quoted)
{
    csv_number point, comma;
    bool with_point = csv_parse_number(field, '.', &point);
    bool with_comma = csv_parse_number(field, ',', &comma);
    bool differ = with_point && with_comma && fabs(point.value - comma.value) > 0;
    t->point += with_point;
    t->comma += with_comma;
    t->only_point += with_point && !with_comma;
    t->only_comma += with_comma && !with_point;
    if (differ) {
        double small = fabs(point.point ? point.value : comma.value);
        t->split = fmax(t->split, small);
        t->points += point.point;
        t->commas += comma.point;
        t->quoted += quoted;
    }
    t->plain += with_point && with_comma && !differ;
    if (with_point && with_comma && !differ && fabs(point.value) >= 1000)
        t->least_large =
            t->large++ ? fmin(t->least_large, fabs(point.value)) : fabs(point.value);
    if (with_point)
        add_to_order(&t->order[0], &point);
    if (with_comma)
        add_to_order(&t->order[1], &comma);
}

static void tally_time(tally *t, const char *field)
{
    csv_time time;
    bool any = false;
    double first = 0;
    for (csv_order order = CSV_MDY; order <= CSV_YMD; order++) {
        if (!csv_parse_time(field, order, &time))
            continue;
        double last = t->last_time[order];
        t->rise[order] += t->times[order] > 0 && time.seconds > last;
        t->fall[order] += t->times[order] > 0 && time.seconds < last;
        t->last_time[order] = time.seconds;
        t->times[order]++;
        t->clocks += !any && time.precision == CSV_CLOCK;
        t->dotted += !any && time.separator == '.';
        first = any ? first : time.seconds;
        t->differ = t->differ || fabs(time.seconds - first) > 0;
        any = true;
    }
}

static size_t most_times(const tally *t)
{
    size_t most = 0;
    for (int order = 0; order < CSV_ORDERS; order++)
        most = t->times[order] > most ? t->times[order] : most;
    return most;
}

void tally_field(tally *t, part kind, const char *field, bool quoted, size_t row)
{
    int value;
    csv_number number;
    if (csv_is_missing(field))
        return;
    size_t times = most_times(t), digits = strspn(field, "0123456789");
    bool is_number = csv_parse_number(field, '.', &number);
    if (kind != PART_NONE && part_read(kind, field, &value))
        t->parts++;
    else if (t->odd_row == 0) {
        t->odd_row = row + 1;
        t->odd_text = !is_number;
    }
    if (t->present == 0)
        t->first_row = row + 1;
    tally_number(t, field, quoted);
    if (!is_number || ((digits == 8 || digits == 6) && !field[digits]))
        tally_time(t, field);
    bool is_time = most_times(t) > times;
    t->compact += is_number && is_time;
    if (!is_number && !is_time && !csv_parse_number(field, ',', &number) &&
        t->text_row == 0)
        t->text_row = row + 1;
    t->present++;
}

/* Whether 1.234 beside 1240 has groups: as a decimal number it is far from the others,
 * of which few are small. */
static bool jumps(const tally *t)
{
    const double far = 50;
    return 2 * t->large > t->plain && t->least_large >= far * t->split;
}

/* The decimal sign of a column whose numbers are the same kind with both: the one of
 * other columns, else the more likely one. Whole numbers below 1,000 beside 1,234 make
 * the comma a separator of groups, and so do quotes, unless they are needless.
 * Semicolons with dates such as 31.12.2024 are of a place where the point separates
 * groups. */
static char guess_decimal(const tally *t, const tally *file, char delimiter)
{
    bool grouped = t->plain > 0 && t->large == 0;
    if (file->only_comma != file->only_point)
        return file->only_comma > file->only_point ? ',' : '.';
    if (jumps(t))
        return t->commas > 0 ? '.' : ',';
    if (t->commas > 0)
        return grouped || (t->quoted > 0 && (delimiter == ',' || delimiter == CSV_NONE))
                   ? '.'
                   : ',';
    return (grouped || file->dotted > 0) && delimiter == ';' ? ',' : '.';
}

static void set_decimal(column *c, const tally *t, const tally *file, char delimiter,
                        char given)
{
    c->ambiguous = false;
    c->mixed = !given && t->points > 0 && t->commas > 0 && t->only_point == 0 &&
               t->only_comma == 0;
    if (given)
        c->decimal = given;
    else if (t->only_point != t->only_comma)
        c->decimal = t->only_comma > t->only_point ? ',' : '.';
    else if (t->points + t->commas == 0)
        c->decimal = '.';
    else {
        c->decimal = guess_decimal(t, file, delimiter);
        c->ambiguous =
            t->commas > 0 || c->decimal == ',' || file->only_comma == file->only_point;
    }
}

/* Whether a name is that of numbers which identify something, such as user_id. */
static bool has_identifier_name(const char *name)
{
    size_t length = strlen(name);
    const char *end = length < 2 ? name : name + length - 2;
    bool small = strcmp(end, "id") == 0, large = strcmp(end, "ID") == 0;
    bool capital = strcmp(end, "Id") == 0;
    return capital || ((small || large) && (end == name || strchr("_- .", end[-1])));
}

/* How often times change their direction. */
static size_t turns(const tally *t, csv_order order)
{
    return t->rise[order] < t->fall[order] ? t->rise[order] : t->fall[order];
}

/* Chooses the order of dates: the one that reads most of them, and in which they change
 * their direction least; of equal ones the one with points between numbers that is
 * usual, else several remain. */
static void set_order(column *c, const tally *t, const forecast_options *options)
{
    c->orders = 0;
    c->order = options->dates_given ? options->dates : CSV_MDY;
    for (csv_order order = CSV_MDY; !options->dates_given && order <= CSV_YMD;
         order++) {
        size_t before = t->times[c->order], now = t->times[order];
        bool better =
            now > before || (now == before && turns(t, order) < turns(t, c->order));
        bool same = now == before && turns(t, order) == turns(t, c->order);
        if (better)
            c->orders = 0;
        if (better || (same && order == CSV_DMY && t->dotted > 0))
            c->order = order;
        if (better || same)
            c->orders |= 1U << order;
    }
    if (t->dotted > 0 || !t->differ)
        c->orders = 1U << c->order;
}

static void set_kind(column *c, const tally *t)
{
    size_t numbers = c->decimal == '.' ? t->point : t->comma;
    /* The order that is given may not fit all. */
    size_t times = most_times(t);
    /* Numbers of six or eight digits are dates only if all of them are, in order. */
    if (t->compact > 0 && (t->compact < t->present || turns(t, c->order) > 0))
        times -= times < t->compact ? times : t->compact;
    if (t->present == 0)
        c->kind = COLUMN_EMPTY;
    else if (times == t->present || (times > numbers && 2 * times >= t->present))
        c->kind = COLUMN_TIMES;
    else
        c->kind = 2 * numbers >= t->present ? COLUMN_NUMBERS : COLUMN_TEXTS;
}

/* Sets whether a column counts, and where one that would has a text instead. */
static void set_counts(column *c, const tally *t, const tally_order *o)
{
    bool rises = c->kind == COLUMN_NUMBERS && !o->irregular && o->count > 2 &&
                 (!o->uneven || part_is_counter_name(c->name));
    c->counts = rises && o->count == t->present;
    c->odd_row = rises && !c->counts && o->count >= t->present - t->present / 20
                     ? t->text_row
                     : 0;
}

/* Leaves the part that a name says if all fields are one. A text among them, such as
 * "Total", is refused where times are read. Days and shorter parts may be measures. */
static void set_part(column *c, const tally *t)
{
    bool most = 2 * t->parts >= t->present && c->kind != COLUMN_TIMES;
    if (c->part == PART_NONE || (most && t->parts == t->present))
        return;
    if (most && (t->odd_text || c->part < PART_WEEK))
        c->odd_row = t->odd_row;
    if (!most || !t->odd_text)
        c->part = PART_NONE;
}

void tally_classify(column *c, const tally *t, const tally *file, char delimiter,
                    const forecast_options *options)
{
    set_decimal(c, t, file, delimiter, options->decimal);
    set_order(c, t, options);
    set_kind(c, t);
    c->clock = t->clocks == t->times[c->order];
    c->repeats = t->rise[c->order] + t->fall[c->order] + 1 < t->times[c->order];
    size_t text_row = t->text_row ? t->text_row : t->first_row;
    c->text_row = c->kind == COLUMN_TEXTS ? text_row : 0;
    const tally_order *o = &t->order[c->decimal == ','];
    bool whole = o->count == t->present;
    set_counts(c, t, o);
    set_part(c, t);
    c->numbers = o->count;
    c->measures = ((o->varies && o->many) || !whole) && !c->counts && !c->odd_row &&
                  c->part == PART_NONE && !has_identifier_name(c->name);
}
