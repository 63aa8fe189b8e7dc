"""A labelled set as a folder: one sub-folder per class, and optionally `labels.csv` with each image's identity."""

import csv
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from worker.depth import UnknownDepth, has_16_bits, to_eight_bits
from worker.picture_kind import why_unread

LABELS_FILE = "labels.csv"
GROUP_COLUMNS = ("group", "insert")
"""Columns of `labels.csv` that say which images show the same thing, in order of preference."""

_PIXEL_LIMIT = 80_000_000
"""Largest image that is decoded: 240 MB of RGB. Real cameras on the line have a tenth of it."""

_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
"""Formats that are decoded: Pillow's others include some that start programs (EPS) or are no photographs."""


class DatasetError(ValueError):
    """A folder is not a usable labelled set; the message says what is missing and what to do."""


class ImageUnreadable(ValueError):
    """A file is not an image that can be decoded whole; the message is the reason alone, without the file's name."""


@dataclass(frozen=True, eq=False)
class LabelledFolder:
    """A scanned labelled set: n images of k classes, sorted by class and then by file name."""

    name: str
    """The folder's own name."""
    root: Path
    classes: tuple[str, ...]
    """The k class names in alphabetical order."""
    files: tuple[Path, ...]
    """The n images, as paths that begin with `root`."""
    labels: npt.NDArray[np.int64]
    """Index into `classes` of each image, shape (n,)."""
    skipped: tuple[tuple[Path, str], ...] = ()
    """Files in class folders that are not used, each with the reason."""
    groups: npt.NDArray[np.int64] | None = None
    """Number of the group of each image, shape (n,): images of one group show the same insert or head. `None` where
    nothing says so."""
    group_column: str | None = None
    """The column of `labels.csv` that the groups come from."""

    def without(self, skipped: Iterable[tuple[Path, str]]) -> "LabelledFolder":
        """The same set without these images, which are added to `skipped` with their reasons.

        Raises `DatasetError` when a class loses its last image.
        """
        reasons = dict(skipped)
        keep = np.array([file not in reasons for file in self.files], bool)
        files = tuple(file for file in self.files if file not in reasons)
        labels = self.labels[keep]
        every = (*self.skipped, *reasons.items())
        _check_classes(self.root, self.classes, labels, every)
        groups = None if self.groups is None else self.groups[keep]
        return replace(self, files=files, labels=labels, groups=groups, skipped=every)


