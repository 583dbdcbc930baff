/* Two sides as Python tells of them, one of run lengths at least, and the pairs of their values. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>

#include "scanlines.h"

PyObject *made(int state, const Pair *pairs, size_t held, size_t columns); /* module.c */

static const uint64_t MOST_PIXELS = (uint64_t)1 << 53;

typedef struct {
    Side side;
    Spans spans;
    Py_buffer bytes; /* scan lines, or runs */
    int is_spans, down;
} Told;

/* Read the rows of an image, a list of (line, value). */
static int read_rows(Spans *spans, PyObject *rows)
{
    int state = DONE;
    for (Py_ssize_t i = 0; state == DONE && i < PyList_Size(rows); i++) {
        const char *line;
        Py_ssize_t size;
        long long value;
        if (!PyArg_ParseTuple(PyList_GetItem(rows, i), "y#L", &line, &size, &value))
            return UNFIT;
        state = value < 0 || value > UINT32_MAX
            ? UNFIT : add_row(spans, line, (size_t)size, (uint32_t)value);
    }
    return state == DONE ? close_rows(spans) : state;
}

/* Read runs: three columns of int64. */
static int read_runs(Spans *spans, const Py_buffer *bytes)
{
    size_t size = (size_t)bytes->len, each = 3 * sizeof(int64_t);
    int state = size % each ? UNFIT : add_runs(spans, bytes->buf, size / each);
    return state == DONE ? close_rows(spans) : state;
}

/* Read a side, told by a tuple of two, three or six; see `count_sides` in module.c. */
static int read_side(Told *told, PyObject *stated, Py_ssize_t width, Py_ssize_t height)
{
    Spans *spans = &told->spans;
    PyObject *rows;
    Py_ssize_t size = PyTuple_Size(stated);
    spans->pixels = (uint64_t)width * (uint64_t)height;
    told->is_spans = size != 3;
    if (!told->is_spans) {
        if (!PyArg_ParseTuple(stated, "y*II", &told->bytes, &told->side.bits,
                              &told->side.channels))
            return UNFIT;
        told->side.row = told->bytes.buf;
        return fits(&told->side, (size_t)told->bytes.len, (size_t)width, (size_t)height)
            ? DONE : UNFIT;
    }
    if (size == 2)
        return PyArg_ParseTuple(stated, "py*", &told->down, &told->bytes)
            ? read_runs(spans, &told->bytes) : UNFIT;
    return PyArg_ParseTuple(stated, "pIpbIO!", &told->down, &spans->base, &spans->relative,
                            &spans->delimiter, &spans->place, &PyList_Type, &rows)
        ? read_rows(spans, rows) : UNFIT;
}

static int prepare_told(Told *told, size_t width, size_t height, unsigned neighbours)
{
    int state = told->is_spans
        ? prepare_drawn(&told->side, &told->spans, told->down, width, height)
        : prepare(&told->side, width);
    return state == DONE && neighbours ? prepare_parts(&told->side, neighbours) : state;
}

/* Count two sides; as spans, where both of them are, in one order, and nothing is numbered. */
static int count_told(Told *truth, Told *prediction, size_t width, size_t height,
                      unsigned neighbours, Pair **pairs, size_t *held)
{
    if (truth->is_spans && prediction->is_spans && truth->down == prediction->down && !neighbours)
        return tabulate_spans(&truth->spans, &prediction->spans, pairs, held);
    int state = prepare_told(truth, width, height, neighbours);
    if (state == DONE)
        state = prepare_told(prediction, width, height, neighbours);
    return state == DONE ? tabulate(&truth->side, &prediction->side, height, pairs, held) : state;
}

static void release_told(Told *told)
{
    release(&told->side);
    free(told->spans.list);
    PyBuffer_Release(&told->bytes);
}

PyObject *count_sides(PyObject *module, PyObject *arguments)
{
    Told truth = {0}, prediction = {0};
    PyObject *one, *other;
    Py_ssize_t width, height;
    unsigned neighbours = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "nnO!O!|I:count_sides", &width, &height, &PyTuple_Type, &one,
                          &PyTuple_Type, &other, &neighbours))
        return NULL;
    Pair *pairs = NULL;
    size_t held = 0;
    int state = width > 0 && width <= INT32_MAX && height > 0
            && (uint64_t)height < MOST_PIXELS / (uint64_t)width
        ? read_side(&truth, one, width, height) : UNFIT;
    if (state == DONE)
        state = read_side(&prediction, other, width, height);
    if (state == DONE) {
        Py_BEGIN_ALLOW_THREADS
        state = count_told(&truth, &prediction, (size_t)width, (size_t)height, neighbours, &pairs,
                           &held);
        Py_END_ALLOW_THREADS
    }
    PyObject *result
        = PyErr_Occurred() ? NULL : made(state, pairs, held, neighbours ? NUMBERED : PLAIN);
    free(pairs);
    release_told(&truth);
    release_told(&prediction);
    return result;
}
