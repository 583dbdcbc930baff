/* The rows of one side, one after another, as runs or as bytes. */

#include "scanlines.h"

#include <stdlib.h>
#include <string.h>

/* ---- bytes ---- */

static inline uint64_t word_at(const uint8_t *at) /* the first byte lowest */
{
    uint64_t word;
    memcpy(&word, at, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Whether a byte is not quiet: not 0, or (back > 0) not as the byte `back` before. */
static inline int stirs(const uint8_t *at, size_t back)
{
    return *at != (back ? *(at - back) : 0);
}

#ifdef SSE
static inline __m128i sixteen(const void *at) /* bytes, wherever they stand */
{
    return _mm_loadu_si128(at);
}
#endif

/* Return a bit for each of BLOCK bytes that is not quiet. */
static inline uint64_t stirred(const uint8_t *at, size_t back)
{
    uint64_t bits = 0;
#ifdef SSE
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i others = back ? sixteen(at + i - back) : _mm_setzero_si128();
        int alike = _mm_movemask_epi8(_mm_cmpeq_epi8(sixteen(at + i), others));
        bits |= (uint64_t)(~alike & 0xffff) << i;
    }
#else
    uint8_t flags[BLOCK]; /* compilers make vectors of this loop, and bits of eight by a product */
    for (unsigned i = 0; i < BLOCK; i++)
        flags[i] = (uint8_t)stirs(at + i, back);
    for (unsigned i = 0; i < BLOCK; i += 8)
        bits |= (word_at(flags + i) * 0x0102040810204080 >> 56) << i;
#endif
    return bits;
}

static inline int is_quiet(const uint8_t *at) /* whether BLOCK bytes are 0 */
{
#ifdef SSE
    __m128i any = _mm_setzero_si128();
    for (unsigned i = 0; i < BLOCK; i += 16)
        any = _mm_or_si128(any, sixteen(at + i));
    return _mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) == 0xffff;
#else
    uint64_t any = 0;
    for (unsigned i = 0; i < BLOCK; i += 8)
        any |= word_at(at + i);
    return !any;
#endif
}

/* Return the first byte from `at` on that is not 0; `end` if there is none. A last block ends with
   the row: it begins sooner, at or behind the row's beginning, and what is before `at` is shifted
   out. */
static inline size_t quiet_end(const uint8_t *row, size_t at, size_t end)
{
    for (; at + BLOCK <= end; at += BLOCK)
        if (!is_quiet(row + at))
            return at + lowest(stirred(row + at, 0));
    if (at < end && end >= BLOCK) {
        uint64_t bits = stirred(row + end - BLOCK, 0) >> (BLOCK - (end - at));
        return bits ? at + lowest(bits) : end;
    }
    while (at < end && row[at] == 0)
        at++;
    return at;
}

/* ---- units: up to four bytes side by side, the first one lowest ---- */

static inline uint32_t load(const uint8_t *at, unsigned unit)
{
    uint32_t value = at[0];
    for (unsigned byte = 1; byte < unit; byte++)
        value |= (uint32_t)at[byte] << 8 * byte;
    return value;
}

static inline uint32_t add(uint32_t a, uint32_t b) /* byte by byte, without carry between them */
{
    return ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
}

static inline uint32_t mean(uint32_t a, uint32_t b) /* byte by byte, rounded down */
{
    return (a & b) + (((a ^ b) & 0xfefefefe) >> 1);
}

static inline int nearest(int a, int b, int c) /* Paeth's choice for one byte */
{
    int to_a = abs(b - c), to_b = abs(a - c), to_c = abs(a + b - 2 * c);
    int closer = to_b < to_a ? b : a, distance = to_b < to_a ? to_b : to_a;
    return to_c < distance ? c : closer; /* of equal ones, the first */
}

static inline uint32_t paeth(uint32_t a, uint32_t b, uint32_t c, unsigned unit)
{
    if (b == c)
        return a;
    if (a == c)
        return b;
    uint32_t value = 0;
    for (unsigned shift = 0; shift < 8 * unit; shift += 8)
        value |= (uint32_t)nearest(a >> shift & 255, b >> shift & 255, c >> shift & 255) << shift;
    return value;
}

static inline uint32_t predict(int filter, uint32_t a, uint32_t b, uint32_t c, unsigned unit)
{
    switch (filter) {
    case SUB: return a;
    case UP: return b;
    case AVERAGE: return mean(a, b);
    case PAETH: return paeth(a, b, c, unit);
    default: return 0;
    }
}

/* ---- a row as runs ---- */

/* Let a list go on to `end`, by a new run where the value is another; return 0 if it is full.
   Written without a branch on the value, which nobody could foresee. */
