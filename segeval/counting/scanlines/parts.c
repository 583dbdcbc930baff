/* Connected pixels of one value, numbered row by row from the runs of these. */

#include "scanlines.h"

#include <stdlib.h>

enum { FIRST_ROOM = 1 << 8 };

/* Get ready to number the parts of a side; lists of runs hold what `prepare` lets lists hold. */
int prepare_parts(Side *side, unsigned neighbours)
{
    Parts *parts = &side->parts;
    size_t units = side->now.limit, packed = side->packed.limit;
    size_t most = (units > packed ? units : packed) + BLOCK;
    parts->reach = neighbours == 8;
    parts->room = FIRST_ROOM;
    parts->now.runs = malloc(most * sizeof(Run));
    parts->above.runs = malloc(most * sizeof(Run));
    parts->parent = malloc(parts->room * sizeof(uint32_t));
    parts->value = malloc(parts->room * sizeof(uint32_t));
    return parts->now.runs && parts->above.runs && parts->parent && parts->value ? DONE : NO_MEMORY;
}

uint32_t root(const Parts *parts, uint32_t number)
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
int number_row(Side *side)
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
