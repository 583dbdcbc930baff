"""Large files of JSON, read one entry after another, so that memory holds one of them at a time.

Every entry comes with its place in bytes, by which it is read again when it is needed. What is
wrong is a `TextError` with the line.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Never

from segeval.text import quoted, reason_of
from segeval.textfiles import TextError, open_binary

CHUNK: Final = 1 << 20  # bytes that are read at a time
MOST_ENTRY: Final = 64 << 20  # bytes of one entry
BOM: Final = "\xef\xbb\xbf"  # bytes as they are kept here, one a character
BLANK: Final = re.compile(r"[ \t\r\n]*")
EMPTY: Final = "the file is empty; write it again"
CUT_OFF: Final = "the file ends too early, write or copy it again"
CUT: Final = 16  # characters before the end that a number or word which is cut may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A value of the outermost object, or one entry of a list in it or of an outermost list.

    Before its entries, a list is a member without any.
    """

    key: str  # in the outermost object; empty in an outermost list
    entry: bool  # whether it is one entry of a list
    value: Any
    start: int  # place of its first byte, and number of its bytes
    size: int
    line: int


def members(path: str | os.PathLike[str]) -> Iterator[Member]:
    """Yield every member of a JSON file: what lies deeper comes whole."""
    try:
        with open_binary(path) as file:
            yield from _Scan(file).members()
    except (OSError, ValueError) as error:  # the last: NUL in a path
        raise TextError(f"cannot be read: {reason_of(error)}") from error


def parse_entry(data: bytes) -> Any:
    """Parse the bytes of one entry again."""
    try:
        return _PARSER.decode(data.decode())
    except RecursionError:
        raise TextError("not valid JSON: its lists lie too deep inside each other") from None
    except ValueError as error:  # no UTF-8 either
        raise TextError(f"not valid JSON: {error}") from error


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no number of JSON")


_PARSER: Final = json.JSONDecoder(parse_constant=_refuse_constant)


class _Scan:
    """A window on a file, moved on as it is parsed; a character stands for a byte."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.text = ""
        self.place = 0  # of what comes next, in the window
        self.before = 0  # bytes before the window
        self.lines = 0  # before the window
        self.ended = False

    def members(self) -> Iterator[Member]:
        """Yield every member of the file."""
        self._more()
        self.place = len(BOM) * self.text.startswith(BOM)
        first = self._peek()
        if first == "[":
            yield from self._entries("")
        elif first == "{":
            yield from self._pairs()
        else:
            raise self._fault("expected { or [ at the start") if first else TextError(EMPTY)
        if self._peek():
            raise self._fault("there is more after its end")

    def _pairs(self) -> Iterator[Member]:
        """Yield what an object holds."""
        seen: set[str] = set()
        for _ in self._parted("}"):
            if self._peek() != '"':
                raise self._fault("expected a key in quotes")
            key = self._value("", entry=False).value
            if key in seen:
                raise self._fault(f"the key {quoted(key)} stands twice")
            seen.add(key)
            if self._peek() != ":":
                raise self._fault(f"expected : after the key {quoted(key)}")
            self.place += 1
            if self._peek() == "[":
                yield from self._entries(key)
            else:
                yield self._value(key, entry=False)

    def _entries(self, key: str) -> Iterator[Member]:
        """Yield a list without its entries, then these."""
        yield Member(key=key, entry=False, value=[], start=0, size=0, line=0)
        for _ in self._parted("]"):
            yield self._value(key, entry=True)

    def _parted(self, end: str) -> Iterator[None]:
        """Stop before each member of a list or an object, up to its end."""
        self.place += 1
        if self._peek() == end:
            self.place += 1
            return
        while True:
            yield
            found = self._peek()
            if found not in {",", end} or not found:
                raise self._fault(f"expected , or {end}")
            self.place += 1
            if found == end:
                return

    def _value(self, key: str, *, entry: bool) -> Member:
        """Parse the value that comes next."""
        self._peek()
        while True:
            try:
                value, end = _PARSER.raw_decode(self.text, self.place)
            except json.JSONDecodeError as error:
                whole = error.pos < len(self.text) - CUT
                if self.ended or (whole and not error.msg.startswith("Unterminated")):
                    raise self._fault(error.msg, error.pos) from None
            except RecursionError:
                raise self._fault("its lists lie too deep inside each other") from None
            except ValueError as error:
                raise self._fault(str(error)) from None
            else:
                if end < len(self.text) - CUT or self.ended:
                    break
            self._more()
        start, self.place = self.place, end
        line = self.lines + self.text.count("\n", 0, start) + 1 if not entry else 0
        raw = self.text[start:end]
        if not raw.isascii():
            value = self._decoded(raw, start)
        return Member(
            key=key, entry=entry, value=value, start=self.before + start, size=len(raw), line=line
        )

    def _decoded(self, raw: str, start: int) -> Any:
        """Parse a value whose texts hold more than ASCII."""
        try:
            return parse_entry(raw.encode("latin-1"))
        except TextError as error:
            raise self._fault(str(error), start) from error

    def _peek(self) -> str:
        """Return the next character that is not blank, and go there; nothing at the end."""
        while True:
            found = BLANK.match(self.text, self.place)
            self.place = self.place if found is None else found.end()
            if self.place < len(self.text) or self.ended:
                return self.text[self.place : self.place + 1]
            self._more()

    def _more(self) -> None:
        """Drop what is parsed, and read on: as much again as there is, so that a value grows."""
        kept = self.text[self.place :]
        if len(kept) > MOST_ENTRY:
            raise self._fault(f"one entry is larger than {MOST_ENTRY >> 20} MB")
        self.lines += self.text.count("\n", 0, self.place)
        self.before += self.place
        data = self.file.read(max(CHUNK, len(kept)))
        if b"\0" in data:
            raise self._fault("it holds NUL, which no text in UTF-8 does")
        self.text, self.place, self.ended = kept + data.decode("latin-1"), 0, not data

    def _fault(self, reason: str, place: int | None = None) -> TextError:
        """Say where a file is wrong."""
        at = self.place if place is None else place
        line = self.lines + self.text.count("\n", 0, at) + 1
        cut = reason.startswith("Unterminated") or not self.text[at:].strip()
        early = f"; {CUT_OFF}" if self.ended and cut else ""
        return TextError(f"not valid JSON: line {line}: {reason}{early}")