static inline int append(Runs *list, uint32_t end, uint32_t value)
{
    size_t same = list->held && list->runs[list->held - 1].value == value;
    size_t held = list->held + 1 - same;
    if (held > list->limit)
        return 0;
    list->runs[held - 1] = (Run){end, value};
    list->held = held;
    return 1;
}

/* Put the runs of a row that does not look up into `next`; return 0 if they are too many. A unit
   that holds a stirred byte begins a run: its residual is not 0, or (filter None) it is not the
   unit before. Blocks are of whole units, have a unit before them, and end with the row: the last
   one begins sooner, and what was looked at before is shifted out. A block adds no more runs than
   it has bytes (3). */
static inline int decode_flat(Side *side, const uint8_t *row, int filter, unsigned unit)
{
    const size_t whole = BLOCK - BLOCK % unit, bytes = side->bytes, back = filter == NONE ? unit : 0;
    const uint64_t each = ((uint64_t)1 << unit) - 1;
    Run *run = side->next.runs, *limit = run + side->next.limit;
    uint32_t value = load(row, unit);
    for (size_t at = unit; at < bytes; at += whole) {
        size_t rest = bytes - at;
        uint64_t bits = 0;
        if (rest >= BLOCK)
            bits = stirred(row + at, back) & ~(uint64_t)0 >> (BLOCK - whole);
        else if (bytes >= BLOCK + unit)
            bits = stirred(row + bytes - BLOCK, back) >> (BLOCK - rest);
        else
            for (size_t i = 0; i < rest; i++)
                bits |= (uint64_t)stirs(row + at + i, back) << i;
        while (bits) {
            size_t first = lowest(bits) / unit, x = at / unit + first;
            uint32_t stored = load(row + x * unit, unit);
            *run++ = (Run){(uint32_t)x, value};
            value = filter == NONE ? stored : add(value, stored);
            bits &= unit == 1 ? bits - 1 : ~(each << first * unit);
        }
        if (run >= limit)
            return 0;
    }
    *run++ = (Run){(uint32_t)side->units, value};
    side->next.held = (size_t)(run - side->next.runs);
    return 1;
}

/* Let the row go on as the one above it from x to `calm`, behind x; return 0 if runs are too many.
   `above` holds x, or ends there, and its list ends with the row (2), at or behind `calm`. */
static inline int follow(Runs *next, const Run **above, uint32_t x, uint32_t calm)
{
    const Run *run = *above + ((*above)->end == x);
    if (!append(next, run->end < calm ? run->end : calm, run->value))
        return 0;
    while (run->end < calm) { /* runs side by side differ, so there is nothing to join */
        if (next->held == next->limit)
            return 0;
        next->runs[next->held++] = *++run;
    }
    next->runs[next->held - 1].end = calm;
    *above = run;
    return 1;
}

/* Put the runs of units of a row behind those of the row above; return 0 if they are too many.
   `row` has side->bytes bytes (1). `above` ends with the row (2), so it is in its list while
   x < side->units: it moves on only where x has reached its end. All before `calm` is quiet. */
static inline int decode_below(Side *side, const uint8_t *row, int filter, unsigned unit)
{
    const Run *above = side->now.runs;
    Runs *next = &side->next;
    uint32_t left = 0, corner = 0, x = 0, calm = 0, units = (uint32_t)side->units;
    next->held = 0;
    while (x < units) {
        uint32_t up = above->value;
        left = add(predict(filter, left, up, corner, unit), load(row + (size_t)x * unit, unit));
        if (!append(next, ++x, left))
            return 0;
        if (calm < x)
            calm = (uint32_t)(quiet_end(row, (size_t)x * unit, side->bytes) / unit);
        if (x < calm && (filter == UP || (filter == PAETH && left == up))) {
            if (!follow(next, &above, x, calm))
                return 0;
            left = up = above->value;
            x = calm;
        }
        for (uint32_t end = above->end < calm ? above->end : calm; x < end;) {
            uint32_t value = predict(filter, left, up, up, unit);
            x = value == left ? end : x + 1; /* once alike, all are */
            if (!append(next, x, left = value))
                return 0;
        }
        corner = up;
        above += x == above->end;
    }
    return 1;
}

static inline int decode(Side *side, const uint8_t *row, int filter, unsigned unit)
{
    switch (filter) { /* each case is compiled for its filter */
    case NONE: return decode_flat(side, row, NONE, unit);
    case SUB: return decode_flat(side, row, SUB, unit);
    case UP: return decode_below(side, row, UP, unit);
    case AVERAGE: return decode_below(side, row, AVERAGE, unit);
    default: return decode_below(side, row, PAETH, unit);
    }
}

