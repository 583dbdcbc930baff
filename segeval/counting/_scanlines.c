/* Count the pairs of values of two PNG masks from their inflated scan lines, without their pixels.

A row of a PNG file is a filter byte and residuals: what each byte differs by from a prediction made
of the bytes to its left (a), above it (b), and above to the left (c). The words here:

    unit   what filters look at as a whole: a pixel of 1 to 4 bytes, or a byte of packed pixels
    run    a stretch of equal units, or pixels, up to an end (not included)
    quiet  a stretch of residuals that are 0 (filter None: of bytes equal to those one unit before)

Where the row above does not change, b equals c, and in a quiet stretch each filter then depends on
the left unit alone. Once such a unit equals the one before, all up to the end of the stretch do. So
the runs of a row follow from the runs above and from the few units that begin a stretch.

Masks that are noise would have as many runs as pixels. A row that has more than one run in NOISE
units is held as bytes instead, and counted pixel by pixel.

What is read stays in bounds for these reasons, on which each function says what it relies:
(1) `count` has checked that either side is exactly height * (1 + bytes) long;
(2) every list of runs ends where its row ends, so that a position before has a run;
(3) a list holds at most `limit` runs, which `append` and `follow` look at before they add one,
    and has room for BLOCK more, which `decode_flat` may add before it looks.

Source of the layout: W3C, Portable Network Graphics (PNG) Specification, third edition. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SSE
#endif

enum { NONE, SUB, UP, AVERAGE, PAETH };
enum { DONE, UNFIT, NO_MEMORY };
enum { BLOCK = 64, NOISE = 8, LEAST = 16, BYTE_PAIRS = 1 << 16 };
enum { FIRST_SLOTS = 1 << 8, MOST_SLOTS = 1 << 21, MOST_STEPS = 1 << 8 };

static const int64_t COLOR = (int64_t)1 << 62; /* as in values.py */

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
    const uint8_t *row; /* the filter byte of the row in hand */
    size_t width, bytes, units; /* of a row, without the filter byte */
    unsigned bits, channels, unit; /* the last in bytes */
    Runs now, next; /* runs of units of this row, if any are held; room for those of the next */
    Runs packed; /* runs of pixels, where a unit is several */
    Runs *shown; /* runs of pixels of this row: one of the above */
    uint8_t *line, *next_line; /* the bytes of this row, where it has no runs; room for the next */
    uint32_t *pixels; /* room for the values of a row */
    Parts parts; /* connected pixels of one value, if they are asked for: else there is no parent */
} Side;

typedef struct {
    uint64_t key, pixels; /* truth in the upper half; no pixels: the slot is free */
} Slot;

typedef struct {
    Slot *slots;
    size_t used, mask; /* the number of slots, a power of two, less 1 */
    uint64_t *dense; /* pixels of each pair of bytes, once masks are noise; or none */
} Table;

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

