/* Pixels near a border, counted from runs: no pixel is touched but to find where rows change.

What the square of a pixel holds is one value: the class of all pixels in it (NOTHING beside void
pixels), or MIXED. `join` makes it of two parts of the square. So a row of squares is a list of
runs, as a row of pixels is, and a square is made in two steps.

Along a row, the value of the stretch from x - reach to x + reach follows from the last class that
begins before its end, and from where the one before, of another class, ends (`stretch_row`).

Down the rows, lists of stretches are joined. Rows are parted in blocks as high as a square. A
square that begins in one block ends in the next (or is a block): its value is that of the rows
from its first to the end of the block (`rest`), joined with that of the rows from the beginning
of the next one (`front`). So each row is joined three times, however high squares are.

Beyond the image lie `reach` rows and pixels of OUTSIDE, or, where its edge is no edge, of void.

What is read and written stays in bounds for these reasons, on which functions say what they rely:
(1) `count` has checked that either map is exactly height * width bytes long;
(2) the ends of the runs of a list increase, and the last is the width; so a list has at least one
    run and at most width of them, and two lists side by side end together;
(3) before a list is written to `Lists`, there is room for width runs behind all others; a list
    elsewhere has room for width runs.

The method of blocks is that of van Herk (1992) and of Gil and Werman (1993), for minima. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../counting/scanlines/blocks.h"

enum { MIXED = 256, OUTSIDE }; /* no byte is one of them */
enum { MOST = 253, FEW = 8 }; /* the last in pixels a run */

typedef struct {
    uint32_t end, value;
} Run;

typedef struct {
    Run *runs;
    size_t *first; /* the position of each list in `runs` */
    size_t held, room; /* runs of all lists */
} Lists;

typedef struct {
    const uint8_t *map;
    Lists rows, rest; /* stretches and squares of each row, those beyond the image included */
    Lists kept; /* pixels of each row of the image, where runs are few: others are found again */
    Run *front, *next_front; /* of the rows of a block up to that in hand; room for the next */
    const Run *pixels; /* of the row in hand: in `kept` or in `found` */
    Run *found, *square, *band; /* room for those of one row */
} Side;

typedef struct {
    size_t height, width, reach;
    uint32_t classes, nothing, beyond; /* nothing: void, or a square of void alone */
    int64_t *truth, *prediction, *both; /* pixels of bands, a class */
    int64_t *pairs; /* pixels of a trimap: rows truth, columns prediction; or NULL */
} Job;

/* ---- lists of runs ---- */

/* Put the runs of a row of pixels into `runs`; return how many there are. A block and the byte behind it are in the row. */
static size_t scan(const uint8_t *row, size_t width, Run *runs)
{
    Run *run = runs;
    size_t x = 0;
    for (; x + BLOCK < width; x += BLOCK)
        for (uint64_t bits = changes(row + x); bits; bits &= bits - 1) {
            size_t last = x + lowest(bits);
            *run++ = (Run){(uint32_t)last + 1, row[last]};
        }
    for (; x + 1 < width; x++)
        if (row[x] != row[x + 1])
            *run++ = (Run){(uint32_t)x + 1, row[x]};
    *run = (Run){(uint32_t)width, row[width - 1]};
    return (size_t)(run + 1 - runs);
}

static inline uint32_t join(uint32_t a, uint32_t b, uint32_t nothing)
{
    return a == b || b == nothing ? a : a == nothing ? b : MIXED;
}

/* Join two lists; return the end of the result. Neighbours of one value become one run. */
static Run *join_lists(const Run *a, const Run *b, Run *out, const Job *job)
{
    for (uint32_t width = (uint32_t)job->width, end = 0; end < width;) {
        uint32_t value = join(a->value, b->value, job->nothing);
        do { /* up to where the value is another */
            end = a->end < b->end ? a->end : b->end;
            a += a->end == end;
            b += b->end == end;
        } while (end < width && join(a->value, b->value, job->nothing) == value);
        *out++ = (Run){end, value};
    }
    return out;
}