/* Bring `now` to the row; return 0, and leave it without runs, if there are too many. */
static int decode_runs(Side *side, const uint8_t *row, int filter)
{
    int fits;
    switch (side->unit) { /* each case is compiled for its size of a unit */
    case 1: fits = decode(side, row, filter, 1); break;
    case 2: fits = decode(side, row, filter, 2); break;
    case 3: fits = decode(side, row, filter, 3); break;
    default: fits = decode(side, row, filter, 4); break;
    }
    Runs before = side->now;
    side->now = side->next;
    side->next = before;
    if (!fits)
        side->now.held = 0;
    return fits;
}

/* Turn runs of bytes into runs of the pixels packed in them; return 0 if they are too many.
   Pixels behind the end of the row are filling, and are left out. */
static int unpack_runs(Side *side)
{
    unsigned bits = side->bits, each = 8 / bits, most = (1u << bits) - 1;
    uint64_t start = 0, width = side->width;
    side->packed.held = 0;
    for (size_t i = 0; i < side->now.held; i++) {
        Run run = side->now.runs[i];
        uint64_t end = (uint64_t)run.end * each;
        uint32_t first = run.value >> (8 - bits);
        uint64_t step = run.value == first * (255 / most) ? end - start : 1; /* all alike: at once */
        for (uint64_t x = start; x < end && x < width; x += step) {
            uint32_t value = run.value >> (8 - bits * (1 + x % each)) & most;
            uint64_t stop = x + step < width ? x + step : width;
            if (!append(&side->packed, (uint32_t)stop, value))
                return 0;
        }
        start = end;
    }
    return 1;
}

/* ---- a row as bytes ---- */

static void write_line(Side *side) /* from its runs, which end with the row (2) */
{
    size_t x = 0;
    for (size_t i = 0; i < side->now.held; i++)
        for (Run run = side->now.runs[i]; x < run.end; x++)
            for (unsigned byte = 0; byte < side->unit; byte++)
                side->line[x * side->unit + byte] = (uint8_t)(run.value >> 8 * byte);
}

/* Make the bytes of a row, of whole units (1); what is to the left stays in a register. */
static inline void unfilter(Side *side, const uint8_t *row, int filter, unsigned unit)
{
    const uint8_t *above = side->line;
    const size_t bytes = side->bytes; /* what is written might be that number, as far as C knows */
    uint8_t *restrict out = side->next_line;
    uint32_t left = 0, corner = 0;
    for (size_t at = 0; at < bytes; at += unit) {
        uint32_t up = load(above + at, unit), stored = load(row + at, unit);
        uint32_t guess = predict(filter, left, up, corner, unit);
        left = unit > 1 ? add(guess, stored) : filter == SUB ? guess + stored : (guess + stored) & 255;
        for (unsigned byte = 0; byte < unit; byte++)
            out[at + byte] = (uint8_t)(left >> 8 * byte);
        corner = up;
    }
}

static inline void unfilter_units(Side *side, const uint8_t *row, int filter)
{
    switch (side->unit) { /* each case is compiled for its size of a unit */
    case 1: unfilter(side, row, filter, 1); break;
    case 2: unfilter(side, row, filter, 2); break;
    case 3: unfilter(side, row, filter, 3); break;
    default: unfilter(side, row, filter, 4); break;
    }
}

static void decode_bytes(Side *side, const uint8_t *row, int filter)
{
    switch (filter) { /* each case is compiled for its filter */
    case NONE: memcpy(side->next_line, row, side->bytes); break;
    case SUB: unfilter_units(side, row, SUB); break;
    case UP: unfilter(side, row, UP, 1); break; /* as all bytes are on their own */
    case AVERAGE: unfilter_units(side, row, AVERAGE); break;
    default: unfilter_units(side, row, PAETH); break;
    }
    uint8_t *above = side->line;
    side->line = side->next_line;
    side->next_line = above;
}

/* Whether the bytes of a row are far too many runs, found without following them. */
static int is_noise(const Side *side)
{
    const uint8_t *line = side->line;
    size_t unit = side->unit, changes = 0;
    for (size_t i = unit; i < side->bytes;) {
        size_t end = side->bytes - i < BLOCK ? side->bytes : i + BLOCK;
        uint8_t found = 0; /* in a block: compilers add up many such numbers at once */
        for (; i < end; i++)
            found += line[i] != line[i - unit];
        changes += found;
    }
    return changes > side->now.limit * unit;
}

/* ---- a side ---- */

/* Whether samples are of a kind that is read here, and the rows as many as they must be (1). */
int fits(const Side *side, size_t size, size_t width, size_t height)
{
    unsigned bits = side->bits, channels = side->channels;
    int known = channels == 1 ? bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16
                              : channels >= 2 && channels <= 4 && bits == 8;
    if (!known || width < 1 || height < 1 || width > INT32_MAX || width > SIZE_MAX / 128)
        return 0;
    size_t row = 1 + (width * bits * channels + 7) / 8;
    return size % row == 0 && size / row == height;
}

