/* One mask as an array of bytes: the codes of its values, of classes for example. */

#include "scanlines.h"

#include <string.h>

enum { BYTES = 256 };

typedef struct {
    const Side *side;
    const Codes *codes;
    int16_t of_bytes[BYTES]; /* where pixels are bytes; below 0: the value is not listed */
    uint32_t last; /* the pixel that was looked up last, if any was, and its code */
    int last_code, looked_up;
} Lookup;

/* Return the code of a value, or -1 if it is not listed. */
static int find(const Codes *codes, int64_t wanted)
{
    size_t first = 0, end = codes->held;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int64_t value;
        memcpy(&value, codes->values + middle * sizeof value, sizeof value);
        if (value == wanted)
            return (uint8_t)codes->codes[middle];
        if (value < wanted)
            first = middle + 1;
        else
            end = middle;
    }
    return -1;
}

static inline int code_of(Lookup *lookup, uint32_t pixel)
{
    if (lookup->side->bits * lookup->side->channels <= 8)
        return lookup->of_bytes[pixel];
    if (pixel != lookup->last || !lookup->looked_up) {
        int64_t value = value_of(lookup->side, pixel);
        lookup->last = pixel;
        lookup->last_code = value < 0 ? -1 : find(lookup->codes, value);
        lookup->looked_up = 1;
    }
    return lookup->last_code;
}

/* Write the codes of the row in hand; what is not listed is left to others. */
static int write_codes(Side *side, Lookup *lookup, uint8_t *out)
{
    if (side->shown->held) {
        uint32_t x = 0;
        for (size_t i = 0; i < side->shown->held; i++) {
            Run run = side->shown->runs[i];
            int code = code_of(lookup, run.value);
            if (code < 0)
                return UNFIT;
            memset(out + x, code, run.end - x);
            x = run.end;
        }
        return DONE;
    }
    int any = 0;
    write_pixels(side);
    for (size_t x = 0; x < side->width; x++) {
        int code = code_of(lookup, side->pixels[x]);
        any |= code;
        out[x] = (uint8_t)code;
    }
    return any < 0 ? UNFIT : DONE;
}

/* Write height * width codes. The runs of a row end with it (2), and so does what is written. */
int fill(Side *side, size_t height, const Codes *codes, uint8_t *out)
{
    Lookup lookup = {side, codes, {0}, 0, 0, 0};
    for (uint32_t byte = 0; byte < BYTES; byte++)
        lookup.of_bytes[byte] = (int16_t)find(codes, byte);
    for (size_t y = 0; y < height; y++, out += side->width) {
        if (y && repeats(side)) {
            memcpy(out, out - side->width, side->width);
        } else {
            int state = decode_row(side);
            if (state == DONE)
                state = write_codes(side, &lookup, out);
            if (state != DONE)
                return state;
        }
        side->row += 1 + side->bytes;
    }
    return DONE;
}
