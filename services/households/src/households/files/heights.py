"""How high a row of a sheet has to be."""

from collections.abc import Sequence


def height(cells: Sequence[str], widths: Sequence[int]) -> int:
    """The height of a row whose words wrap in columns of these widths: not every program works it out itself."""
    lines = [-(-len(words) * 11 // (width * 10)) for words, width in zip(cells, widths, strict=True)]
    return 16 * max([1, *lines])
