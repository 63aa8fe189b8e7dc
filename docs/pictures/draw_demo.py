"""Draws what the demo's last check came to, for the README: thirty photographs, framed by their verdicts.

After `make demo`:

    insert-db --data var/demo verdicts --operation op-0003 --json | python docs/pictures/draw_demo.py var/demo/images
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

COLOURS: Final = {"intact": "#009e73", "damaged": "#d55e00", "unsure": "#e6a100", "unusable": "#777777"}
COLUMNS, SIDE, FRAME, GAP, CAPTION, LEGEND = 10, 84, 5, 8, 20, 34
INK: Final = "#222222"
PALETTE: Final = 96
"""Colours of the file: a photograph of steel needs few, and the file stays small."""


def drawn(verdicts: list[dict[str, Any]], images: Path) -> Image.Image:
    """All verdicts, by pocket, in rows of ten, over a legend."""
    pitch = SIDE + 2 * FRAME + GAP
    rows = -(-len(verdicts) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * pitch + GAP, rows * (pitch + CAPTION) + LEGEND), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for place, verdict in enumerate(sorted(verdicts, key=lambda each: each["pocket"])):
        left, top = GAP + place % COLUMNS * pitch, GAP + place // COLUMNS * (pitch + CAPTION)
        file = images / verdict["image"]
        with Image.open(file) as photograph:
            small = photograph.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        colour = COLOURS[verdict["outcome"]]
        draw.rectangle((left, top, left + SIDE + 2 * FRAME - 1, top + SIDE + 2 * FRAME - 1), fill=colour)
        sheet.paste(small, (left + FRAME, top + FRAME))
        if json.loads(file.with_name(f"{file.name}.truth.json").read_text("utf-8"))["truth"] != "intact":
            _dot(draw, left + FRAME + SIDE - 10, top + FRAME + 10)
        draw.text((left, top + SIDE + 2 * FRAME + 3), f"{verdict['pocket']} {verdict['outcome']}", fill=INK, font=font)
    _legend(draw, font, sheet.height - LEGEND // 2)
    return sheet.quantize(PALETTE, dither=Image.Dither.NONE)


def _legend(draw: ImageDraw.ImageDraw, font: Any, middle: int) -> None:
    left = GAP
    for outcome in ("intact", "damaged", "unsure"):
        draw.rectangle((left, middle - 7, left + 14, middle + 7), fill=COLOURS[outcome])
        draw.text((left + 22, middle), f"verdict {outcome}", fill=INK, font=font, anchor="lm")
        left += 140
    _dot(draw, left + 7, middle)
    draw.text((left + 22, middle), "really worn or broken", fill=INK, font=font, anchor="lm")


def _dot(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.ellipse((x - 6, y - 6, x + 6, y + 6), fill=INK, outline="white", width=2)


if __name__ == "__main__":
    drawn(json.load(sys.stdin), Path(sys.argv[1])).save(Path(__file__).with_name("demo.png"), optimize=True)
