"""A folder with the photographs of one head: what can be handed in, and what must not be left out silently.

Each file is named by its pocket: `1.jpg`, `02.png`. A check must never end as "go" if a pocket was not seen. So a file
that cannot be handed in still counts: the check has as many pockets as the head has or the names mention, and one more
if it is unknown what a photograph shows. Such a check never completes, and ends as "review". The folder may change
while the check runs, so it is read again before the answer counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from producer.contract.reasons import stations as why
from producer.contract.reasons.template import IN_OTHER_WORDS, Reason
from producer.contract.region import AnyRegion
from producer.pictures.file_names import (
    MAX_POCKET,
    SIDECARS,
    UNFINISHED,
    UNREADABLE,
    ending_of,
    implied_pocket,
    is_earlier,
    is_picture,
    may_become_newest,
    pocket_of,
)
from producer.pictures.image_formats import FORMATS, TIFF, format_of
from producer.pictures.system_files import is_system_litter, may_be_on_its_way
from producer.station.head_check import Photograph
from producer.station.nameless_files import holds_picture, may_be_photograph, with_photographs
from producer.station.photograph_file import BeingWritten, TooLarge, content, is_still
from producer.station.settled_files import Changing, Look


@dataclass(frozen=True)
class HeadProblem:
    """Why a person must look: what is wrong, in words, and which files and pockets it is about."""

    what: Reason
    files: Sequence[str] = ()
    pockets: Sequence[int] = ()


@dataclass(frozen=True)
class HeadFolder:
    """What a folder shows of a head.

    `check_size` is how many pockets its check must cover: more than there are photographs where anything that belongs
    to the head could not be handed in. `elsewhere` names the earlier photographs, which are ignored. `looks` says how
    each file that is or may become a photograph looked before any was read; None: it could not be looked at.
    """

    photographs: list[Photograph]
    check_size: int
    problems: list[HeadProblem]
    elsewhere: list[str]
    looks: Mapping[str, Look | None]


@dataclass
class _Named:
    """A folder's files by what their names say: `hints` are no photographs, but tell that there should be one."""

    photographs: dict[int, list[Path]] = field(default_factory=lambda: defaultdict(list))
    hints: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    strays: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def pockets(self) -> dict[str, int | None]:
        """Every file that is or may become a photograph, with its pocket where its name tells one."""
        taken = {path.name: pocket for pocket, paths in self.photographs.items() for path in paths}
        hinted = {name: pocket for pocket, names in self.hints.items() for name in names}
        return {**taken, **hinted, **dict.fromkeys((*self.strays, *self.folders))}


def look_at(folder: Path, pockets: int | None, regions: Mapping[int, AnyRegion] | None = None) -> HeadFolder:
    """What `folder` shows of a head with so many `pockets`; None: as many as the highest number in it.

    `regions` are those that pockets have of their photographs: such pockets may share one.

    Raises:
        ValueError: there is no such folder, or no photograph in it is named by a pocket.
    """
    named = _sorted_out(folder)
    looks = _looks(folder, named)
    if not named.photographs:
        raise ValueError(_why_nothing(folder, named))
    size = max(pockets or 0, *named.photographs, *named.hints)
    photographs, problems = [], []
    for pocket, paths in sorted(named.photographs.items()):
        coming = [name for name in named.hints.get(pocket, ()) if may_become_newest(name)]
        photograph, problem = _taken(pocket, paths, coming, pockets)
        photographs += [photograph] if photograph else []
        problems += [problem] if problem else []
    same = _the_same(photographs, regions or {})
    problems += [_one_for_many(group) for group in same]
    photographs = [photograph for photograph in photographs if not any(photograph in group for group in same)]
    problems += _not_there(size, named)
    if unknown := named.strays + named.folders:
        size += 1
        problems += _of_no_pocket(size, named)
    if size > MAX_POCKET:
        raise ValueError(f"a check covers {MAX_POCKET} pockets at most: take {_listed(unknown)} out of {folder}")
    return HeadFolder(photographs, size, problems, named.elsewhere, looks)