static Run *copy_list(const Run *from, Run *out, const Job *job)
{
    do
        *out++ = *from;
    while (from++->end < job->width);
    return out;
}

/* Let a list go on to `end` if it does not reach as far; return where the next run goes. */
static inline Run *go_on(Run *out, const Run *list, int64_t end, uint32_t value)
{
    if (end <= (out == list ? 0 : (int64_t)out[-1].end))
        return out;
    out -= out != list && out[-1].value == value;
    *out = (Run){(uint32_t)end, value};
    return out + 1;
}

/* Put the values of all stretches of a row into `list`; return its end. A stretch that ends in a
   run is MIXED if it begins before `other`, the end of the last class but `value`; else NOTHING if
   it begins at or behind `last`, the end of the last pixel that is not void. */
static Run *stretch_row(const Run *run, Run *list, const Job *job)
{
    const int64_t reach = (int64_t)job->reach, width = (int64_t)job->width;
    uint32_t value = job->beyond;
    int64_t last = value == job->nothing ? -reach : 0, other = -reach;
    Run *out = list;
    for (int64_t end = 0; end < width + reach; run++) {
        Run next = end < width ? *run : (Run){(uint32_t)(width + reach), job->beyond};
        end = next.end;
        if (next.value != job->nothing) {
            other = next.value != value ? last : other;
            value = next.value;
            last = end;
        }
        int64_t stop = end - reach; /* at most the width (2) */
        out = go_on(out, list, other + reach < stop ? other + reach : stop, MIXED);
        out = go_on(out, list, last + reach < stop ? last + reach : stop, value);
        out = go_on(out, list, stop, job->nothing);
    }
    return out;
}

/* Make room for one list more (3); return 0 if there is no memory. Lists may move. */
static int make_room(Lists *lists, size_t width)
{
    if (lists->room - lists->held >= width)
        return 1;
    size_t room = 2 * lists->room + 2 * width;
    Run *runs = room < SIZE_MAX / 32 ? realloc(lists->runs, room * sizeof *runs) : NULL;
    if (!runs)
        return 0;
    lists->runs = runs;
    lists->room = room;
    return 1;
}

static inline const Run *list_of(const Lists *lists, size_t row)
{
    return lists->runs + lists->first[row];
}

/* ---- the squares of a side ---- */

static const Run *pixels_of(const Side *side, size_t y, const Job *job)
{
    if (side->kept.first[y] != SIZE_MAX)
        return list_of(&side->kept, y);
    scan(side->map + y * job->width, job->width, side->found);
    return side->found;
}

/* Find the runs of a row of pixels, and keep them if they are few; return 0 without memory. */
static int keep_pixels(Side *side, size_t y, const Job *job)
{
    size_t held = scan(side->map + y * job->width, job->width, side->found);
    side->kept.first[y] = SIZE_MAX;
    if (held > job->width / FEW)
        return 1;
    if (!make_room(&side->kept, job->width))
        return 0;
    side->kept.first[y] = side->kept.held;
    memcpy(side->kept.runs + side->kept.held, side->found, held * sizeof(Run));
    side->kept.held += held;
    return 1;
}

/* List the stretches of all rows, and of each row those down to the end of its block joined;
   return 0 if there is no memory. The rows beyond the image are one run. */