int prepare(Side *side, size_t width)
{
    unsigned whole = side->bits * side->channels;
    side->width = width;
    side->unit = whole < 8 ? 1 : whole / 8;
    side->bytes = (width * whole + 7) / 8;
    side->units = side->bytes / side->unit;
    side->now.limit = side->next.limit = side->units / NOISE + LEAST;
    side->packed.limit = width / NOISE + LEAST;
    side->now.runs = malloc((side->now.limit + BLOCK) * sizeof(Run));
    side->next.runs = malloc((side->next.limit + BLOCK) * sizeof(Run));
    side->packed.runs = malloc(whole < 8 ? side->packed.limit * sizeof(Run) : 1);
    side->line = malloc(side->bytes);
    side->next_line = malloc(side->bytes);
    side->pixels = malloc(width * sizeof(uint32_t));
    if (!side->now.runs || !side->next.runs || !side->packed.runs || !side->line
        || !side->next_line || !side->pixels)
        return NO_MEMORY;
    side->now.held = 0;
    append(&side->now, (uint32_t)side->units, 0); /* above the first row are zeros */
    return DONE;
}

void release(Side *side)
{
    free(side->now.runs);
    free(side->next.runs);
    free(side->packed.runs);
    free(side->line);
    free(side->next_line);
    free(side->pixels);
    free(side->drawn.edges);
    free(side->drawn.first);
    free(side->parts.now.runs);
    free(side->parts.above.runs);
    free(side->parts.parent);
    free(side->parts.value);
}

/* Whether the row in hand, not the first one, is the row above once more. Paeth's prediction is
   b where a equals c, which so goes on from the left edge, where both are 0. */
int repeats(const Side *side)
{
    const uint8_t *row = side->row;
    if (side->drawn.spans)
        return repeats_drawn(side);
    if (row[0] == UP || row[0] == PAETH)
        return row[1] == 0 && memcmp(row + 1, row + 2, side->bytes - 1) == 0;
    return row[0] <= SUB && memcmp(row, row - 1 - side->bytes, 1 + side->bytes) == 0;
}

void pass_row(Side *side)
{
    if (side->drawn.spans)
        side->drawn.y++;
    else
        side->row += 1 + side->bytes;
}

/* Make runs of the row in hand, or else bytes; then look for runs in these, for the rows to come. */
int decode_row(Side *side)
{
    if (side->drawn.spans)
        return draw_row(side);
    int filter = side->row[0], in_runs = 0;
    if (filter > PAETH)
        return UNFIT;
    if (side->now.held) {
        Runs above = side->now;
        in_runs = decode_runs(side, side->row + 1, filter);
        if (!in_runs) {
            side->next = side->now;
            side->now = above;
            write_line(side);
        }
    }
    if (!in_runs) {
        decode_bytes(side, side->row + 1, filter);
        if (is_noise(side))
            side->now.held = 0;
        else
            decode_runs(side, side->line, NONE);
    }
    side->shown = side->bits < 8 ? &side->packed : &side->now;
    if (side->bits < 8 && !unpack_runs(side))
        side->packed.held = 0;
    return DONE;
}

/* Return the values of the row in hand, of pixels that are bytes. */
const uint8_t *bytes_of(Side *side)
{
    if (side->now.held)
        write_line(side);
    return side->line;
}

static inline void write_units(Side *side, unsigned unit)
{
    for (size_t x = 0; x < side->width; x++)
        side->pixels[x] = load(side->line + x * unit, unit);
}

/* Write the values of the row in hand, one a pixel. Bytes are there where runs of units are not. */
void write_pixels(Side *side)
{
    unsigned bits = side->bits;
    if (side->shown->held) {
        size_t x = 0;
        for (const Run *run = side->shown->runs; x < side->width; run++)
            for (; x < run->end; x++)
                side->pixels[x] = run->value;
        return;
    }
    if (side->now.held)
        write_line(side);
    if (bits >= 8 && side->unit == 1)
        write_units(side, 1); /* compiled for itself, as most masks are bytes */
    else if (bits >= 8)
        write_units(side, side->unit);
    else
        for (size_t x = 0; x < side->width; x++)
            side->pixels[x]
                = side->line[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1u << bits) - 1);
}

/* Return the value of a pixel, or -1 if it is not opaque. */
int64_t value_of(const Side *side, uint32_t pixel)
{
    const int64_t color = (int64_t)1 << 62; /* as in values.py */
    uint32_t a = pixel & 255, b = pixel >> 8 & 255, c = pixel >> 16 & 255;
    switch (side->channels) {
    case 1: return side->bits == 16 ? a << 8 | b : pixel;
    case 2: return b == 255 ? (int64_t)a : -1;
    case 4: if (pixel >> 24 != 255) return -1; /* fall through */
    default: return color | a << 16 | b << 8 | c;
    }
}
