from typing import Any

def count(
    truth: Any,
    prediction: Any,
    height: int,
    width: int,
    classes: int,
    reach: int,
    trimap: int,
    /,
) -> bytes: ...