def changes_since(shown: HeadFolder, folder: Path) -> list[HeadProblem]:
    """What came, changed or went in `folder` since it showed `shown`: nothing of it was judged as it is now."""
    try:
        named = _sorted_out(folder)
    except ValueError as error:
        return [_changed(f"{error}: it was there when the check began", pockets=range(1, shown.check_size + 1))]
    looks, problems = _looks(folder, named), []
    unguarded = {photograph.file: photograph.image for photograph in shown.photographs if photograph.unguarded}
    for name, pocket in named.pockets().items():
        look = shown.looks.get(name)
        other = name in unguarded and look is not None and not is_still(folder / name, look, unguarded[name])
        if name not in shown.looks or looks[name] != look or other:
            what = "changed" if name in shown.looks else "came"
            unknown = shown.check_size + 1
            problems.append(_changed(f"{name} {what} while the check ran: check again", [name], [pocket or unknown]))
    for photograph in shown.photographs:
        if photograph.file is not None and photograph.file not in looks:
            problems.append(
                _changed(
                    f"{photograph.file} went while the check ran: check again", [photograph.file], [photograph.pocket]
                )
            )
    return problems


def _changed(what: str, files: Sequence[str] = (), pockets: Sequence[int] = ()) -> HeadProblem:
    """A problem that comes too late for the line: it is said at the terminal alone."""
    return HeadProblem(IN_OTHER_WORDS(text=what), files, pockets)


def _sorted_out(folder: Path) -> _Named:
    named, beside = _Named(), defaultdict[int, list[str]](list)
    for path in _entries(folder):
        name = path.name
        if may_be_on_its_way(name) and path.is_dir():
            for inner in _entries(path):
                if is_picture(inner.name) and (pocket := pocket_of(inner.name)) is not None:
                    named.hints[pocket].append(f"{name}/{inner.name}")
                elif may_be_photograph(inner):
                    named.strays.append(f"{name}/{inner.name}")
        elif is_system_litter(Path(name)):
            if (pocket := implied_pocket(name)) is not None:
                named.hints[pocket].append(name)
            elif may_be_photograph(path):
                named.strays.append(name)
        elif not is_picture(name) and path.is_dir():
            within = with_photographs(path)
            if within is not None and (pocket := pocket_of(name)) is not None:
                named.hints[pocket].append(name)
            elif within is not None:
                named.folders.append(within.relative_to(folder).as_posix())
        elif is_picture(name) and (pocket := pocket_of(name)) is not None:
            named.photographs[pocket].append(path)
        elif (pocket := implied_pocket(name)) is not None:
            hints = beside if ending_of(name) in SIDECARS else named.hints
            hints[pocket].append(name)
        elif is_picture(name) or (ending_of(name) in UNFINISHED and is_picture(path.stem)) or may_be_photograph(path):
            named.strays.append(name)
        elif is_earlier(name) and holds_picture(path):
            named.elsewhere.append(name)
    # `3.jpg.md5` and `3.thm` say that there is a `3.jpg`; beside one they say nothing.
    for pocket, names in beside.items():
        if pocket not in named.photographs:
            named.hints[pocket] += names
    # An earlier photograph beside a pocket's newest is no doubt about it, and yet no one looks at it.
    for pocket in named.hints.keys() & named.photographs.keys():
        earlier = [name for name in named.hints[pocket] if not may_become_newest(name)]
        named.elsewhere += [name for name in earlier if holds_picture(folder / name)]
    return named


def _looks(folder: Path, named: _Named) -> dict[str, Look | None]:
    """How the named files of a folder look now."""
    looks: dict[str, Look | None] = {}
    for name in named.pockets():
        try:
            looks[name] = Look.at((folder / name).stat())
        except OSError:  # a link to nowhere, or gone since it was listed
            looks[name] = None
    return looks


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        raise ValueError(f"there is no folder {folder}") from None
    except NotADirectoryError:
        raise ValueError(f"{folder} is no folder: give the folder that the head's photographs are in") from None
    except OSError as error:
        raise ValueError(f"the folder {folder} cannot be read: {error.strerror}") from error