static int list_rows(Side *side, const Job *job)
{
    const size_t reach = job->reach, high = 2 * reach + 1, count = job->height + 2 * reach;
    Lists *rows = &side->rows, *rest = &side->rest;
    for (size_t row = 0; row < count; row++) {
        int outside = row < reach || row >= reach + job->height;
        if (!make_room(rows, job->width) || (!outside && !keep_pixels(side, row - reach, job)))
            return 0;
        Run *list = rows->runs + (rows->first[row] = rows->held), *out = list;
        if (outside)
            *out++ = (Run){(uint32_t)job->width, job->beyond};
        else
            out = stretch_row(side->found, list, job);
        rows->held += (size_t)(out - list);
    }
    for (size_t row = count; row-- > 0;) {
        if (!make_room(rest, job->width))
            return 0;
        Run *list = rest->runs + (rest->first[row] = rest->held);
        Run *out = row % high == high - 1 || row == count - 1
            ? copy_list(list_of(rows, row), list, job)
            : join_lists(list_of(rows, row), list_of(rest, row + 1), list, job);
        rest->held += (size_t)(out - list);
    }
    return 1;
}

/* Bring `pixels` and `square` to a row of the image; they are called row by row. The square of
   row y reaches from row y to row y + 2 * reach of all rows, as `reach` of them lie above. */
static void look_at(Side *side, size_t y, const Job *job)
{
    const size_t high = 2 * job->reach + 1, last = y + 2 * job->reach;
    if (last % high == 0)
        copy_list(list_of(&side->rows, last), side->front, job);
    else if (y) {
        join_lists(side->front, list_of(&side->rows, last), side->next_front, job);
        Run *before = side->front;
        side->front = side->next_front;
        side->next_front = before;
    }
    if (y % high)
        join_lists(list_of(&side->rest, y), side->front, side->square, job);
    else
        copy_list(list_of(&side->rest, y), side->square, job);
    side->pixels = pixels_of(side, y, job);
}

/* ---- counts ---- */

/* Keep the class of pixels in their band, and `classes` for others, in `band`; count by class. */
static void count_band(Side *side, int64_t *counts, const Job *job)
{
    const Run *pixels = side->pixels, *square = side->square;
    Run *out = side->band;
    for (uint32_t start = 0, end; start < job->width; start = end) {
        end = pixels->end < square->end ? pixels->end : square->end;
        int held = square->value == MIXED && pixels->value < job->classes;
        uint32_t value = held ? pixels->value : job->classes;
        counts[value] += end - start;
        out = go_on(out, side->band, end, value);
        pixels += pixels->end == end;
        square += square->end == end;
    }
}

static void count_both(const Run *a, const Run *b, const Job *job)
{
    for (uint32_t start = 0, end; start < job->width; start = end) {
        end = a->end < b->end ? a->end : b->end;
        job->both[a->value == b->value ? a->value : job->classes] += end - start;
        a += a->end == end;
        b += b->end == end;
    }
}

static void count_pairs(const Side *truth, const Run *other, const Job *job)
{
    const Run *pixels = truth->pixels, *square = truth->square;
    for (uint32_t start = 0, end; start < job->width; start = end) {
        end = pixels->end < square->end ? pixels->end : square->end;
        end = other->end < end ? other->end : end;
        uint32_t row = pixels->value, column = other->value;
        if (square->value == MIXED && row != job->nothing && column != job->nothing) {
            row = row < job->classes ? row : job->classes;
            column = column < job->classes ? column : job->classes;
            job->pairs[row * (job->classes + 1) + column] += end - start;
        }
        pixels += pixels->end == end;
        square += square->end == end;
        other += other->end == end;
    }
}

static int prepare(Side *side, const Job *job)
{
    size_t rows = job->height + 2 * job->reach, width = job->width;
    side->rows.first = malloc(rows * sizeof(size_t));
    side->rest.first = malloc(rows * sizeof(size_t));
    side->kept.first = malloc(job->height * sizeof(size_t));
    side->front = malloc(width * sizeof(Run));
    side->next_front = malloc(width * sizeof(Run));
    side->found = malloc(width * sizeof(Run));
    side->square = malloc(width * sizeof(Run));
    side->band = malloc(width * sizeof(Run));
    return side->rows.first && side->rest.first && side->kept.first && side->front
        && side->next_front && side->found && side->square && side->band;
}

