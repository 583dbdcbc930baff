/* What is made of PNG masks from their inflated scan lines, as runs, without unfiltering them: the
pairs of values of two (pairs.c), connected parts (parts.c), and arrays of classes (classes.c,
layers.c). Tables of run lengths are read as runs as well (runlengths.c), and may be one of the
two sides (spans.c).

A row of a PNG file is a filter byte and residuals: what each byte differs by from a prediction made
of the bytes to its left (a), above it (b), and above to the left (c). The words here:

    unit   what filters look at as a whole: a pixel of 1 to 4 bytes, or a byte of packed pixels
    run    a stretch of equal units, or pixels, up to an end (not included)
    quiet  a stretch of residuals that are 0 (filter None: of bytes equal to those one unit before)

Where the row above does not change, b equals c, and in a quiet stretch each filter then depends on
the left unit alone. Once such a unit equals the one before, all up to the end of the stretch do. So
the runs of a row follow from the runs above and from the few units that begin a stretch.

Masks that are noise would have as many runs as pixels. A row that has more than one run in NOISE
units is held as bytes instead, and looked at pixel by pixel.

What is read stays in bounds for these reasons, on which each function says what it relies:
(1) `fits` has checked that a side is exactly height * (1 + bytes) long;
(2) every list of runs ends where its row ends, so that a position before has a run;
(3) a list holds at most `limit` runs, which `append` and `follow` look at before they add one,
    and has room for BLOCK more, which `decode_flat` may add before it looks.

Source of the layout: W3C, Portable Network Graphics (PNG) Specification, third edition. */

#ifndef SEGEVAL_SCANLINES
#define SEGEVAL_SCANLINES

#include "blocks.h"

#include <stddef.h>
#include <stdint.h>

enum { NONE, SUB, UP, AVERAGE, PAETH };
enum { DONE, UNFIT, NO_MEMORY };
enum { NOISE = 8, LEAST = 16 };

typedef struct {
    uint32_t end, value;
} Run;

typedef struct {
    Run *runs;
    size_t held, limit;
} Runs;

typedef struct {
    Runs now, above; /* the runs of pixels of this row and the one above, by the number of a part */
    uint32_t *parent, *value; /* of a number: a lower one of the same part, or itself; its pixels */
    size_t held, room;
    uint32_t reach; /* 1 if pixels are connected at corners as well */
} Parts;

typedef struct {
    uint64_t start, end; /* counted through all rows or columns */
    uint32_t value;
} Span;

typedef struct {
    Span *list; /* in order and apart, once closed; then one without pixels stands behind all */
    size_t held, room;
    uint64_t pixels; /* of the image */
    unsigned base; /* number of the first pixel in texts, 0 or 1 */
    int relative; /* whether starts are counted from the end of the run before */
    unsigned place; /* of the cell in a line, from 0 on */
    unsigned char delimiter; /* of cells */
} Spans;

typedef struct {
    uint32_t column, value, next; /* of a pixel, and what it holds; number of the next, or 0 */
} Edge;

typedef struct {
    const Spans *spans; /* where a side is run lengths: else there are none */
    const Span *at; /* along the rows: the first that ends behind the row's beginning */
    Edge *edges; /* down the columns */
    uint32_t *first; /* the number of the first edge of each row, from 1 on; 0 if there is none */
    size_t held, y; /* of the edges; of the row in hand */
} Drawn;

typedef struct {
    const uint8_t *row; /* the filter byte of the row in hand */
    size_t width, bytes, units; /* of a row, without the filter byte */
    unsigned bits, channels, unit; /* the last in bytes */
    Runs now, next; /* runs of units of this row, if any are held; room for those of the next */
    Runs packed; /* runs of pixels, where a unit is several */
    Runs *shown; /* runs of pixels of this row: one of the above */
    uint8_t *line, *next_line; /* the bytes of this row, where it has no runs; room for the next */
    uint32_t *pixels; /* room for the values of a row */
    Drawn drawn; /* in place of scan lines, if there are spans */
    Parts parts; /* connected pixels of one value, if they are asked for: else there is no parent */
} Side;

/* rows.c */
int fits(const Side *side, size_t size, size_t width, size_t height);
int prepare(Side *side, size_t width);
void release(Side *side);
int repeats(const Side *side);
void pass_row(Side *side);
int decode_row(Side *side);
void write_pixels(Side *side);
const uint8_t *bytes_of(Side *side);
int64_t value_of(const Side *side, uint32_t pixel);

/* parts.c */
int prepare_parts(Side *side, unsigned neighbours);
uint32_t root(const Parts *parts, uint32_t number);
int number_row(Side *side);

/* runlengths.c */
int add_row(Spans *spans, const char *line, size_t size, uint32_t value);
int add_runs(Spans *spans, const char *columns, size_t held);
int close_rows(Spans *spans);

/* spans.c */
int prepare_drawn(Side *side, const Spans *spans, int down, size_t width, size_t height);
int repeats_drawn(const Side *side);
int draw_row(Side *side);

/* pairs.c */
enum { PLAIN = 3, NUMBERED = 5 }; /* columns of pairs */

typedef union {
    struct {
        int64_t truth, prediction, pixels;
        int64_t true_part, predicted_part; /* only where there are parts */
    };
    int64_t columns[NUMBERED];
} Pair;

int tabulate(Side *truth, Side *prediction, size_t height, Pair **pairs, size_t *held);
int tabulate_spans(const Spans *truth, const Spans *prediction, Pair **pairs, size_t *held);

/* classes.c */
typedef struct {
    const char *values, *codes; /* int64, ascending; and a byte for each */
    size_t held;
} Codes;

int fill(Side *side, size_t height, const Codes *codes, uint8_t *out);

/* layers.c */
typedef struct {
    uint8_t nothing, skipped; /* codes: void; in the prediction, of pixels that are not judged */
} Judged;

typedef struct {
    int64_t truth[256], prediction[256]; /* pixels of each code */
} Totals;

void settle(uint8_t *truth, uint8_t *prediction, size_t pixels, const Judged *judged,
            Totals *totals);

#endif
