import io

import numpy as np
import pytest
from PIL import Image

from worker.evaluation.drawing import HEIGHT, PALETTE, WIDTH, Plot, tables


def pixels(png):
    image = Image.open(io.BytesIO(png))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


def of_colour(image, colour, tolerance=12):
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    rows, columns = np.nonzero((np.abs(image - wanted) < tolerance).all(axis=2))
    return rows, columns


def plot(**options):
    return Plot("title", "across", "up", **options)


def test_a_line_goes_from_corner_to_corner_of_the_axes_and_nowhere_else():
    figure = plot(x=(10, 20), y=(-1, 1))
    figure.line([(10, -1), (20, 1)], PALETTE[0])
    image = pixels(figure.png())
    assert image.shape == (HEIGHT, WIDTH, 3)
    rows, columns = of_colour(image, PALETTE[0])
    assert np.corrcoef(rows, columns)[0, 1] == pytest.approx(-1, abs=1e-3)
    assert np.ptp(columns) > 0.8 * WIDTH
    assert np.ptp(rows) > 0.7 * HEIGHT


def test_points_and_bars_are_where_their_values_say():
    figure = plot()
    figure.points([(0.25, 0.75)], PALETTE[1])
    figure.bars([(0.5, 1.0, 0.5)], PALETTE[2])
    image = pixels(figure.png())
    rows, columns = of_colour(image, PALETTE[1])
    bar_rows, bar_columns = of_colour(image, PALETTE[2])
    width = 2 * (bar_columns.max() - bar_columns.min())  # of the axes
    height = 2 * (bar_rows.max() - bar_rows.min())
    assert columns.mean() == pytest.approx(bar_columns.min() - 0.25 * width, abs=4)
    assert rows.mean() == pytest.approx(bar_rows.min() - 0.25 * height, abs=4)


def test_dashes_have_gaps():
    whole, dashed = plot(), plot()
    whole.line([(0, 0.503), (1, 0.503)], PALETTE[1])
    dashed.line([(0, 0.503), (1, 0.503)], PALETTE[1], dashed=True)
    drawn = [len(of_colour(pixels(figure.png()), PALETTE[1], 60)[0]) for figure in (dashed, whole)]
    assert 0.4 * drawn[1] < drawn[0] < 0.8 * drawn[1]


@pytest.mark.parametrize(
    ("corner", "right", "low"), [("lower right", True, True), ("lower left", False, True), ("upper left", False, False)]
)
def test_a_legend_stands_in_its_corner(corner, right, low):
    figure = plot()
    figure.bars([], PALETTE[3], "the name")
    rows, columns = of_colour(pixels(figure.png(corner)), PALETTE[3])
    assert len(rows) > 50
    assert ((columns > WIDTH / 2) == right).all()
    assert ((rows > HEIGHT / 2) == low).all()


@pytest.mark.parametrize("limits", [(0, 1), (0.7, 1), (0.5, 1), (-1, 1), (0, 30_000), (0.98, 1.0), (0.0, 1e-6)])
def test_ticks_are_round_figures_within_the_limits(limits):
    from worker.evaluation.drawing import _round_ticks

    ticks = _round_ticks(limits)
    values = [value for value, _ in ticks]
    assert 4 <= len(ticks) <= 11
    assert all(limits[0] - 1e-9 <= value <= limits[1] + 1e-9 * abs(limits[1]) for value in values)
    assert [float(name) for _, name in ticks] == pytest.approx(values)
    assert np.allclose(np.diff(values), values[1] - values[0])


def test_a_table_is_darkest_where_most_of_a_row_is():
    image = pixels(tables("title", [("one", [[9, 1], [40, 60]]), ("two", [[0, 0], [0, 5]])], ("intact", "damaged")))
    first = image[:, : image.shape[1] // 2]
    assert len(of_colour(first, PALETTE[0])[0]) < 1_000  # no cell has all of its row
    assert len(of_colour(image, PALETTE[0])[0]) > 5_000  # the second table's last cell has
