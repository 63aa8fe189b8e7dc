"""A labelled set as a folder: one sub-folder per class, and optionally `labels.csv` with each image's identity."""

import warnings
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from producer.pictures.image_formats import LABELLED_ENDINGS, LABELLED_FORMATS
from producer.pictures.several_pictures import several_pictures
from producer.pictures.system_files import is_system_litter
from producer.runtime.arrays import Int64Array, UInt8Array
from producer.terminal.counts import counted
from worker.dataset.duplicates import ImageUnreadable, Look, examine, repeated
from worker.dataset.labels_table import TableError, read_groups
from worker.images.bit_depth import Depth, UnknownDepth, to_eight_bits
from worker.images.file_kind import why_unread

_PIXEL_LIMIT = 80_000_000
"""Largest image that is decoded: 240 MB of RGB. Real cameras on the line have a tenth of it."""


class DatasetError(ValueError):
    """A folder is not a usable labelled set; the message says what is missing and what to do."""


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
    labels: Int64Array
    """Index into `classes` of each image, shape (n,)."""
    skipped: tuple[tuple[Path, str], ...] = ()
    """Files in class folders that are not used, each with the reason."""
    group_names: tuple[str, ...] | None = None
    """The group of each of the n images, the same for images of the same insert or head. `None` where it is unknown."""
    group_column: str | None = None
    """The column of `labels.csv` that the groups come from."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: what in the folder was not understood, or is not used."""

    @property
    def groups(self) -> Int64Array | None:
        """The number (n,) of each image's group."""
        if self.group_names is None:
            return None
        return np.unique(self.group_names, return_inverse=True)[1].astype(np.int64)

    def without(self, skipped: Iterable[tuple[Path, str]]) -> "LabelledFolder":
        """Return the same set without these images, which are added to `skipped` with their reasons.

        Raises:
            DatasetError: a class loses its last image.
        """
        reasons = dict(skipped)
        keep = np.array([file not in reasons for file in self.files], bool)
        files = tuple(file for file in self.files if file not in reasons)
        labels = self.labels[keep]
        every = (*self.skipped, *reasons.items())
        _check_classes(self.root, self.classes, labels, every)
        groups = self.group_names and tuple(name for name, kept in zip(self.group_names, keep, strict=True) if kept)
        return replace(self, files=files, labels=labels, group_names=groups, skipped=every)


def scan(
    folder: Path,
    group_column: str | None = None,
    check_images: bool = True,
    *,
    table: Path | None = None,
    groups_required: bool = True,
    look: Look | None = None,
    unchecked: Collection[str] = (),
    keep_duplicates: bool = False,
    progress: Callable[[int, int], object] = lambda done, total: None,  # noqa: ARG005
) -> LabelledFolder:
    """Find the images in `folder` and their labels.

    System files and hidden files are ignored; every other file in a class folder is an image or is `skipped` with a
    reason. `check_images` decodes each by `look` (default: `load_image`) to find that out, except for the classes
    `unchecked`; without it every file counts as an image. A photograph that is in two classes is left out of both, one
    that is there twice counts once; `keep_duplicates` keeps all. Groups come from the column `group_column` of `table`
    (default: `labels.csv` in the folder), or by default from one of `labels_table.GROUP_COLUMNS`; without
    `groups_required` a note says that there is no such column. `progress` is called with how many of how many files are
    examined.

    Raises:
        DatasetError: the folder is not a usable labelled set.
    """
    root = Path(folder)
    class_folders, notes = _class_folders(root)
    classes = tuple(p.name for p in class_folders)
    entries = [(file, label) for label, folder in enumerate(class_folders) for file in _entries(folder)]
    looks = {
        label: (look or load_image) if check_images and name not in unchecked else None
        for label, name in enumerate(classes)
    }
    known, skipped = [], list[tuple[Path, str]]()
    for done, (file, label, digests) in enumerate(examine(entries, looks), 1):
        if isinstance(digests, str):
            skipped.append((file, digests))
        else:
            known.append((file, label, digests))
        progress(done, len(entries))
    if not keep_duplicates:
        twice = repeated([(file, classes[label], digests) for file, label, digests in known])
        skipped = sorted([*skipped, *twice.items()])
        known = [entry for entry in known if entry[0] not in twice]
    files = [file for file, _, _ in known]
    labels = np.array([label for _, label, _ in known], np.int64)
    _check_classes(root, classes, labels, skipped)
    try:
        beside = [file for file, _ in skipped]
        grouping = read_groups(root, files, beside=beside, column=group_column, table=table, required=groups_required)
    except TableError as error:
        raise DatasetError(str(error)) from error
    return LabelledFolder(
        root.resolve().name,
        root,
        classes,
        tuple(files),
        labels,
        tuple(skipped),
        grouping.groups,
        grouping.column,
        (*notes, *grouping.notes),
    )


