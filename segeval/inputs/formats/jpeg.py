"""Grey JPEG files, decoded by Pillow; what their greys are good for, the caller says."""

import io
import warnings
from dataclasses import dataclass
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError

ORIENTATION: Final = 0x112
END: Final = b"\xff\xd9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The size of a grey image."""

    width: int
    height: int
    form: str = "JPEG L"

    @property
    def stored(self) -> int:
        """Bytes of the levels."""
        return self.width * self.height

    def decode(self, data: bytes) -> NDArray[Any]:
        """Return the levels (H, W)."""
        from PIL.JpegImagePlugin import JpegImageFile

        with JpegImageFile(io.BytesIO(data)) as image:
            return np.asarray(image)


def read_header(stream: IO[bytes]) -> Header:
    """Read the size, and refuse colours and what is not stored upright."""
    from PIL.JpegImagePlugin import JpegImageFile

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata
        image = JpegImageFile(stream)
        if image.mode != "L":
            raise MaskError(f"it is a JPEG in colour ({image.mode}); save a grey one, or PNG")
        turned = image.getexif().get(ORIENTATION, 1)
    if turned != 1:
        raise MaskError(f"it is stored turned (orientation {turned}); save it upright")
    return Header(width=image.width, height=image.height)
