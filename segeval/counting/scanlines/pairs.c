/* The pairs of values of two masks: a hash table, filled row by row and written in order. */

#include "scanlines.h"

#include <stdlib.h>

enum { FIRST_BITS = 8, MOST_BITS = 21, MOST_STEPS = 1 << 8 };
enum { BYTES = 256, STRIDE = BYTES + 1 }; /* odd, or rows of pairs would compete for cache */

typedef struct {
    uint64_t key, pixels; /* truth in the upper half; no pixels: the slot is free */
} Slot;

typedef struct {
    Slot *slots;
    size_t used, mask; /* the number of slots, a power of two, less 1 */
    unsigned bits; /* of that number */
    uint64_t *dense; /* pixels of each pair of bytes, once masks are noise; or none */
} Table;

/* Return the slot of a key, or a free one for it; NULL if many others stand before it. Half of the
   slots are free, so they do so where values were chosen for it, to keep this program busy. The
   highest bits of the product are those that all bits of a key bear upon. */
static inline Slot *find(const Table *table, uint64_t key)
{
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> (64 - table->bits)), mask = table->mask;
    for (size_t end = at + MOST_STEPS; at != end; at++)
        if (!table->slots[at & mask].pixels || table->slots[at & mask].key == key)
            return table->slots + (at & mask);
    return NULL;
}

static Table new_table(unsigned bits) /* without slots if there is no memory for them */
{
    size_t slots = (size_t)1 << bits;
    return (Table){calloc(slots, sizeof(Slot)), 0, slots - 1, bits, NULL};
}

/* Double the slots; values that are too many, or chosen to stand in one place, are left to others. */
static int widen(Table *table)
{
    if (table->bits == MOST_BITS)
        return UNFIT;
    Table wide = new_table(table->bits + 1);
    int state = wide.slots ? DONE : NO_MEMORY;
    for (size_t i = 0; state == DONE && i <= table->mask; i++) {
        Slot *slot = table->slots[i].pixels ? find(&wide, table->slots[i].key) : NULL;
        if (slot)
            *slot = table->slots[i];
        else if (table->slots[i].pixels)
            state = UNFIT;
    }
    free(state == DONE ? table->slots : wide.slots);
    if (state == DONE)
        *table = (Table){wide.slots, table->used, wide.mask, wide.bits, table->dense};
    return state;
}

/* Add pixels, at least one. */
static inline int tally(Table *table, uint32_t truth, uint32_t prediction, uint64_t pixels)
{
    uint64_t key = (uint64_t)truth << 32 | prediction;
    Slot *slot = find(table, key);
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
    int state = DONE;
    for (size_t x = 0; x < width && !state; x++)
        state = tally(table, t[x], p[x], times);
    return state;
}

/* Both sides are bytes, so what they point at is in the dense table. */
static int tally_bytes(Table *table, Side *truth, Side *prediction, uint64_t times)
{
    const uint8_t *t = bytes_of(truth), *p = bytes_of(prediction);
    uint64_t *dense = table->dense;
    for (size_t x = 0, width = truth->width; x < width; x++)
        dense[(size_t)t[x] * STRIDE + p[x]] += times;
    return DONE;
}

static int tally_row(Table *table, Side *truth, Side *prediction, uint64_t times)
{
    if (truth->parts.parent)
        return tally_runs(table, truth->parts.now.runs, prediction->parts.now.runs, truth->width,
                          times);
    if (truth->shown->held && prediction->shown->held)
        return tally_runs(table, truth->shown->runs, prediction->shown->runs, truth->width, times);
    int bytes = truth->bits * truth->channels == 8 && prediction->bits * prediction->channels == 8;
    if (bytes && !table->dense && table->used > BYTES
        && !(table->dense = calloc(BYTES * STRIDE, sizeof(uint64_t))))
        return NO_MEMORY;
    return (table->dense ? tally_bytes : tally_pixels)(table, truth, prediction, times);
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
        pass_row(truth);
        pass_row(prediction);
    }
    return tally_row(table, truth, prediction, times);
}