static inline size_t lowest(uint64_t bits) /* the position of the lowest bit that is set; one is */
{
#ifdef __GNUC__
    return (size_t)__builtin_ctzll(bits);
#else
    size_t at = 0;
    while (!(bits >> at & 1))
        at++;
    return at;
#endif
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

static inline void unfilter(Side *side, const uint8_t *row, int filter)
{
    size_t unit = side->unit, bytes = side->bytes;
    uint8_t *out = side->next_line;
    const uint8_t *up = side->line;
    for (size_t i = 0; i < unit && i < bytes; i++)
        out[i] = (uint8_t)(row[i] + predict(filter, 0, up[i], 0, 1));
    for (size_t i = unit; i < bytes; i++)
        out[i] = (uint8_t)(row[i] + predict(filter, out[i - unit], up[i], up[i - unit], 1));
}

static void decode_bytes(Side *side, const uint8_t *row, int filter)
{
    switch (filter) { /* each case is compiled for its filter */
    case NONE: memcpy(side->next_line, row, side->bytes); break;
    case SUB: unfilter(side, row, SUB); break;
    case UP: unfilter(side, row, UP); break;
    case AVERAGE: unfilter(side, row, AVERAGE); break;
    default: unfilter(side, row, PAETH); break;
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
    for (size_t i = unit; i < side->bytes; i++)
        changes += line[i] != line[i - unit];
    return changes > side->now.limit * unit;
}

/* ---- a side ---- */

static int prepare(Side *side, size_t width)
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

static void release(Side *side)
{
    free(side->now.runs);
    free(side->next.runs);
    free(side->packed.runs);
    free(side->line);
    free(side->next_line);
    free(side->pixels);
    free(side->parts.now.runs);
    free(side->parts.above.runs);
    free(side->parts.parent);
    free(side->parts.value);
}

/* Whether the row in hand, not the first one, is the row above once more. Paeth's prediction is
   b where a equals c, which so goes on from the left edge, where both are 0. */
static int repeats(const Side *side)
{
    const uint8_t *row = side->row;
    if (row[0] == UP || row[0] == PAETH)
        return row[1] == 0 && memcmp(row + 1, row + 2, side->bytes - 1) == 0;
    return row[0] <= SUB && memcmp(row, row - 1 - side->bytes, 1 + side->bytes) == 0;
}

/* Make runs of the row in hand, or else bytes; then look for runs in these, for the rows to come. */
static int decode_row(Side *side)
{
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

static inline void write_units(Side *side, unsigned unit)
{
    for (size_t x = 0; x < side->width; x++)
        side->pixels[x] = load(side->line + x * unit, unit);
}

/* Write the values of the row in hand, one a pixel. Bytes are there where runs of units are not. */
static void write_pixels(Side *side)
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

/* ---- connected parts ---- */

/* Get ready to number the parts of a side; lists of runs hold what `prepare` lets lists hold. */
static int prepare_parts(Side *side, unsigned neighbours)
{
    Parts *parts = &side->parts;
    size_t most = side->width / NOISE + LEAST + BLOCK;
    parts->reach = neighbours == 8;
    parts->room = FIRST_SLOTS;
    parts->now.runs = malloc(most * sizeof(Run));
    parts->above.runs = malloc(most * sizeof(Run));
    parts->parent = malloc(parts->room * sizeof(uint32_t));
    parts->value = malloc(parts->room * sizeof(uint32_t));
    return parts->now.runs && parts->above.runs && parts->parent && parts->value ? DONE : NO_MEMORY;
}

static inline uint32_t root(const Parts *parts, uint32_t number)
{
    while (parts->parent[number] != number)
        number = parts->parent[number] = parts->parent[parts->parent[number]];
    return number;
}

/* Return a number for a part that begins here, in `number`; numbers rise from the top left. */
static int begin_part(Parts *parts, uint32_t value, uint32_t *number)
{
    if (parts->held == parts->room) {
        size_t size = 2 * parts->room * sizeof(uint32_t);
        uint32_t *parent = parts->room > INT32_MAX ? NULL : realloc(parts->parent, size);
        parts->parent = parent ? parent : parts->parent;
        uint32_t *values = parent ? realloc(parts->value, size) : NULL;
        parts->value = values ? values : parts->value;
        if (!values)
            return NO_MEMORY;
        parts->room *= 2;
    }
    *number = (uint32_t)parts->held++;
    parts->parent[*number] = *number;
    parts->value[*number] = value;
    return DONE;
}

/* Give every run of a row the number of its part: the lowest of those above that it touches. Both
   lists end with the row (2); `up` is the first above that can touch what is still to come. */
static int number_row(Side *side)
{
    Parts *parts = &side->parts;
    Runs above = parts->now;
    const Run *up = above.runs, *last = up + above.held;
    uint32_t start = 0, from = 0, reach = parts->reach;
    parts->now = parts->above;
    parts->above = above;
    parts->now.held = side->shown->held;
    for (size_t i = 0; i < side->shown->held; i++) {
        Run run = side->shown->runs[i];
        uint32_t number = UINT32_MAX;
        for (; up < last && up->end + reach <= start; up++)
            from = up->end;
        uint32_t begin = from;
        for (const Run *at = up; at < last && begin < run.end + reach; begin = at++->end) {
            if (parts->value[at->value] != run.value)
                continue;
            uint32_t other = root(parts, at->value);
            uint32_t lower = other < number ? other : number;
            if (number != UINT32_MAX)
                parts->parent[other < number ? number : other] = lower;
            number = lower;
        }
        if (number == UINT32_MAX && begin_part(parts, run.value, &number))
            return NO_MEMORY;
        parts->now.runs[i] = (Run){run.end, number};
        start = run.end;
    }
    return DONE;
}

/* ---- the table ---- */

/* Return the slot of a key, or a free one for it; NULL if many others stand before it. Half of the
   slots are free, so they do so where values were chosen for it, to keep this program busy. */
static inline Slot *find(Slot *slots, size_t mask, uint64_t key)
{
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> 32);
    for (size_t end = at + MOST_STEPS; at != end; at++)
        if (!slots[at & mask].pixels || slots[at & mask].key == key)
            return slots + (at & mask);
    return NULL;
}

/* Double the slots; values that are too many, or chosen to stand in one place, are left to others. */
static int widen(Table *table)
{
    size_t mask = 2 * table->mask + 1;
    Slot *slots = mask < MOST_SLOTS ? calloc(mask + 1, sizeof(Slot)) : NULL;
    int state = slots ? DONE : mask < MOST_SLOTS ? NO_MEMORY : UNFIT;
    for (size_t i = 0; state == DONE && i <= table->mask; i++) {
        Slot *slot = table->slots[i].pixels ? find(slots, mask, table->slots[i].key) : NULL;
        if (slot)
            *slot = table->slots[i];
        else if (table->slots[i].pixels)
            state = UNFIT;
    }
    free(state == DONE ? table->slots : slots);
    if (state == DONE)
        *table = (Table){slots, table->used, mask, table->dense};
    return state;
}

/* Add pixels, at least one. */
static inline int tally(Table *table, uint32_t truth, uint32_t prediction, uint64_t pixels)
{
    uint64_t key = (uint64_t)truth << 32 | prediction;
    Slot *slot = find(table->slots, table->mask, key);
    if (!slot)
        return UNFIT;
    size_t is_new = slot->pixels == 0;
    slot->key = key;
    slot->pixels += pixels;
    table->used += is_new;
    return is_new && 2 * table->used > table->mask ? widen(table) : DONE;
}

/* Both lists end at the width (2), so a position before has a run in each. */
static int tally_runs(Table *table, const Run *t, const Run *p, size_t width, uint64_t times)
{
    for (uint32_t x = 0; x < width;) {
        uint32_t end = t->end < p->end ? t->end : p->end;
        int state = tally(table, t->value, p->value, (end - x) * times);
        if (state)
            return state;
        t += t->end == end;
        p += p->end == end;
        x = end;
    }
    return DONE;
}

static int tally_pixels(Table *table, Side *truth, Side *prediction, uint64_t times)
{
    const uint32_t *t = truth->pixels, *p = prediction->pixels;
    size_t width = truth->width;
    write_pixels(truth);
    write_pixels(prediction);
    if (table->dense) {
        for (size_t x = 0; x < width; x++)
            table->dense[t[x] << 8 | p[x]] += times;
        return DONE;
    }
    int state = DONE;
    for (size_t x = 0; x < width && !state; x++)
        state = tally(table, t[x], p[x], times);
    return state;
}

static int tally_row(Table *table, Side *truth, Side *prediction, uint64_t times)
{
    if (truth->parts.parent)
        return tally_runs(table, truth->parts.now.runs, prediction->parts.now.runs, truth->width,
                          times);
    if (truth->shown->held && prediction->shown->held)
        return tally_runs(table, truth->shown->runs, prediction->shown->runs, truth->width, times);
    int bytes = truth->bits * truth->channels <= 8 && prediction->bits * prediction->channels <= 8;
    if (bytes && !table->dense && table->used > BYTE_PAIRS / 256
        && !(table->dense = calloc(BYTE_PAIRS, sizeof(uint64_t))))
        return NO_MEMORY;
    return tally_pixels(table, truth, prediction, times);
}

/* Make runs or bytes of the row in hand, and parts of runs; these do without noise. */
static int next_row(Side *side)
{
    int state = decode_row(side);
    if (state != DONE || !side->parts.parent)
        return state;
    return side->shown->held ? number_row(side) : UNFIT;
}

/* Count all rows; those that are as the row above on both sides are counted together. */
static int tally_all(Table *table, Side *truth, Side *prediction, size_t height)
{
    uint64_t times = 0;
    for (size_t y = 0; y < height; y++) {
        int old_truth = y && repeats(truth), old_prediction = y && repeats(prediction);
        int state = DONE;
        if (times && !(old_truth && old_prediction)) {
            state = tally_row(table, truth, prediction, times);
            times = 0;
        }
        if (state == DONE && !old_truth)
            state = next_row(truth);
        if (state == DONE && !old_prediction)
            state = next_row(prediction);
        if (state != DONE)
            return state;
        times++;
        truth->row += 1 + truth->bytes;
        prediction->row += 1 + prediction->bytes;
    }
    return tally_row(table, truth, prediction, times);
}

/* ---- from values of units to those of masks ---- */

/* Return the value of a pixel, or -1 if it is not opaque. */
static int64_t value_of(const Side *side, uint32_t pixel)
{
    uint32_t a = pixel & 255, b = pixel >> 8 & 255, c = pixel >> 16 & 255;
    switch (side->channels) {
    case 1: return side->bits == 16 ? a << 8 | b : pixel;
    case 2: return b == 255 ? (int64_t)a : -1;
    case 4: if (pixel >> 24 != 255) return -1; /* fall through */
    default: return COLOR | a << 16 | b << 8 | c;
    }
}

enum { PLAIN = 3, NUMBERED = 5 }; /* columns of pairs */

typedef union {
    struct {
        int64_t truth, prediction, pixels;
        int64_t true_part, predicted_part; /* only where there are parts */
    };
    int64_t columns[NUMBERED];
} Pair;

static int by_values(const void *one, const void *other)
{
    const Pair *a = one, *b = other;
    if (a->truth != b->truth)
        return a->truth < b->truth ? -1 : 1;
    return (a->prediction > b->prediction) - (a->prediction < b->prediction);
}

static size_t pairs_held(Table *table)
{
    if (!table->dense)
        return table->used;
    size_t held = 0;
    for (size_t i = 0; i <= table->mask; i++) /* keys are bytes, as there is a dense table */
        table->dense[(table->slots[i].key >> 24 & 0xff00) | (table->slots[i].key & 255)]
            += table->slots[i].pixels;
    for (size_t code = 0; code < BYTE_PAIRS; code++)
        held += table->dense[code] != 0;
    return held;
}

/* Write the pairs, in ascending order, into room for as many as `pairs_held` says. */
static int write_pairs(const Table *table, const Side *truth, const Side *prediction, Pair *pairs)
{
    size_t held = 0;
    for (size_t code = 0; table->dense && code < BYTE_PAIRS; code++)
        if (table->dense[code])
            pairs[held++] = (Pair){{
                (int64_t)(code >> 8), (int64_t)(code & 255), (int64_t)table->dense[code], 0, 0}};
    for (size_t i = 0; !table->dense && i <= table->mask; i++) {
        const Slot *slot = table->slots + i;
        if (!slot->pixels)
            continue;
        uint32_t one = (uint32_t)(slot->key >> 32), other = (uint32_t)slot->key;
        Pair pair = {{0, 0, (int64_t)slot->pixels, 0, 0}};
        if (truth->parts.parent) {
            pair.true_part = root(&truth->parts, one);
            pair.predicted_part = root(&prediction->parts, other);
            one = truth->parts.value[one];
            other = prediction->parts.value[other];
        }
        pair.truth = value_of(truth, one);
        pair.prediction = value_of(prediction, other);
        if (pair.truth < 0 || pair.prediction < 0)
            return UNFIT;
        pairs[held++] = pair;
    }
    if (!table->dense)
        qsort(pairs, held, sizeof(Pair), by_values);
    return DONE;
}

static int tabulate(Side *truth, Side *prediction, size_t height, Pair **pairs, size_t *held)
{
    Table table = {calloc(FIRST_SLOTS, sizeof(Slot)), 0, FIRST_SLOTS - 1, NULL};
    int state = table.slots ? tally_all(&table, truth, prediction, height) : NO_MEMORY;
    if (state == DONE) {
        *held = pairs_held(&table);
        *pairs = malloc(*held * sizeof(Pair));
        state = *pairs ? write_pairs(&table, truth, prediction, *pairs) : NO_MEMORY;
    }
    free(table.slots);
    free(table.dense);
    return state;
}

/* ---- for Python ---- */

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

/* Whether samples are of a kind that is read here, and the rows as many as they must be (1). */
static int fits(const Side *side, const Py_buffer *rows, Py_ssize_t width, Py_ssize_t height)
{
    unsigned bits = side->bits, channels = side->channels;
    int known = channels == 1 ? bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16
                              : channels >= 2 && channels <= 4 && bits == 8;
    if (!known || width < 1 || height < 1 || width > INT32_MAX || width > PY_SSIZE_T_MAX / 64)
        return 0;
    Py_ssize_t row = 1 + (Py_ssize_t)(((size_t)width * bits * channels + 7) / 8);
    return rows->len % row == 0 && rows->len / row == height;
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
    if (fits(&truth, &truth_rows, width, height)
        && fits(&prediction, &prediction_rows, width, height)) {
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
    PyObject *result = state == DONE ? answer(pairs, held, neighbours ? NUMBERED : PLAIN)
        : state == UNFIT ? Py_NewRef(Py_None) : PyErr_NoMemory();
    free(pairs);
    return result;
}

/* ---- the chunks of a file ---- */

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

static PyObject *outline(PyObject *module, PyObject *file)
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

static PyMethodDef methods[] = {
    {"count", count, METH_VARARGS,
     "count(width, height, truth, bits, channels, prediction, bits, channels, neighbours=0)\n--\n\n"
     "Return three columns of int64 (truth, prediction, pixels), or None if rows are unfit; with\n"
     "4 or 8 neighbours two more, the number of the connected part on either side."},
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
