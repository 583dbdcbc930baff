from typing import TypeAlias

Lines: TypeAlias = bytes | bytearray
Side: TypeAlias = (
    tuple[Lines, int, int]
    | tuple[bool, int, bool, int, int, list[tuple[bytes, int]]]
    | tuple[bool, bytes]
)

def count(
    width: int,
    height: int,
    truth: Lines,
    truth_bits: int,
    truth_channels: int,
    prediction: Lines,
    prediction_bits: int,
    prediction_channels: int,
    neighbours: int = 0,
    /,
) -> bytes | None: ...
def count_sides(
    width: int,
    height: int,
    truth: Side,
    prediction: Side,
    neighbours: int = 0,
    /,
) -> bytes | None: ...
def fill(
    width: int,
    height: int,
    rows: Lines,
    bits: int,
    channels: int,
    values: bytes | memoryview,
    codes: bytes | memoryview,
    out: bytearray | memoryview,
    /,
) -> bool: ...
def settle(
    truth: memoryview,
    prediction: memoryview,
    nothing: int,
    skipped: int,
    /,
) -> bytes: ...
def outline(
    file: bytes, /
) -> tuple[int, int, int, int, int, list[tuple[int, int, int]]] | None: ...
