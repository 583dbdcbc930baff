/* Two arrays of codes of classes: void on one side becomes void on both, and pixels are counted. */

#include "scanlines.h"

#include <string.h>

/* Settle pixels that are alike, from first to last: count them, unless they are not judged. */
static inline void settle_run(uint8_t *truth, uint8_t *prediction, size_t first, size_t last,
                              const Judged *judged, Totals *totals)
{
    uint8_t t = truth[last], p = prediction[last];
    int64_t pixels = (int64_t)(last + 1 - first);
    if (t == judged->nothing || p == judged->skipped) {
        if (t != p) {
            memset(truth + first, judged->nothing, (size_t)pixels);
            memset(prediction + first, judged->nothing, (size_t)pixels);
        }
        return;
    }
    totals->truth[t] += pixels;
    totals->prediction[p] += pixels;
}

/* Settle all pixels, and leave the counts of each code in `totals`. A block is looked at only if
   there is a byte behind it; what is written lies before all that is looked at later. */
void settle(uint8_t *truth, uint8_t *prediction, size_t pixels, const Judged *judged,
            Totals *totals)
{
    size_t first = 0, x = 0;
    for (; x + BLOCK < pixels; x += BLOCK) {
        uint64_t bits = changes(truth + x) | changes(prediction + x);
        for (; bits; bits &= bits - 1) {
            size_t last = x + lowest(bits);
            settle_run(truth, prediction, first, last, judged, totals);
            first = last + 1;
        }
    }
    for (; x + 1 < pixels; x++)
        if (truth[x] != truth[x + 1] || prediction[x] != prediction[x + 1]) {
            settle_run(truth, prediction, first, x, judged, totals);
            first = x + 1;
        }
    if (pixels)
        settle_run(truth, prediction, first, pixels - 1, judged, totals);
}