static int by_values(const void *one, const void *other)
{
    const Pair *a = one, *b = other;
    if (a->truth != b->truth)
        return a->truth < b->truth ? -1 : 1;
    return (a->prediction > b->prediction) - (a->prediction < b->prediction);
}

static int is_blank(const uint64_t *row) /* as most rows of dense tables are */
{
    uint64_t any = 0;
    for (size_t value = 0; value < BYTES; value++)
        any |= row[value];
    return !any;
}

/* Add the slots to the dense table, if there is one; keys are bytes then. Return how many pairs
   there are. */
static size_t pairs_held(Table *table)
{
    if (!table->dense)
        return table->used;
    size_t held = 0;
    for (const Slot *slot = table->slots; slot <= table->slots + table->mask; slot++)
        table->dense[(slot->key >> 32) * STRIDE + (slot->key & 255)] += slot->pixels;
    for (size_t truth = 0; truth < BYTES; truth++) {
        const uint64_t *row = table->dense + truth * STRIDE;
        for (size_t value = is_blank(row) ? BYTES : 0; value < BYTES; value++)
            held += row[value] != 0;
    }
    return held;
}

/* Write the pairs of a dense table, in ascending order. */
static void write_dense(const uint64_t *dense, Pair *pairs)
{
    for (size_t truth = 0; truth < BYTES; truth++, dense += STRIDE)
        for (size_t value = is_blank(dense) ? BYTES : 0; value < BYTES; value++)
            if (dense[value])
                *pairs++ = (Pair){{(int64_t)truth, (int64_t)value, (int64_t)dense[value], 0, 0}};
}

/* Write the pairs, in ascending order, into room for as many as `pairs_held` says. */
static int write_pairs(const Table *table, const Side *truth, const Side *prediction, Pair *pairs)
{
    size_t held = 0;
    for (size_t i = 0; i <= table->mask; i++) {
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
    qsort(pairs, held, sizeof(Pair), by_values);
    return DONE;
}

/* Make a list of the pairs, of sides that say what their values are. */
static int list_pairs(Table *table, const Side *truth, const Side *prediction, Pair **pairs,
                      size_t *held)
{
    *held = pairs_held(table);
    *pairs = malloc(*held * sizeof(Pair));
    if (!*pairs)
        return NO_MEMORY;
    if (!table->dense)
        return write_pairs(table, truth, prediction, *pairs);
    write_dense(table->dense, *pairs);
    return DONE;
}

int tabulate(Side *truth, Side *prediction, size_t height, Pair **pairs, size_t *held)
{
    Table table = new_table(FIRST_BITS);
    int state = table.slots ? tally_all(&table, truth, prediction, height) : NO_MEMORY;
    if (state == DONE)
        state = list_pairs(&table, truth, prediction, pairs, held);
    free(table.slots);
    free(table.dense);
    return state;
}

/* Say what a side holds at a pixel before the end of the image, and where that ends; `span` is the
   first that ends behind the pixel. */
static inline uint64_t stretch(const Span *span, uint64_t at, uint32_t *value)
{
    *value = at < span->start ? 0 : span->value;
    return at < span->start ? span->start : span->end;
}

/* Both lists end with a span behind the image, at which all that is before ends. */
static int tally_spans(Table *table, const Span *t, const Span *p, uint64_t pixels)
{
    int state = DONE;
    for (uint64_t at = 0, end; at < pixels && state == DONE; at = end) {
        uint32_t truth, prediction;
        uint64_t one = stretch(t, at, &truth), other = stretch(p, at, &prediction);
        end = one < other ? one : other;
        state = tally(table, truth, prediction, end - at);
        t += t->end == end;
        p += p->end == end;
    }
    return state;
}

int tabulate_spans(const Spans *truth, const Spans *prediction, Pair **pairs, size_t *held)
{
    const Side plain = {.bits = 32, .channels = 1}; /* values stand for themselves */
    Table table = new_table(FIRST_BITS);
    int state = table.slots ? tally_spans(&table, truth->list, prediction->list, truth->pixels)
                            : NO_MEMORY;
    if (state == DONE)
        state = list_pairs(&table, &plain, &plain, pairs, held);
    free(table.slots);
    return state;
}
