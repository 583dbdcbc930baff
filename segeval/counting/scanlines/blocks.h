/* Bytes looked at by blocks: where one is another than the next. Both kernels are built with it. */

#ifndef SEGEVAL_BLOCKS
#define SEGEVAL_BLOCKS

#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define SSE
#endif

enum { BLOCK = 64 };

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

/* Return a bit for each of BLOCK bytes that is not the next one. Reads one byte more. */
static inline uint64_t changes(const uint8_t *at)
{
    uint64_t bits = 0;
#ifdef SSE
    __m128i same[BLOCK / 16], all = _mm_set1_epi8(-1);
    for (unsigned i = 0; i < BLOCK / 16; i++) {
        __m128i here = _mm_loadu_si128((const void *)(at + 16 * i));
        __m128i next = _mm_loadu_si128((const void *)(at + 16 * i + 1));
        same[i] = _mm_cmpeq_epi8(here, next);
        all = _mm_and_si128(all, same[i]);
    }
    if (_mm_movemask_epi8(all) == 0xffff)
        return 0; /* as nearly always */
    for (unsigned i = 0; i < BLOCK / 16; i++)
        bits |= (uint64_t)(~_mm_movemask_epi8(same[i]) & 0xffff) << 16 * i;
#else
    for (unsigned i = 0; i < BLOCK; i++)
        bits |= (uint64_t)(at[i] != at[i + 1]) << i;
#endif
    return bits;
}

#endif
