"""`insert-station heads draw` and `heads suggest`: where in a photograph the insert is, shown and proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from producer.commands.options import RegisterOption, settings_of
from producer.terminal.counts import counted
from producer.terminal.exit_codes import NO
from producer.terminal.options import Json
from producer.terminal.output import note, say, say_json

if TYPE_CHECKING:
    from PIL import Image

    from producer.contract.region import AnyRegion
    from producer.station.head_register import Head, HeadRegister

_SIDE: Final = 1600
"""Pixels of a picture's longer side: it is for a screen."""


def draw(
    context: typer.Context,
    image: Annotated[Path, typer.Argument(help="A photograph of the head, as the camera takes it.")],
    head: Annotated[str | None, typer.Option(help="The head. [default: the only one in the register]")] = None,
    register: RegisterOption = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The picture, a PNG file. [default: heads-IMAGE.png]")
    ] = None,
) -> None:
    """Draw over a photograph the region that is judged, for each pocket of a head.

    Look at the picture whenever somebody has changed the camera or the register. For an edge, it shows the strip, the
    line, and a dot at the line's first point: that end is on the left once the strip is level.

    Exit codes: 0: all regions are inside the photograph. 1: a region is not, so its pocket would be `unusable`. 2: the
    photograph or the register cannot be used.

    Example: `insert-station heads draw photographs/7.jpg --register heads.toml --head H12`
    """
    from producer.contract.region import bounds
    from producer.files.durable_files import replaced_file
    from producer.pictures.region_drawing import drawn
    from producer.pictures.upright import upright
    from producer.station.head_register import HeadRegister

    path = register or settings_of(context).heads
    if path is None:
        raise ValueError("which register? Name its file with --register, or set INSERTS_HEADS")
    described = _head(HeadRegister.load(path), head)
    photograph, size = upright(image, _SIDE)
    regions = _by_region(described)
    picture = output or Path(f"heads-{image.stem}.png")
    with replaced_file(picture) as part:
        drawn(photograph, size, [(name, region) for region, name in regions.items()]).save(part, "PNG")
    outside = False
    for region, name in regions.items():
        left, top, width, height = bounds(region)
        if left < 0 or top < 0 or left + width > size[0] or top + height > size[1]:
            note(f"{name}: the region is not inside the photograph of {size[0]}×{size[1]} pixels")
            outside = True
    say(f"picture: {picture}, of {_what(described, len(regions))}")
    if outside:
        raise typer.Exit(NO)


def _head(register: HeadRegister, name: str | None) -> Head:
    if name is None and len(register.heads) == 1:
        return next(iter(register.heads.values()))
    if name is None:
        raise ValueError(f"which head? There are {', '.join(register.heads)}: give --head NAME")
    if (head := register.get(name)) is None:
        raise ValueError(f"there is no head {name} in {register.path}: there are {', '.join(register.heads)}")
    return head


def _by_region(head: Head) -> dict[AnyRegion, str]:
    """Each different region of a head, with its pockets."""
    from producer.contract.reasons.template import numbered

    pockets: dict[AnyRegion, list[int]] = {}
    for pocket, region in sorted(head.regions.items()):
        if pocket <= head.pockets:
            pockets.setdefault(region, []).append(pocket)
    return {region: numbered(those) for region, those in pockets.items()}


def _what(head: Head, regions: int) -> str:
    whole = sum(pocket not in head.regions for pocket in range(1, head.pockets + 1))
    if whole == head.pockets:
        return f"head {head.name}: no region is declared, the whole photograph is judged"
    rest = f"; of {counted(whole, 'pocket')} the whole photograph is judged" if whole else ""
    return f"head {head.name}: {counted(regions, 'region')}{rest}"


def suggest(
    folder: Annotated[Path, typer.Argument(help="Photographs of one camera, also in subfolders.")],
    as_json: Json = False,
) -> None:
    """Propose where the insert is, from example photographs: a box, and the edge if it is a straight line.

    It prints lines for the register, to paste below a head. The proposal is what differs from the background in most of
    the photographs, so check it with `insert-station heads draw`.

    Example: `insert-station heads suggest photographs`
    """
    from producer.pictures.region_suggestion import suggestion

    photographs, size, others = _examples(folder)
    proposal = suggestion(photographs, size)
    if others:
        note(f"{counted(others, 'photograph')} of another size or unreadable: left out")
    if as_json:
        proposed = {"box": proposal.box.model_dump(), "edge": proposal.edge and proposal.edge.model_dump()}
        say_json({"photographs": len(photographs), "size": list(size), **proposed})
        return
    say(f"# of {counted(len(photographs), 'photograph')} of {size[0]}×{size[1]} pixels")
    box = f"region = {_toml(proposal.box.model_dump())}"
    if proposal.edge is None:
        say(f"{box}\n# no side of the insert is straight enough for an edge")
    else:
        say(f"region = {_toml(proposal.edge.model_dump())}\n# or the whole insert: {box}")


def _examples(folder: Path) -> tuple[list[Image.Image], tuple[int, int], int]:
    """Photographs of the most common size, that size in full, and how many others there are."""
    from producer.pictures.file_names import ending_of
    from producer.pictures.image_formats import READABLE
    from producer.pictures.region_suggestion import MOST_PHOTOGRAPHS, SIDE
    from producer.pictures.upright import upright

    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    paths = sorted(
        path for path in folder.rglob("*") if ending_of(path.name) in READABLE and not path.name.startswith(".")
    )
    step = max(1, len(paths) / MOST_PHOTOGRAPHS)
    read = []
    others = 0
    for path in [paths[int(number * step)] for number in range(min(len(paths), MOST_PHOTOGRAPHS))]:
        try:
            read.append(upright(path, SIDE))
        except ValueError:
            others += 1
    if not read:
        raise ValueError(f"there is no photograph in {folder} that can be read")
    most = Counter(size for _, size in read).most_common(1)[0][0]
    alike = [photograph for photograph, size in read if size == most]
    return alike, most, others + len(read) - len(alike)


def _toml(values: Mapping[str, int]) -> str:
    return f"{{ {', '.join(f'{name} = {value}' for name, value in values.items())} }}"