static void release(Side *side)
{
    free(side->rows.runs);
    free(side->rows.first);
    free(side->rest.runs);
    free(side->rest.first);
    free(side->kept.runs);
    free(side->kept.first);
    free(side->front);
    free(side->next_front);
    free(side->found);
    free(side->square);
    free(side->band);
}

/* Count what the job asks for; return 0 if there is no memory. */
static int tabulate(Side *truth, Side *prediction, const Job *job)
{
    if (!prepare(truth, job) || !prepare(prediction, job) || !list_rows(truth, job)
        || (!job->pairs && !list_rows(prediction, job)))
        return 0;
    for (size_t y = 0; y < job->height; y++) {
        look_at(truth, y, job);
        if (job->pairs) {
            scan(prediction->map + y * job->width, job->width, prediction->found);
            count_pairs(truth, prediction->found, job);
            continue;
        }
        look_at(prediction, y, job);
        count_band(truth, job->truth, job);
        count_band(prediction, job->prediction, job);
        count_both(truth->band, prediction->band, job);
    }
    return 1;
}

/* Whether the numbers say what maps can be: none is so large that sums of them overflow. */
static int is_fit(const Py_buffer *truth, const Py_buffer *prediction, Py_ssize_t height,
                  Py_ssize_t width, Py_ssize_t classes, Py_ssize_t reach)
{
    const Py_ssize_t longest = 1 << 28;
    return height >= 1 && width >= 1 && height <= longest && width <= longest && classes >= 1
        && classes <= MOST && reach >= 1 && reach <= (height > width ? height : width)
        && truth->len % width == 0 && truth->len / width == height
        && prediction->len == truth->len;
}

static PyObject *count(PyObject *module, PyObject *arguments)
{
    Py_buffer truth, prediction;
    Py_ssize_t height, width, classes, reach;
    int trimap;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y*y*nnnnp:count", &truth, &prediction, &height, &width,
                          &classes, &reach, &trimap))
        return NULL;
    PyObject *result = NULL;
    int64_t *counts = NULL;
    size_t row = (size_t)classes + 1, numbers = trimap ? row * row : 3 * row;
    if (!is_fit(&truth, &prediction, height, width, classes, reach))
        PyErr_SetString(PyExc_ValueError, "the sizes of maps, classes or reach are not possible");
    else if (!(counts = calloc(numbers, sizeof *counts)))
        PyErr_NoMemory();
    else {
        int done;
        uint32_t nothing = (uint32_t)classes;
        Side sides[2] = {{.map = truth.buf}, {.map = prediction.buf}};
        Job job = {.height = (size_t)height, .width = (size_t)width, .reach = (size_t)reach,
                   .classes = nothing, .nothing = nothing, .beyond = trimap ? nothing : OUTSIDE,
                   .truth = counts, .prediction = counts + row, .both = counts + 2 * row,
                   .pairs = trimap ? counts : NULL};
        Py_BEGIN_ALLOW_THREADS
        done = tabulate(&sides[0], &sides[1], &job);
        release(&sides[0]);
        release(&sides[1]);
        Py_END_ALLOW_THREADS
        result = done ? PyBytes_FromStringAndSize((char *)counts,
                                                  (Py_ssize_t)(numbers * sizeof *counts))
                      : PyErr_NoMemory();
    }
    free(counts);
    PyBuffer_Release(&truth);
    PyBuffer_Release(&prediction);
    return result;
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS,
     "count(truth, prediction, height, width, classes, reach, trimap)\n--\n\n"
     "Return int64: three rows of pixels (band of the truth, of the prediction, both), a column a\n"
     "class and one for all else; or (trimap) a row a class of the truth, a column a class of the\n"
     "prediction, and one of each for no class."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED /* where there is no lock; nothing here is shared */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_bands", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__bands(void)
{
    return PyModuleDef_Init(&definition);
}