def _taken(
    pocket: int, paths: Sequence[Path], coming: Sequence[str], pockets: int | None
) -> tuple[Photograph | None, HeadProblem | None]:
    """The photograph of a pocket as far as it can be handed in, and what is wrong with it."""
    names = [*(path.name for path in paths), *coming]
    name = names[0]
    if len(names) > 1:
        several = why.SEVERAL(pocket=pocket, count=len(names), names=_listed(names))
        return None, HeadProblem(several, names, [pocket])
    if pockets is not None and pocket > pockets:
        beyond = why.ONE_POCKET_OF_HEAD() if pockets == 1 else why.POCKETS_OF_HEAD(count=pockets)
        return None, HeadProblem(why.IN_FILE(file=name, problem=beyond), names, [pocket])
    try:
        if not paths[0].is_file():
            return None, HeadProblem(why.NO_FILE(file=name), names, [pocket])
        taken = content(paths[0], Look.at(paths[0].stat()))
    except OSError as error:
        return None, HeadProblem(why.UNREADABLE(file=name, problem=error.strerror), names, [pocket])
    except (BeingWritten, Changing):
        return None, HeadProblem(why.BEING_WRITTEN(file=name), names, [pocket])
    except TooLarge as error:
        return None, HeadProblem(error.reason, names, [pocket])
    image = taken.image
    photograph = Photograph(pocket, image, file=name, unguarded=taken.unguarded)
    if not image:
        return photograph, HeadProblem(why.EMPTY(file=name), names, [pocket])
    # The worker goes by what a file is, not by its name. Raw formats begin as TIFF does: what it would find in one is
    # the small preview, so those are kept back.
    kind = format_of(image)
    if ending_of(name) not in UNREADABLE or kind not in (None, TIFF):
        return photograph, None
    problem = HeadProblem(why.OTHER_KIND(file=name, formats=FORMATS), names, [pocket])
    return None if kind is TIFF else photograph, problem


def _the_same(photographs: Sequence[Photograph], regions: Mapping[int, AnyRegion]) -> list[list[Photograph]]:
    """The photographs of several pockets that are alike to the last bit: no camera takes one twice.

    Pockets may share one where each has a region of its own in it; one without is all of it.
    """
    alike: dict[tuple[bytes, AnyRegion | None], list[Photograph]] = defaultdict(list)
    whole = {photograph.image for photograph in photographs if photograph.pocket not in regions}
    for photograph in photographs:
        if photograph.image:
            of = None if photograph.image in whole else regions[photograph.pocket]
            alike[photograph.image, of].append(photograph)
    return [group for group in alike.values() if len(group) > 1]


def _one_for_many(group: Sequence[Photograph]) -> HeadProblem:
    names = [photograph.file or "" for photograph in group]
    return HeadProblem(why.THE_SAME(names=_listed(names)), names, [photograph.pocket for photograph in group])


def _not_there(size: int, named: _Named) -> Iterator[HeadProblem]:
    """The pockets from 1 to `size` of which there is no photograph."""
    hinted = sorted(named.hints.keys() - named.photographs.keys())
    for pocket in hinted:
        names = named.hints[pocket]
        yield HeadProblem(why.UNFINISHED(pocket=pocket, names=_listed(names)), names, [pocket])
    if gaps := sorted(set(range(1, size + 1)) - named.photographs.keys() - set(hinted)):
        yield HeadProblem(why.MISSING(pockets=gaps), pockets=gaps)


def _of_no_pocket(one_more: int, named: _Named) -> Iterator[HeadProblem]:
    """What may be the newest photograph of any pocket."""
    for names, what in ((named.strays, why.OF_WHICH_POCKET), (named.folders, why.IN_A_FOLDER)):
        if names:
            yield HeadProblem(what(names=_listed(names), pocket=one_more), names, [one_more])


def _why_nothing(folder: Path, named: _Named) -> str:
    if others := named.strays + [name for names in named.hints.values() for name in names]:
        return f"no finished photograph in {folder} is named by its pocket, like 7.jpg, but there is {_listed(others)}"
    if named.folders:
        return f"no photographs in {folder} itself, but in its folders {_listed(named.folders)}: give one of them"
    return f"no photographs in {folder}: they are named by pocket, 1.jpg, 2.jpg and so on"


def _listed(names: Sequence[str], most: int = 8) -> str:
    """Names in words; of many the first ones."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