def class_names(folder: Path) -> list[str]:
    """Return the names of the classes in `folder`, in alphabetical order.

    Raises:
        DatasetError: the folder has no classes.
    """
    return [path.name for path in _class_folders(folder)[0]]


def load_image(file: Path, size: tuple[int, int] | None = None) -> UInt8Array:
    """The image in `file` as RGB (height, width, 3), resized to `size` (height, width) by nearest neighbour.

    Pixel for pixel what `keras.utils.load_img(file, target_size=size)` gives: converted to RGB first (without regard
    for an EXIF rotation or an alpha channel's transparency), then resized. But values of more than 8 bits, which Keras
    clips to white, are brought down to 8 bits as on the line (see `worker.images.bit_depth`). Raises
    `ImageUnreadable` for what is not an image, is one of several in its file, is damaged or truncated, or is too large
    to decode safely.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is the stricter
            opened = Image.open(file, formats=LABELLED_FORMATS)
        with opened:
            if opened.width * opened.height > _PIXEL_LIMIT:
                raise ImageUnreadable(
                    f"{opened.width} × {opened.height} pixels, more than the {_PIXEL_LIMIT // 10**6} million decoded"
                )
            if (problem := several_pictures(file.read_bytes())) is not None:
                raise ImageUnreadable(problem)
            depth = Depth.of(opened)
            opened.load()
            image = to_eight_bits(opened, depth, lambda: Image.open(file, formats=LABELLED_FORMATS)).image
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
    except Exception as error:  # decoders raise almost anything on damaged data; it all means the same
        raise ImageUnreadable(f"cannot be decoded: {error or type(error).__name__}") from error


def _head(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(512)


def _entries(folder: Path) -> list[Path]:
    """The entries of a folder without system files, by name."""
    return sorted((p for p in folder.iterdir() if not is_system_litter(Path(p.name))), key=lambda p: p.name)


def _class_folders(root: Path) -> tuple[list[Path], list[str]]:
    """The folders of the classes, and notes about what is beside them. Raises `DatasetError`."""
    if not root.is_dir():
        raise DatasetError(f"{root} is not a folder; name a folder with one sub-folder of images per class")
    entries = _entries(root)
    folders = [p for p in entries if p.is_dir()]
    images = [p.name for p in entries if p.suffix.lower() in LABELLED_ENDINGS and p.is_file()]
    beside = f"{counted(len(images), 'image')} directly in it, such as {images[0]}" if images else ""
    sets = sorted((p for p in folders if _is_a_set(p)), key=lambda p: not p.name.casefold().startswith("train"))
    if sets and not any(p.is_file() for folder in folders for p in _entries(folder)):
        names = " or ".join(str(p) for p in sets)
        inside = ", ".join(p.name for p in _entries(sets[0]) if p.is_dir())
        raise DatasetError(f"{root} holds labelled sets, not classes: give me {names} (classes {inside})")
    if len(folders) < 2:
        there = f"only '{folders[0].name}'" if folders else "none"
        raise DatasetError(
            f"{root} needs a sub-folder of images for each of at least two classes, such as 'damaged' and 'intact'; "
            f"found {there}{f', and {beside}: sort them into such folders' if images else ''}"
        )
    return folders, [f"{root} has {beside}: they are in no class and are not used"] if images else []


def _is_a_set(folder: Path) -> bool:
    """Whether a folder looks like a labelled set itself: two folders in it have files."""
    return sum(any(p.is_file() for p in _entries(inner)) for inner in _entries(folder) if inner.is_dir()) >= 2


def _check_classes(
    root: Path, classes: tuple[str, ...], labels: Int64Array, skipped: Iterable[tuple[Path, str]]
) -> None:
    empty = [name for index, name in enumerate(classes) if not (labels == index).any()]
    if empty:
        reasons = [f"{path.relative_to(root)}: {reason}" for path, reason in skipped if path.parent.name in empty]
        raise DatasetError(
            f"no usable image in {', '.join(str(root / name) for name in empty)}; put images there or remove the "
            f"folder" + (f" (skipped: {'; '.join(reasons[:3])}{' …' if len(reasons) > 3 else ''})" if reasons else "")
        )
