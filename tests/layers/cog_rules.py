"""The rules by which GDAL's validate_cloud_optimized_geotiff.py calls a file a valid Cloud-Optimised GeoTIFF."""

from pathlib import Path

import rasterio

_LARGEST_UNTILED = 512
_LARGEST_TILE = 1024
_NOTE = b"GDAL_STRUCTURAL_METADATA_SIZE="


def find_first_directory(path: Path) -> int:
    """Return where the first directory has to begin: behind the header, and behind GDAL's note on the layout if any."""
    with path.open("rb") as file:
        start = 16 if file.read(4)[2] == 43 else 8
        file.seek(start)
        note = file.read(len(_NOTE) + len("000000 bytes\n"))
    if note.startswith(_NOTE):
        start += len(note) + int(note[len(_NOTE) : len(_NOTE) + 6])
    return start + start % 2


def check_cog(path: Path) -> None:
    """Assert that the file at ``path`` keeps the rules: layout of directories, of data, tiles and overviews.

    1 A TIFF without overviews in another file. 2 What is wider or higher than 512 is tiled and has overviews. 3 The
    first directory is that of the full image and begins right behind the header. 4 Overviews become smaller and their
    directories follow in that order. 5 Data lies behind all directories, that of the smallest overview first and that
    of the full image last, for every band.
    """
    with rasterio.open(path) as opened:
        assert opened.driver == "GTiff"
        assert [Path(name).name for name in opened.files] == [path.name]
        factors = opened.overviews(1)
        levels: list[int | None] = [None, *range(len(factors))]
        large = max(opened.width, opened.height) > _LARGEST_UNTILED
        assert factors or not large, "no overviews"
        assert factors == sorted(factors)
        assert all(opened.overviews(band) == factors for band in opened.indexes)

        directories = [int(opened.get_tag_item("IFD_OFFSET", "TIFF", 1, ovr=level)) for level in levels]
        assert directories[0] == find_first_directory(path), "the directory of the full image is not the first"
        assert directories == sorted(directories), "directories of overviews are out of order"

        first = []
        for level in levels:
            offsets = [opened.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", band, ovr=level) for band in opened.indexes]
            written = [int(offset) for offset in offsets if offset is not None]
            assert written == sorted(written), "bands are out of order"
            first.append((min(written), max(written)))
        assert min(low for low, _ in first) > directories[-1], "data lies before a directory"
        for (coarser_low, coarser_high), (finer_low, _) in zip(first[:0:-1], first[-2::-1], strict=True):
            assert coarser_low <= coarser_high < finer_low, "data of an overview lies behind that of a finer image"

    shape = None
    for level in levels:
        opened_level = rasterio.open(path) if level is None else rasterio.open(path, overview_level=level)
        with opened_level as image:
            assert shape is None or (image.height < shape[0] and image.width < shape[1]), "overviews do not shrink"
            shape = image.shape
            tiled = all(rows <= _LARGEST_TILE and cols <= _LARGEST_TILE for rows, cols in image.block_shapes)
            assert tiled and image.profile["tiled"], "not tiled"
