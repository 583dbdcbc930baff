/* Run lengths of competitions: the lines of an image in a table, read into spans.

A cell of a line holds "start length start length ...", in decimal digits that spaces part. Runs must be in order
and apart, within a row and between rows. All else is left to others, who say what is wrong with it,
or paint rows upon each other.

Each start and length takes two bytes at least, but for the last; so a row of some bytes has no more
runs than a quarter of these and one, for which `add_row` makes room, and for one span behind all. */

#include "scanlines.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t FURTHEST = (uint64_t)1 << 53; /* no number is larger, so sums of three fit */

/* Read a number and the spaces behind it; return 0 if there is none, or it is too large. */
static int read_number(const char **at, const char *end, uint64_t *number)
{
    const char *first = *at;
    for (*number = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        *number = 10 * *number + (uint64_t)(**at - '0');
        if (*number > FURTHEST)
            return 0;
    }
    const char *behind = *at;
    while (*at < end && **at == ' ')
        ++*at;
    return behind > first && (*at > behind || *at == end);
}

/* Whether a text stands for a mask without any pixel. */
static int is_nothing(const char *text, size_t size)
{
    return !size || (text[0] == '-' && (size == 1 || (size == 2 && text[1] == '1')));
}

static int make_room(Spans *spans, size_t size)
{
    size_t room = spans->held + size / 4 + 2;
    if (room <= spans->room)
        return DONE;
    Span *larger = room > SIZE_MAX / 2 / sizeof(Span) ? NULL
                                                       : realloc(spans->list, room * sizeof(Span));
    if (!larger)
        return NO_MEMORY;
    spans->list = larger;
    spans->room = room;
    return DONE;
}

static int is_blank(char letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r');
}

/* Find the cell that holds the run lengths of a line, without blanks around it, and return where it
   ends; it is empty if the line has not as many cells. */
static const char *find_cell(const Spans *spans, const char **line, size_t size)
{
    const char *at = *line, *end = at + size;
    for (unsigned place = spans->place; place && at < end; place--) {
        const char *mark = memchr(at, spans->delimiter, (size_t)(end - at));
        at = mark ? mark + 1 : end;
    }
    const char *mark = at < end ? memchr(at, spans->delimiter, (size_t)(end - at)) : NULL;
    end = mark ? mark : end;
    while (at < end && is_blank(*at))
        at++;
    while (at < end && is_blank(end[-1]))
        end--;
    *line = at;
    return end;
}

/* Add the runs of a line without quotes; all of them hold one value. */
int add_row(Spans *spans, const char *line, size_t size, uint32_t value)
{
    const char *at = line, *end = find_cell(spans, &at, size);
    uint64_t base = spans->base, last = 0; /* as the text counts, as are starts */
    if (memchr(line, '"', size))
        return UNFIT;
    if (is_nothing(at, (size_t)(end - at)))
        return DONE;
    if (make_room(spans, size))
        return NO_MEMORY;
    do {
        uint64_t start, length;
        if (!read_number(&at, end, &start) || !read_number(&at, end, &length))
            return UNFIT;
        start += spans->relative ? last : 0;
        if (start < base || start < last || !length || start + length - base > spans->pixels)
            return UNFIT;
        last = start + length;
        spans->list[spans->held++] = (Span){start - base, last - base, value};
    } while (at < end);
    return DONE;
}

/* Add runs that are known: starts, ends and values of int64, wherever they stand. */
int add_runs(Spans *spans, const char *columns, size_t held)
{
    const size_t size = sizeof(int64_t);
    if (held > SIZE_MAX / 4 - 2 || make_room(spans, 4 * held))
        return NO_MEMORY;
    for (size_t i = 0; i < held; i++) {
        int64_t start, end, value;
        memcpy(&start, columns + i * size, size);
        memcpy(&end, columns + (held + i) * size, size);
        memcpy(&value, columns + (2 * held + i) * size, size);
        if (start < 0 || end <= start || (uint64_t)end > spans->pixels || value < 0
            || value > UINT32_MAX)
            return UNFIT;
        spans->list[spans->held++] = (Span){(uint64_t)start, (uint64_t)end, (uint32_t)value};
    }
    return DONE;
}

static int by_start(const void *one, const void *other)
{
    const Span *a = one, *b = other;
    return (a->start > b->start) - (a->start < b->start);
}

/* Put the spans of all rows in order, and one behind them where the image ends. */
int close_rows(Spans *spans)
{
    if (make_room(spans, 0))
        return NO_MEMORY;
    for (size_t i = 1; i < spans->held; i++)
        if (spans->list[i].start < spans->list[i - 1].start) {
            qsort(spans->list, spans->held, sizeof(Span), by_start);
            break;
        }
    for (size_t i = 1; i < spans->held; i++)
        if (spans->list[i].start < spans->list[i - 1].end)
            return UNFIT;
    spans->list[spans->held] = (Span){spans->pixels, spans->pixels, 0};
    return DONE;
}
