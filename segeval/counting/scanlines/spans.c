/* The rows of a side that is run lengths: spans, counted down the columns or along the rows.

Down the columns, a row is the row above but for its edges: pixels where a span begins, or behind
which one has ended. Edges are listed by row, from left to right; so a row costs its edges and the
runs above, and one without edges costs nothing.

The runs of a row end one behind the other, at its end at the latest. So there are no more than
pixels in a row, for which lists have room; and rows follow from rows with the same bounds (2). */

#include "scanlines.h"

#include <stdlib.h>

/* Say that a row has an edge; there is room, and edges of a row come from right to left. */
static inline void add_edge(Drawn *drawn, uint64_t row, uint64_t column, uint32_t value)
{
    drawn->edges[drawn->held++] = (Edge){(uint32_t)column, value, drawn->first[row]};
    drawn->first[row] = (uint32_t)drawn->held;
}

/* List the edges of spans down the columns, from the last to the first. Spans are apart, so they
   cross the end of a column once at most: cut there, they are no more than spans and columns. Each
   piece has an edge where it begins, and one behind it unless the column ends there or another span
   begins. All of them end within the image, and a span stands behind the last one. */
static int list_edges(Drawn *drawn, size_t width, size_t height)
{
    const Spans *spans = drawn->spans;
    if ((uint64_t)spans->held + width > INT32_MAX)
        return UNFIT;
    drawn->edges = calloc(2 * (spans->held + width), sizeof(Edge));
    drawn->first = calloc(height, sizeof(uint32_t));
    if (!drawn->edges || !drawn->first)
        return NO_MEMORY;
    for (size_t i = spans->held; i--;) {
        const Span *span = spans->list + i;
        for (uint64_t start, end = span->end; end > span->start; end = start) {
            uint64_t column = (end - 1) / height, top = column * height;
            start = span->start > top ? span->start : top;
            if (end < top + height && end < span[1].start)
                add_edge(drawn, end - top, column, 0);
            add_edge(drawn, start - top, column, span->value);
        }
    }
    return DONE;
}

/* Let a list go on to `end`, which lies behind its last run, by a new run if the value is another. */
static inline void lengthen(Runs *list, uint32_t end, uint32_t value)
{
    list->held -= list->held && list->runs[list->held - 1].value == value;
    list->runs[list->held++] = (Run){end, value};
}

/* Get a side ready whose spans are closed, in an image of as many pixels. */
int prepare_drawn(Side *side, const Spans *spans, int down, size_t width, size_t height)
{
    side->drawn = (Drawn){.spans = spans, .at = spans->list};
    side->bits = 32;
    side->channels = 1;
    side->unit = 4;
    side->width = side->units = width;
    side->now.limit = side->next.limit = width;
    side->now.runs = malloc(width * sizeof(Run));
    side->next.runs = malloc(width * sizeof(Run));
    side->pixels = malloc(width * sizeof(uint32_t));
    if (!side->now.runs || !side->next.runs || !side->pixels)
        return NO_MEMORY;
    *side->now.runs = (Run){(uint32_t)width, 0};
    side->now.held = 1;
    return down ? list_edges(&side->drawn, width, height) : DONE;
}

/* Whether the row in hand, not the first one, is the row above once more, as far as is seen. */
int repeats_drawn(const Side *side)
{
    const Drawn *drawn = &side->drawn;
    if (drawn->first)
        return !drawn->first[drawn->y];
    int above_is_blank = side->now.held == 1 && !side->now.runs->value;
    return above_is_blank && drawn->at->start >= (drawn->y + 1) * side->width;
}

/* Change the row above at the edges of the row in hand. `above` holds x while x is in the row, as
   its list ends with the row (2); edges stand in the row, each to the right of the one before. */
static void cross_edges(Side *side)
{
    const Edge *edge = NULL;
    const Run *above = side->now.runs;
    uint32_t x = 0, width = (uint32_t)side->width;
    for (uint32_t number = side->drawn.first[side->drawn.y]; x < width; number = edge->next) {
        edge = number ? side->drawn.edges + number - 1 : NULL;
        for (uint32_t stop = edge ? edge->column : width; x < stop; above += above->end == x) {
            x = above->end < stop ? above->end : stop;
            lengthen(&side->next, x, above->value);
        }
        if (!edge)
            return;
        lengthen(&side->next, ++x, edge->value);
        above += above->end == x;
    }
}

/* Cut the row in hand from spans along the rows. `at` ends behind x; the last one begins behind the
   image, so it is never passed. */
static void cut_row(Side *side)
{
    Drawn *drawn = &side->drawn;
    uint64_t begin = drawn->y * (uint64_t)side->width, stop = begin + side->width;
    for (uint64_t x = begin, end; x < stop; x = end) {
        int inside = drawn->at->start <= x;
        end = inside ? drawn->at->end : drawn->at->start;
        end = end < stop ? end : stop;
        lengthen(&side->next, (uint32_t)(end - begin), inside ? drawn->at->value : 0);
        drawn->at += inside && drawn->at->end == end;
    }
}

/* Make runs of the row in hand. */
int draw_row(Side *side)
{
    side->next.held = 0;
    if (side->drawn.first)
        cross_edges(side);
    else
        cut_row(side);
    Runs above = side->now;
    side->now = side->next;
    side->next = above;
    side->shown = &side->now;
    return DONE;
}
