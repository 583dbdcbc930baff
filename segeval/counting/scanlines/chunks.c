/* The chunks of a PNG file, listed where nothing about them is unusual. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum { IHDR = 0x49484452, PLTE = 0x504c5445, IDAT = 0x49444154 };
enum { ACTL = 0x6163544c, FCTL = 0x6663544c, FDAT = 0x66644154 }; /* of animations */
enum { SIGNATURE = 8, FRAME = 12, FIRST = 33 }; /* bytes: the last up to the end of IHDR */

static inline uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Whether a chunk may stand anywhere, as it is none that decides what the pixels are. */
static int is_ancillary(const uint8_t *kind)
{
    for (unsigned i = 0; i < 4; i++)
        if ((kind[i] | 32) < 'a' || (kind[i] | 32) > 'z')
            return 0;
    uint32_t name = number(kind);
    return kind[0] & 32 && name != ACTL && name != FCTL && name != FDAT;
}

/* List start, end and stated checksum of IHDR, PLTE and each IDAT, and say how many stand before
   the first IDAT; NULL without an error if a chunk is unusual. A chunk is looked at once all of its
   frame, and then all of what it holds, is known to lie before `size`. */
static PyObject *list_chunks(const uint8_t *data, size_t size, size_t *before)
{
    uint32_t last = 0;
    size_t images = 0, palettes = 0;
    PyObject *spans = PyList_New(0);
    for (size_t at = SIGNATURE; spans; at += FRAME + number(data + at)) {
        if (size - at < FRAME)
            break;
        if (!memcmp(data + at, "\0\0\0\0IEND\xae\x42\x60\x82", FRAME)) {
            *before = 1 + palettes;
            if (images && (palettes || data[25] != 3))
                return spans;
            break;
        }
        size_t length = number(data + at), end = at + 8 + length;
        uint32_t kind = number(data + at + 4);
        if (length > size - at - FRAME)
            break;
        images += kind == IDAT;
        palettes += kind == PLTE;
        if (kind == IDAT ? images > 1 && last != IDAT
            : kind == PLTE ? palettes > 1 || images
            : kind == IHDR ? at != SIGNATURE : !is_ancillary(data + at + 4))
            break;
        last = kind;
        if (kind != IDAT && kind != PLTE && kind != IHDR)
            continue;
        PyObject *span = Py_BuildValue("nnI", (Py_ssize_t)at + 4, (Py_ssize_t)end,
                                       number(data + end));
        if (!span || PyList_Append(spans, span)) {
            Py_XDECREF(span);
            break;
        }
        Py_DECREF(span);
    }
    Py_XDECREF(spans);
    return NULL;
}

PyObject *outline(PyObject *module, PyObject *file)
{
    Py_buffer view;
    (void)module;
    if (PyObject_GetBuffer(file, &view, PyBUF_SIMPLE))
        return NULL;
    const uint8_t *data = view.buf;
    size_t before = 0;
    PyObject *spans = NULL, *result = NULL;
    if (view.len >= FIRST && !memcmp(data, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16)
        && !data[26] && !data[27] && !data[28])
        spans = list_chunks(data, (size_t)view.len, &before);
    if (spans)
        result = Py_BuildValue("IIBBnN", number(data + 16), number(data + 20), data[24], data[25],
                               (Py_ssize_t)before, spans);
    else if (!PyErr_Occurred())
        result = Py_NewRef(Py_None);
    PyBuffer_Release(&view);
    return result;
}
