"""Streams are inflated whole, or refused."""

import zlib

import numpy as np
import pytest

from segeval.errors import MaskError
from segeval.inputs.formats import inflate

CONTENT = np.arange(5000).repeat(3).astype(np.uint8).tobytes()
STREAM = zlib.compress(CONTENT)


def test_a_stream_is_inflated_whatever_stands_behind_it() -> None:
    for behind in (b"", b"\0", STREAM[-4:], STREAM):
        assert inflate.inflate(memoryview(STREAM + behind), len(CONTENT)) == CONTENT


def test_a_stream_that_ends_too_early_is_refused() -> None:
    for end in range(len(STREAM)):
        with pytest.raises(MaskError, match=r"the end of its pixels is missing|bytes of pixels"):
            inflate.inflate(STREAM[:end], len(CONTENT))


def test_no_byte_behind_a_stream_is_taken_for_its_end() -> None:
    streams = (zlib.compress(bytes([a, b])) for a in range(256) for b in range(256))
    ends_alike = [s for s in streams if s[-1] == s[-2] ^ 0xFF]  # as what is put behind s[:-1]
    assert len(ends_alike) > 9
    for stream in ends_alike:
        with pytest.raises(MaskError, match="the end of its pixels is missing"):
            inflate.inflate(stream[:-1], 2)