def scan(folder: Path, group_column: str | None = None, check_images: bool = True) -> LabelledFolder:
    """Find the images in `folder` and their labels.

    Hidden files, and files beside the class folders, are ignored; every other file in a class folder is an image or is
    `skipped` with a reason. `check_images` decodes each to find that out; without, every file counts as an image.
    Groups come from the column `group_column` of `labels.csv`, or when not given from one named in
    `GROUP_COLUMNS`. Raises `DatasetError`.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; name a folder with one sub-folder of images per class")
    class_folders = sorted((p for p in root.iterdir() if p.is_dir() and not _hidden(p)), key=lambda p: p.name)
    if len(class_folders) < 2:
        found = f"only '{class_folders[0].name}'" if class_folders else "none"
        raise DatasetError(
            f"{root} needs a sub-folder of images for each of at least two classes, such as 'damaged' and 'intact'; "
            f"found {found}"
        )
    files: list[Path] = []
    labels: list[int] = []
    skipped: list[tuple[Path, str]] = []
    for label, class_folder in enumerate(class_folders):
        for file in sorted((p for p in class_folder.iterdir() if not _hidden(p)), key=lambda p: p.name):
            reason = _unusable(file, check_images)
            if reason is None:
                files.append(file)
                labels.append(label)
            else:
                skipped.append((file, reason))
    classes = tuple(p.name for p in class_folders)
    array = np.array(labels, np.int64)
    _check_classes(root, classes, array, skipped)
    column, groups = _groups(root, files, group_column)
    return LabelledFolder(root.resolve().name, root, classes, tuple(files), array, tuple(skipped), groups, column)


def load_image(file: Path, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """The image in `file` as RGB (height, width, 3), resized to `size` (height, width) by nearest neighbour.

    Pixel for pixel what `keras.utils.load_img(file, target_size=size)` gives: converted to RGB first (without regard
    for an EXIF rotation or an alpha channel's transparency), then resized. But values of more than 8 bits, which Keras
    clips to white, are brought down to 8 bits as on the line (see `worker.depth`). Raises
    `ImageUnreadable` for what is not an image, is damaged or truncated, or is too large to decode safely.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is the stricter
            opened = Image.open(file, formats=_FORMATS)
        with opened:
            if opened.width * opened.height > _PIXEL_LIMIT:
                raise ImageUnreadable(
                    f"{opened.width} × {opened.height} pixels, more than the {_PIXEL_LIMIT // 10**6} million decoded"
                )
            deep = has_16_bits(opened)
            opened.load()
            image = to_eight_bits(opened, (lambda: Image.open(file, formats=_FORMATS)) if deep else None)
            image = image if image.mode == "RGB" else image.convert("RGB")
            if size is not None and image.size != (size[1], size[0]):
                image = image.resize((size[1], size[0]), Image.Resampling.NEAREST)
            return np.array(image, np.uint8)
    except ImageUnreadable:
        raise
    except UnknownDepth as error:
        raise ImageUnreadable(str(error)) from error
    except UnidentifiedImageError:
        raise ImageUnreadable(f"not an image: {why_unread(_head(file))}") from None
    except Exception as error:  # decoders raise what they like on damaged data; all of it means the same
        raise ImageUnreadable(f"cannot be decoded: {error or type(error).__name__}") from error


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(512)


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")


def _unusable(file: Path, check: bool) -> str | None:
    if not file.is_file():
        return "not a file"
    try:
        if check:
            load_image(file)
    except ImageUnreadable as error:
        return str(error)
    return None


def _check_classes(
    root: Path, classes: tuple[str, ...], labels: npt.NDArray[np.int64], skipped: Iterable[tuple[Path, str]]
) -> None:
    empty = [name for index, name in enumerate(classes) if not (labels == index).any()]
    if empty:
        reasons = [f"{path.relative_to(root)}: {reason}" for path, reason in skipped if path.parent.name in empty]
        raise DatasetError(
            f"no readable image in {', '.join(str(root / name) for name in empty)}; put images there or remove the "
            f"folder" + (f" (skipped: {'; '.join(reasons[:3])}{' …' if len(reasons) > 3 else ''})" if reasons else "")
        )


def _groups(root: Path, files: list[Path], wanted: str | None) -> tuple[str | None, npt.NDArray[np.int64] | None]:
    """The group column's name and each file's group number; nothing where no column is wanted or there."""
    path = root / LABELS_FILE
    if not path.is_file():
        if wanted:
            raise DatasetError(f"no {path} to take the groups '{wanted}' from")
        return None, None
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or []
            column = wanted or next((name for name in GROUP_COLUMNS if name in columns), None)
            if column is None:
                return None, None
            if column not in columns or "file" not in columns:
                raise DatasetError(f"{path} has the columns {list(columns)}, but 'file' and '{column}' are needed")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is not a CSV file in UTF-8: {error}") from error
    named = _by_file(path, rows, column, files)
    missing = [file for file, group in zip(files, named, strict=True) if not group]
    if missing:
        raise DatasetError(
            f"{path} names no '{column}' for {len(missing)} of {len(files)} images, the first is "
            f"{missing[0].relative_to(root)}; add them, or the grouped scores would leak"
        )
    return column, np.unique(named, return_inverse=True)[1].astype(np.int64)


def _by_file(path: Path, rows: list[dict[str, Any]], column: str, files: list[Path]) -> list[str]:
    """The text in `column` for each file; `file` holds `class/name`, or a name that may need the column `class`."""
    groups: dict[str, str] = {}
    for row in rows:
        file, owner, group = ((row.get(key) or "").strip() for key in ("file", "class", column))
        key = file.replace("\\", "/") if not owner or "/" in file or "\\" in file else f"{owner}/{file}"
        if groups.setdefault(key, group) != group:
            raise DatasetError(f"{path} puts {key} into two groups, '{groups[key]}' and '{group}'")
    names = Counter(file.name for file in files)
    found = []
    for file in files:
        full = f"{file.parent.name}/{file.name}"
        if full not in groups and file.name in groups and names[file.name] > 1:
            raise DatasetError(f"{path} names {file.name}, which two classes have; write {full} there")
        found.append(groups.get(full) or groups.get(file.name) or "")
    return found
