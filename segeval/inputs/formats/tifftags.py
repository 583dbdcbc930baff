"""The tags of a TIFF file of one image: whole numbers, read where they are asked for.

Sources of the layout: Aldus, TIFF 6.0; Joris Van Damme and others, The BigTIFF File Format.
"""

import re
import struct
from dataclasses import dataclass
from typing import IO, Any, Final

from segeval.errors import MaskError

NUMBERS: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of tags that hold whole numbers
MOST: Final = 1 << 20  # numbers of one tag that are read
FRAMES: Final = 10_000  # that are counted
TEXT: Final = 2  # type of tags that hold text
KIND_OF_PAGE, OLD_KIND_OF_PAGE, DESCRIPTION = 254, 255, 270
REDUCED, MASK = 1, 4  # bits of the kind of a page
TRUNCATED: Final = re.compile(r'\{"shape": .*"truncated": true')  # as tifffile writes it
IMAGEJ_STACK: Final = re.compile(r"ImageJ=[^\n]*\nimages=(\d{1,9})\b")
LAST: Final = 1 << 40  # place in a file that no system refuses to look at


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An open TIFF file; a BigTIFF has offsets and counts of 8 bytes."""

    stream: IO[bytes]
    order: str  # "<" or ">", as in `struct`
    big: bool

    def unpack(self, layout: str, place: int) -> tuple[Any, ...]:
        """Return the numbers of a layout at a place; what is not there is no whole file."""
        layout = self.order + layout
        size = struct.calcsize(layout)
        self.stream.seek(min(place, LAST))
        content = self.stream.read(size)
        if len(content) < size:
            raise MaskError("the file is broken: it ends too early; write it again")
        return struct.unpack(layout, content)

    def directory(self, place: int) -> tuple[dict[int, tuple[int, int, int]], int]:
        """Return type, count and place of the values of each tag, and the next directory."""
        (count,) = self.unpack("Q" if self.big else "H", place)
        if not 1 <= count <= 0xFFFF:
            raise MaskError(f"the file is broken: {count} TIFF tags; write it again")
        first, offset = (place + 8, "Q") if self.big else (place + 2, "I")
        room = struct.calcsize(f"={offset}")  # for values, which stand elsewhere if they need more
        size = 4 + 2 * room
        fields = {}
        for at in range(first, first + count * size, size):
            tag, kind, number = self.unpack(f"HH{offset}", at)
            if tag in fields:
                raise MaskError(f"the file is broken: TIFF tag {tag} stands twice; write it again")
            where = at + 4 + room
            if number * struct.calcsize(f"={NUMBERS.get(kind, 'B')}") > room:
                (where,) = self.unpack(offset, where)
            fields[tag] = kind, number, where
        return fields, self.unpack(offset, first + count * size)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The directory of an image."""

    file: File
    fields: dict[int, tuple[int, int, int]]

    def numbers(self, tag: int, *default: int) -> tuple[int, ...]:
        """Return all whole numbers of a tag."""
        if tag not in self.fields and default:
            return default
        kind, count, place = self.fields.get(tag, (0, 0, 0))
        if kind not in NUMBERS or not 1 <= count <= MOST:
            raise MaskError(
                f"the file is broken: TIFF tag {tag} is missing, or holds no whole numbers; "
                "write it again"
            )
        return self.file.unpack(f"{count}{NUMBERS[kind]}", place)

    def number(self, tag: int, *default: int) -> int:
        """Return the number of a tag, which must be the same for every channel."""
        found = set(self.numbers(tag, *default))
        if len(found) > 1:
            raise MaskError(f"its channels differ in TIFF tag {tag}; save it as PNG")
        return found.pop()

    def text(self, tag: int) -> str:
        """Return the text of a tag, or an empty one if it has none."""
        kind, count, place = self.fields.get(tag, (0, 0, 0))
        if kind != TEXT or not 1 <= count <= MOST:
            return ""
        content: bytes = self.file.unpack(f"{count}s", place)[0]
        return content.split(b"\0")[0].decode("latin-1").strip()

    @property
    def reduced(self) -> bool:
        """Whether the pixels are a smaller copy of others, or a mask that says which are valid."""
        small = self.number(OLD_KIND_OF_PAGE, 1) == 2
        return small or bool(self.number(KIND_OF_PAGE, 0) & (REDUCED | MASK))


def read_tags(stream: IO[bytes], frame: int | None = None) -> Tags:
    """Read the only directory of a file, or that of a frame, counted from 1.

    Reduced copies and masks of validity, as cloud-optimised files have them, are no frames.
    """
    start = stream.read(4)
    order = "<" if start[:2] == b"II" else ">"
    file = File(stream=stream, order=order, big=43 in start[2:])
    (place,) = file.unpack("Q", 8) if file.big else file.unpack("I", 4)
    seen: set[int] = set()
    pages = []
    while place and place not in seen and len(seen) < FRAMES:
        seen.add(place)
        fields, place = file.directory(place)
        pages.append(Tags(file=file, fields=fields))
    frames = [page for page in pages if not page.reduced] or pages[:1]
    if len(frames) > 1 and frame is None:
        raise MaskError(
            f"it holds {len(frames)} frames; type --frame N for one of them, or save one mask a "
            "file"
        )
    if frame is not None and len(frames) > 1:
        if frame > len(frames):
            raise MaskError(f"it holds {len(frames)} frames, so there is no --frame {frame}")
        return frames[frame - 1]
    _refuse_hidden(frames[0])
    return frames[0]


def _refuse_hidden(page: Tags) -> None:
    """Refuse a stack whose frames follow upon each other, behind the directory of the first."""
    text = page.text(DESCRIPTION)
    found = IMAGEJ_STACK.match(text)
    if (found and int(found[1]) > 1) or TRUNCATED.match(text):
        raise MaskError(
            "its description tells of several frames behind the tags of one; save one mask a file, "
            "or each frame with tags of its own"
        )
