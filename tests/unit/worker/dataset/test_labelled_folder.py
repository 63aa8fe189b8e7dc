import numpy as np
import pytest
from PIL import Image

from worker.dataset.duplicates import ImageUnreadable
from worker.dataset.labelled_folder import DatasetError, load_image, scan

RNG = np.random.default_rng(0)


def picture(path, mode="RGB", size=(40, 30), **options):
    """Save random pixels of `size` (width, height) in a Pillow mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = {"RGB": 3, "RGBA": 4, "LA": 2, "L": 1, "CMYK": 4, "P": 3, "1": 1}[mode]
    pixels = RNG.integers(0, 256, (size[1], size[0], depth), np.uint8)
    source = {"P": "RGB", "1": "L"}.get(mode, mode)
    image = Image.frombytes(source, size, pixels.tobytes())
    (image.convert(mode) if mode != source else image).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    for name in ("worn/b.png", "worn/a.png", "intact/c.png", "intact/10.png", "intact/9.png"):
        picture(tmp_path / "inserts" / name)
    return tmp_path / "inserts"


def test_labels_are_the_classes_in_alphabetical_order_and_files_are_sorted(folder):
    found = scan(folder)
    assert (found.name, found.classes) == ("inserts", ("intact", "worn"))
    assert [file.name for file in found.files] == ["10.png", "9.png", "c.png", "a.png", "b.png"]
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    assert (found.skipped, found.groups, found.group_column) == ((), None, None)


def test_files_beside_the_classes_and_hidden_ones_are_ignored(folder):
    for name in ("labels.csv", "LICENSE", "worn/.DS_Store", ".git/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("file,setup\na.png,bench\n")
    found = scan(folder)
    assert (len(found.files), found.skipped, found.classes) == (5, (), ("intact", "worn"))


def test_unreadable_files_among_good_ones_are_named_with_a_reason(folder):
    data = (folder / "worn" / "a.png").read_bytes()
    (folder / "worn" / "cut.png").write_bytes(data[: len(data) // 2])
    (folder / "worn" / "empty.jpg").write_bytes(b"")
    (folder / "intact" / "notes.txt").write_text("the light was bad")
    (folder / "intact" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    (folder / "intact" / "deeper").mkdir()
    picture(folder / "worn" / "two.gif", "P", save_all=True, append_images=[Image.new("P", (40, 30), 3)])
    found = scan(folder)
    assert len(found.files) == 5
    reasons = {file.name: reason for file, reason in found.skipped}
    assert set(reasons) == {"cut.png", "empty.jpg", "notes.txt", "drawing.eps", "deeper", "two.gif"}
    assert "the file holds 2 pictures" in reasons["two.gif"]
    assert "a folder inside a class" in reasons["deeper"]
    assert all(reasons[name].startswith("not an image") for name in ("notes.txt", "drawing.eps", "empty.jpg"))
    assert "PostScript" in reasons["drawing.eps"]
    assert reasons["cut.png"].startswith("cannot be decoded")
    assert len(scan(folder, check_images=False).files) == 10


def test_an_image_too_large_to_decode_is_skipped_without_decoding_it(folder):
    Image.new("1", (20_000, 20_000)).save(folder / "worn" / "bomb.png")
    ((file, reason),) = scan(folder).skipped
    assert file.name == "bomb.png"
    assert "20000 × 20000" in reason or "decompression bomb" in reason


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (lambda root: root.parent, "is not a folder"),
        (lambda root: root.write_text("x"), "is not a folder"),
        (lambda root: root.mkdir(), "at least two classes.*none"),
        (lambda root: picture(root / "worn" / "a.png"), "only 'worn'"),
        (lambda root: (picture(root / "worn" / "a.png"), (root / "intact").mkdir()), "no usable image in .*intact"),
        (
            lambda root: (
                picture(root / "worn" / "a.png"),
                (root / "intact").mkdir(),
                (root / "intact" / "a.jpg").write_text("no"),
            ),
            r"intact.*a\.jpg: not an image",
        ),
    ],
    ids=["missing", "a file", "empty", "one class", "class without files", "class without images"],
)
def test_a_folder_that_is_no_labelled_set_says_what_is_missing(tmp_path, arrange, message):
    arrange(tmp_path / "set")
    with pytest.raises(DatasetError, match=message):
        scan(tmp_path / "set")


def test_images_that_fail_later_are_taken_out_with_their_groups(folder):
    (folder / "labels.csv").write_text("file,group\n10.png,x\n9.png,y\nc.png,y\na.png,z\nb.png,x\n")
    found = scan(folder)
    fewer = found.without([(found.files[1], "gone")])
    assert [file.name for file in fewer.files] == ["10.png", "c.png", "a.png", "b.png"]
    assert fewer.labels.tolist() == [0, 0, 1, 1]
    assert fewer.groups.tolist() == [0, 1, 2, 0]
    assert fewer.skipped == ((found.files[1], "gone"),)
    with pytest.raises(DatasetError, match="worn"):
        fewer.without([(file, "gone") for file in fewer.files[2:]])


@pytest.mark.parametrize(
    ("text", "wanted", "column"),
    [
        ("file,group\n10.png,x\n9.png,y\nc.png,y\na.png,z\nb.png,x\n", None, "group"),
        ("file,insert\nintact/10.png,x\nintact\\9.png,y\nc.png,y\nworn/a.png,z\nb.png,x\n", None, "insert"),
        (
            "﻿class,file,head\nintact,10.png,x\nintact,9.png,y\nintact,c.png,y\nworn,a.png,z\nworn,b.png,x\n",
            "head",
            "head",
        ),
    ],
)
def test_groups_come_from_labels_csv(folder, text, wanted, column):
    (folder / "labels.csv").write_text(text, "utf-8")
    found = scan(folder, wanted)
    assert (found.groups.tolist(), found.group_column) == ([0, 1, 1, 2, 0], column)


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        (None, "head", "no .*labels.csv"),
        ("file,group\na.png,x\n", "head", "columns"),
        ("name,group\na.png,x\n", None, "it needs 'file' and 'group'"),
        ("file,group\na.png,x\nb.png,\n", None, "names no 'group' for 4 of 5"),
        ("file,group\na.png,x\na.png,y\n", None, "two groups"),
        (b"file,group\n\x81\xfe,1\n", None, "UTF-8"),
    ],
)
def test_a_labels_csv_that_does_not_give_the_groups_says_why(folder, text, wanted, message):
    if text is not None:
        (folder / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DatasetError, match=message):
        scan(folder, wanted)


def test_a_bare_name_that_two_classes_have_must_name_the_class(folder):
    picture(folder / "intact" / "a.png")
    (folder / "labels.csv").write_text("file,group\n10.png,x\n9.png,y\nc.png,y\na.png,z\nb.png,x\n")
    with pytest.raises(DatasetError, match=r"write it with its class, like intact/a\.png"):
        scan(folder)


def test_what_systems_leave_in_folders_is_neither_class_nor_image(folder):
    for name in ("@eaDir", "__MACOSX", "$RECYCLE.BIN", ".Trash-1000", "#recycle", "System Volume Information"):
        picture(folder / name / "x.png")
        picture(folder / "worn" / name / "x.png")
    for name in ("._a.png", "Thumbs.db", "desktop.ini", ".DS_Store", "~$a.png"):
        (folder / "worn" / name).write_bytes(b"litter")
        (folder / name).write_bytes(b"litter")
    found = scan(folder)
    assert (found.classes, len(found.files), found.skipped, found.notes) == (("intact", "worn"), 5, (), ())


def test_a_photograph_in_two_classes_is_said_and_left_out_of_both(folder):
    picture(folder / "worn" / "c.png")
    (folder / "intact" / "copy.png").write_bytes((folder / "worn" / "a.png").read_bytes())
    Image.open(folder / "worn" / "b.png").save(folder / "intact" / "other.bmp")  # the same pixels in another file
    found = scan(folder)
    assert {f"{file.parent.name}/{file.name}": reason for file, reason in found.skipped} == {
        f"{one}": f"the same photograph is also there as {other}: left out of both classes"
        for pair in (("worn/a.png", "intact/copy.png"), ("worn/b.png", "intact/other.bmp"))
        for one, other in (pair, pair[::-1])
    }
    assert [file.name for file in found.files] == ["10.png", "9.png", "c.png", "c.png"]


def test_a_photograph_that_is_there_twice_counts_once(folder):
    (folder / "worn" / "z.png").write_bytes((folder / "worn" / "a.png").read_bytes())
    found = scan(folder)
    assert found.skipped == ((folder / "worn" / "z.png", "the same photograph as worn/a.png: it counts once"),)
    assert len(found.files) == 5
    kept = scan(folder, keep_duplicates=True)
    assert (len(kept.files), kept.skipped) == (6, ())


def test_images_of_one_colour_are_not_taken_for_one_photograph(folder):
    for name in ("intact/white.png", "worn/white.bmp"):
        Image.new("RGB", (40, 30), "white").save(folder / name)
    assert len(scan(folder).files) == 7


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (
            ("train", "val", "test"),
            r"holds labelled sets, not classes: give me .*train or .*test or .*val \(classes intact, worn\)",
        ),
        (("inserts",), r"holds labelled sets, not classes: give me .*inserts \(classes intact, worn\)"),
    ],
)
def test_folders_of_labelled_sets_are_named(tmp_path, sets, message):
    for name in sets:
        for label in ("intact", "worn"):
            picture(tmp_path / "set" / name / label / "a.png")
    (tmp_path / "set" / "README.txt").write_text("a split set")
    with pytest.raises(DatasetError, match=message):
        scan(tmp_path / "set")


def test_images_beside_the_classes_are_said(folder, tmp_path):
    picture(folder / "lost.JPG")
    assert scan(folder).notes == (
        f"{folder} has 1 image directly in it, such as lost.JPG: they are in no class and are not used",
    )
    picture(tmp_path / "flat" / "a.png")
    picture(tmp_path / "flat" / "b.png")
    with pytest.raises(DatasetError, match=r"none, and 2 images directly in it, such as a\.png: sort them"):
        scan(tmp_path / "flat")


def test_names_with_brackets_accents_blanks_and_capitals_are_names(tmp_path):
    names = ("Kap Größe [alt]/[red].PNG", "Kap Größe [alt]/x [b] 1.JPG", "Schäden groß/ä b.BMP")
    for name in names:
        picture(tmp_path / "set [1]" / name)
    found = scan(tmp_path / "set [1]")
    assert (found.name, found.classes, found.skipped) == ("set [1]", ("Kap Größe [alt]", "Schäden groß"), ())
    assert tuple(f"{file.parent.name}/{file.name}" for file in found.files) == names


TURNED = Image.Exif()
TURNED[0x0112] = 6  # orientation: shown turned by 90°

KERAS_CASES = [
    ("RGB", "a.jpg", {}),
    ("RGB", "a.png", {}),
    (
        "RGB",
        "turned.jpg",
        {"exif": TURNED},
    ),
    ("L", "grey.jpg", {}),
    ("1", "line.png", {}),
    ("LA", "grey-alpha.png", {}),
    ("RGBA", "alpha.png", {}),
    ("P", "palette.png", {}),
    ("P", "palette.gif", {}),
    ("P", "clear.png", {"transparency": 3}),
    ("CMYK", "print.jpg", {}),
    ("CMYK", "print.tif", {}),
    ("RGB", "a.bmp", {}),
    ("RGB", "a.webp", {"lossless": True}),
]


@pytest.mark.slow  # Keras takes seconds to import
@pytest.mark.parametrize(("mode", "name", "options"), KERAS_CASES, ids=[name for _, name, _ in KERAS_CASES])
@pytest.mark.parametrize("size", [(224, 224), (299, 150), (30, 40)])
def test_an_image_is_read_as_keras_reads_it(tmp_path, mode, name, options, size):
    from keras.utils import img_to_array, load_img

    for width, height in ((40, 30), (301, 517), (224, 224)):
        picture(tmp_path / name, mode, (width, height), **options)
        expected = img_to_array(load_img(tmp_path / name, target_size=size))
        image = load_image(tmp_path / name, size)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("name", ["deep.png", "deep.tif"])
def test_a_deep_image_is_read_as_the_line_reads_it_not_clipped_to_white(tmp_path, bits, name):
    pixels = RNG.integers(0, 2**bits, (50, 60), np.uint16)
    Image.frombytes("I;16", (60, 50), pixels.tobytes()).save(tmp_path / name)
    picture = Image.fromarray((pixels >> (bits - 8)).astype(np.uint8)).convert("RGB")
    expected = np.asarray(picture.resize((224, 224), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(load_image(tmp_path / name, (224, 224)), expected)


def test_values_of_no_known_range_are_skipped_with_the_reason(tmp_path):
    Image.fromarray(np.full((50, 60), 70_000, np.int32)).save(tmp_path / "deep.tif")
    with pytest.raises(ImageUnreadable, match="save it with 8 or 16 bits"):
        load_image(tmp_path / "deep.tif", (224, 224))


@pytest.mark.parametrize("data", [b"", b"no", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" + bytes(200)])
def test_what_is_not_an_image_is_unreadable(tmp_path, data):
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(ImageUnreadable):
        load_image(tmp_path / "x.png")
