/* The kernel for Python: what is unusual about its arguments comes back as None or False. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdlib.h>
#include <string.h>

#include "scanlines.h"

PyObject *outline(PyObject *module, PyObject *file); /* chunks.c */
PyObject *count_sides(PyObject *module, PyObject *arguments); /* told.c */

static int are_rows(const Side *side, const Py_buffer *rows, Py_ssize_t width, Py_ssize_t height)
{
    return fits(side, (size_t)rows->len, (size_t)width, (size_t)height);
}

static PyObject *answer(const Pair *pairs, size_t held, size_t columns)
{
    size_t size = sizeof(int64_t);
    PyObject *answered = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(columns * held * size));
    if (!answered)
        return NULL;
    char *out = PyBytes_AsString(answered);
    for (size_t column = 0; column < columns; column++)
        for (size_t i = 0; i < held; i++)
            memcpy(out + (column * held + i) * size, &pairs[i].columns[column], size);
    return answered;
}

PyObject *made(int state, const Pair *pairs, size_t held, size_t columns)
{
    return state == DONE ? answer(pairs, held, columns)
        : state == UNFIT ? Py_NewRef(Py_None) : PyErr_NoMemory();
}

static PyObject *count(PyObject *module, PyObject *arguments)
{
    Py_buffer truth_rows, prediction_rows;
    Py_ssize_t width, height;
    Side truth = {0}, prediction = {0};
    unsigned neighbours = 0;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "nny*IIy*II|I:count", &width, &height, &truth_rows,
                          &truth.bits, &truth.channels, &prediction_rows, &prediction.bits,
                          &prediction.channels, &neighbours))
        return NULL;
    Pair *pairs = NULL;
    size_t held = 0;
    int state = UNFIT;
    if (are_rows(&truth, &truth_rows, width, height)
        && are_rows(&prediction, &prediction_rows, width, height)) {
        Py_BEGIN_ALLOW_THREADS
        truth.row = truth_rows.buf;
        prediction.row = prediction_rows.buf;
        state = prepare(&truth, (size_t)width) || prepare(&prediction, (size_t)width)
            || (neighbours && prepare_parts(&truth, neighbours))
            || (neighbours && prepare_parts(&prediction, neighbours))
            ? NO_MEMORY : tabulate(&truth, &prediction, (size_t)height, &pairs, &held);
        release(&truth);
        release(&prediction);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&truth_rows);
    PyBuffer_Release(&prediction_rows);
    PyObject *result = made(state, pairs, held, neighbours ? NUMBERED : PLAIN);
    free(pairs);
    return result;
}

static PyObject *fill_classes(PyObject *module, PyObject *arguments)
{
    Py_buffer rows, values, codes, out;
    Py_ssize_t width, height;
    Side side = {0};
    (void)module;
    if (!PyArg_ParseTuple(arguments, "nny*IIy*y*w*:fill", &width, &height, &rows, &side.bits,
                          &side.channels, &values, &codes, &out))
        return NULL;
    int state = UNFIT;
    if (are_rows(&side, &rows, width, height) && out.len / width == height
        && out.len % width == 0 && values.len / 8 == codes.len && values.len % 8 == 0) {
        Py_BEGIN_ALLOW_THREADS
        Codes listed = {values.buf, codes.buf, (size_t)codes.len};
        side.row = rows.buf;
        state = prepare(&side, (size_t)width);
        if (state == DONE)
            state = fill(&side, (size_t)height, &listed, out.buf);
        release(&side);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows);
    PyBuffer_Release(&values);
    PyBuffer_Release(&codes);
    PyBuffer_Release(&out);
    return state == NO_MEMORY ? PyErr_NoMemory() : PyBool_FromLong(state == DONE);
}

static PyObject *settle_layer(PyObject *module, PyObject *arguments)
{
    Py_buffer truth, prediction;
    unsigned char nothing, skipped;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "w*w*bb:settle", &truth, &prediction, &nothing, &skipped))
        return NULL;
    PyObject *result = NULL;
    Totals *totals = NULL;
    if (truth.len != prediction.len)
        PyErr_SetString(PyExc_ValueError, "both sides must have the same pixels");
    else if (!(totals = calloc(1, sizeof *totals)))
        PyErr_NoMemory();
    else {
        Py_BEGIN_ALLOW_THREADS
        Judged judged = {nothing, skipped};
        settle(truth.buf, prediction.buf, (size_t)truth.len, &judged, totals);
        Py_END_ALLOW_THREADS
        result = PyBytes_FromStringAndSize((char *)totals, sizeof *totals);
    }
    free(totals);
    PyBuffer_Release(&truth);
    PyBuffer_Release(&prediction);
    return result;
}

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS,
     "count(width, height, truth, bits, channels, prediction, bits, channels, neighbours=0)\n--\n\n"
     "Return three columns of int64 (truth, prediction, pixels), or None if rows are unfit; with\n"
     "4 or 8 neighbours two more, the number of the connected part on either side."},
    {"count_sides", count_sides, METH_VARARGS,
     "count_sides(width, height, truth, prediction, neighbours=0)\n--\n\n"
     "Return columns as `count` does, of sides that are scan lines (bytes, bits, channels), rows of\n"
     "run lengths (down, base, relative, delimiter, place of the cell, [(line, value)]), or runs\n"
     "(down, starts, ends and values of int64); down says whether they go along columns. None if one is unfit, or rows overlap."},
    {"fill", fill_classes, METH_VARARGS,
     "fill(width, height, rows, bits, channels, values, codes, out)\n--\n\n"
     "Fill bytes with the code of each pixel, by ascending values (int64) and the code of each;\n"
     "False, with anything in the bytes, if rows are unfit or hold a value that is not listed."},
    {"settle", settle_layer, METH_VARARGS,
     "settle(truth, prediction, nothing, skipped)\n--\n\n"
     "Write the code of void over both bytes where the truth is void or the prediction skipped;\n"
     "return int64: the pixels of the 256 codes in the truth, and in the prediction, without them."},
    {"outline", outline, METH_O,
     "outline(file)\n--\n\n"
     "Return width, height, bits, colour type, how many chunks stand before the pixels, and of\n"
     "each chunk that decides what they are (start, end, checksum), or None if it is unusual."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED /* where there is no lock; nothing here is shared */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_scanlines", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__scanlines(void)
{
    return PyModuleDef_Init(&definition);
}
