/* Two arrays of codes of classes: void on one side becomes void on both, and pixels are counted. */

#include "scanlines.h"

#include <string.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SSE
#endif

/* Whether BLOCK bytes are those one further, on either side. Reads one byte more of each. */
static inline int goes_on(const uint8_t *truth, const uint8_t *prediction)
{
#ifdef SSE
    __m128i all = _mm_set1_epi8(-1);
    for (unsigned i = 0; i < BLOCK; i += 16)
        for (unsigned side = 0; side < 2; side++) {
            const uint8_t *at = (side ? prediction : truth) + i;
            __m128i here = _mm_loadu_si128((const void *)at);
            __m128i next = _mm_loadu_si128((const void *)(at + 1));
            all = _mm_and_si128(all, _mm_cmpeq_epi8(here, next));
        }
    return _mm_movemask_epi8(all) == 0xffff;
#else
    return !memcmp(truth, truth + 1, BLOCK) && !memcmp(prediction, prediction + 1, BLOCK);
#endif
}

/* Settle pixels that are alike, from first to last: count them, unless they are not judged. */
static inline void settle_run(uint8_t *truth, uint8_t *prediction, size_t first, size_t last,
                              const Judged *judged, Totals *totals)
{
    uint8_t t = truth[last], p = prediction[last];
    int64_t pixels = (int64_t)(last + 1 - first);
    if (t == judged->nothing || p == judged->skipped) {
        memset(truth + first, judged->nothing, (size_t)pixels);
        memset(prediction + first, judged->nothing, (size_t)pixels);
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
    while (x + 1 < pixels) {
        size_t end = x + BLOCK < pixels ? x + BLOCK : pixels - 1;
        if (x + BLOCK < pixels && goes_on(truth + x, prediction + x))
            x = end;
        for (; x < end; x++)
            if (truth[x] != truth[x + 1] || prediction[x] != prediction[x + 1]) {
                settle_run(truth, prediction, first, x, judged, totals);
                first = x + 1;
            }
    }
    if (pixels)
        settle_run(truth, prediction, first, pixels - 1, judged, totals);
}
