/* Two arrays of codes of classes: void on one side becomes void on both, and pixels are counted. */

#include "scanlines.h"

#include <string.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SSE
#endif

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

/* Return a bit for each of BLOCK bytes that is not the next one, on either side. Reads one more. */
static inline uint64_t changes(const uint8_t *truth, const uint8_t *prediction)
{
    uint64_t bits = 0;
#ifdef SSE
    __m128i same[BLOCK / 16], all = _mm_set1_epi8(-1);
    for (unsigned i = 0; i < BLOCK / 16; i++) {
        same[i] = _mm_set1_epi8(-1);
        for (unsigned side = 0; side < 2; side++) {
            const uint8_t *at = (side ? prediction : truth) + 16 * i;
            __m128i here = _mm_loadu_si128((const void *)at);
            __m128i next = _mm_loadu_si128((const void *)(at + 1));
            same[i] = _mm_and_si128(same[i], _mm_cmpeq_epi8(here, next));
        }
        all = _mm_and_si128(all, same[i]);
    }
    if (_mm_movemask_epi8(all) == 0xffff)
        return 0; /* as nearly always */
    for (unsigned i = 0; i < BLOCK / 16; i++)
        bits |= (uint64_t)(~_mm_movemask_epi8(same[i]) & 0xffff) << 16 * i;
#else
    for (unsigned i = 0; i < BLOCK; i++)
        bits |= (uint64_t)(truth[i] != truth[i + 1] || prediction[i] != prediction[i + 1]) << i;
#endif
    return bits;
}

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
    for (; x + BLOCK < pixels; x += BLOCK)
        for (uint64_t bits = changes(truth + x, prediction + x); bits; bits &= bits - 1) {
            size_t last = x + lowest(bits);
            settle_run(truth, prediction, first, last, judged, totals);
            first = last + 1;
        }
    for (; x + 1 < pixels; x++)
        if (truth[x] != truth[x + 1] || prediction[x] != prediction[x + 1]) {
            settle_run(truth, prediction, first, x, judged, totals);
            first = x + 1;
        }
    if (pixels)
        settle_run(truth, prediction, first, pixels - 1, judged, totals);
}
