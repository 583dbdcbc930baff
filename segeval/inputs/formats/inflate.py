"""Inflate whole streams: by libdeflate where its wheel is, else by zlib, five times as slowly."""

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, Final, TypeAlias

from segeval.errors import MaskError
from segeval.inputs.formats.lzw import check_number

Stream: TypeAlias = bytes | memoryview
PIECE: Final = 1 << 18  # bytes that are fed at once
EITHER: Final = 47  # windows of any size, of zlib or gzip

BEHIND: Final = 32  # bytes


def _inflate(stream: Stream, size: int) -> bytes:
    """Inflate up to a byte more than is asked for; the checksum is right, or zlib says so."""
    inflater = zlib.decompressobj()
    content = inflater.decompress(stream, size + 1)
    if not inflater.eof:
        raise zlib.error("it does not end where it should")
    return content


decompress: Callable[[Stream, int], bytes | bytearray] = _inflate
checksum: Callable[..., int] = zlib.crc32
content_sum: Callable[..., int] = zlib.adler32
FAULTS: tuple[Any, ...] = (zlib.error,)

with suppress(ImportError):
    import deflate

    decompress, FAULTS = deflate.zlib_decompress, (deflate.DeflateError,)
    checksum, content_sum = deflate.crc32, deflate.adler32


def inflate(stream: Stream, size: int) -> bytes | bytearray:
    """Return what is in a stream, which must be so many bytes, with the right checksum.

    Bytes behind the end of the stream are no part of it: some encoders write them, and decoders
    leave them alone. What is wrong is said by zlib, in the same words whoever inflates.
    """
    with suppress(*FAULTS):
        content = decompress(_with_bytes_behind(stream), size)
        if len(content) == size and content_sum(content) == int.from_bytes(stream[-4:]):
            return content
    with suppress(*FAULTS):
        content = decompress(stream, size)
        if len(content) == size:
            return content
    try:
        inflater = zlib.decompressobj()
        check_number(len(inflater.decompress(stream, size + 1)), size, "bytes of pixels")
        what = "the end of its pixels is missing"
    except zlib.error:
        what = "its pixels cannot be inflated, or differ from their checksum"
    raise MaskError(f"the file is broken: {what}; write it again")


def _with_bytes_behind(stream: Stream) -> bytes:
    """Return a stream with more bytes behind it, none of which can be taken for its end.

    libdeflate takes the last bytes of its input by a slow loop. In a mask they hold many rows, and
    take half of the time. A stream ends with the checksum of what is in it. If that is the checksum
    found, the stream was not read beyond its end: the last byte there would be another one.
    """
    return b"".join((stream, bytes((stream[-1] ^ 0xFF,)) * BEHIND if stream else b""))


class Inflated:
    """A stream of zlib or gzip that is inflated as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._inflater = zlib.decompressobj(wbits=EITHER)

    def read(self, size: int) -> bytes:
        """Return so many bytes, or less at the end."""
        parts: list[bytes] = []
        while size > 0 and not self._inflater.eof:
            fed = self._inflater.unconsumed_tail or self._stream.read(PIECE)
            part = self._inflater.decompress(fed, size)
            if not fed and not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def check_end(self) -> None:
        """Refuse a stream that goes on, or ends before its checksum."""
        if self.read(1) or not self._inflater.eof:
            raise MaskError("the file is broken: its data do not end where they should")
