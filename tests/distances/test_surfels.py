"""How large the surface is in a cell of eight voxels, by which of them are inside."""

import math

import numpy as np

from segeval.distances.surfels import element_sizes

# the area of a cell, as multiples of the root of 3, of that of 2, and of 1
AREAS = {
    0b00000001: (1 / 8, 0, 0),  # one corner
    0b00000011: (0, 1 / 2, 0),  # an edge
    0b00000110: (2 / 8, 0, 0),  # two corners of a face
    0b00000111: (3 / 8, 0, 1 / 2),
    0b00001111: (0, 0, 1),  # a face
    0b00010110: (3 / 8, 0, 0),
    0b00010111: (6 / 8, 0, 0),
    0b00011000: (2 / 8, 0, 0),  # two corners of a cube
    0b00011001: (1 / 8, 1 / 2, 0),
    0b00011011: (4 / 8, 1 / 2, 0),
    0b00011110: (4 / 8, 0, 1 / 2),
    0b00111100: (0, 1, 0),  # two edges
    0b01101001: (4 / 8, 0, 0),  # every other corner
}


def test_the_surface_of_every_kind_of_cell() -> None:
    sizes = element_sizes((1.0, 1.0, 1.0))
    for code, (three, two, one) in AREAS.items():
        area = three * math.sqrt(3) + two * math.sqrt(2) + one
        np.testing.assert_allclose(sizes[[code, 255 - code]], area, rtol=1e-12)
    assert sizes[[0, 255]].tolist() == [0, 0]
    flat = element_sizes((2.0, 3.0))
    np.testing.assert_allclose(flat[[1, 3, 5, 6]], [math.sqrt(13) / 2, 3, 2, math.sqrt(13)])
