"""One reader of `labels.csv`, however a spreadsheet has saved it and whatever it calls the files."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from worker.dataset.labels_table import Grouping, TableError, read_groups

NAMES = ("intact/a.png", "intact/b.png", "worn/c.png")
PLAIN = "file,insert\nintact/a.png,x\nintact/b.png,x\nworn/c.png,y\n"


def grouped(root: Path, data: str | bytes, names: tuple[str, ...] = NAMES, **options: object) -> Grouping:
    root.mkdir(exist_ok=True)
    (root / "labels.csv").write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_groups(root, [root / name for name in names], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " | "),
        "﻿" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("file,insert", " File , INSERT "),
        PLAIN.replace("file,insert", "file, Insert,note"),
        PLAIN.replace(",x", ", x ").replace("\n", "\n\n") + ",\n , \n",
        '"file";"insert"\n"intact/a.png";"x"\n"intact/b.png";"x"\n"worn/c.png";"y"\n',
        PLAIN.replace("/", "\\"),
        PLAIN.replace("intact/", "").replace("worn/", ""),
        PLAIN.replace("intact/", "C:\\cam\\7\\").replace("worn/", "./"),
        PLAIN.replace("intact/", "/data/set/intact/"),
        "insert,class,file\nx,intact,a.png\nx,intact,b.png\ny,worn,c.png\n",
    ],
    ids=lambda data: repr(data[:24]),
)
def test_a_table_is_read_however_it_was_saved(tmp_path: Path, data: str | bytes) -> None:
    found = grouped(tmp_path / "set", data)
    assert (found.column, found.groups, found.notes) == ("insert", ("x", "x", "y"), ())


def test_names_are_the_same_however_their_accents_are_stored(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "größe/ä [1].png") for form in ("NFC", "NFD"))
    assert composed != apart
    for file, named in ((composed, apart), (apart, composed)):
        found = grouped(tmp_path / "set", f"file,group\n{named},x\n", (file,))
        assert (found.groups, found.notes) == (("x",), ())


def test_a_name_in_other_capitals_is_taken_and_said(tmp_path: Path) -> None:
    found = grouped(tmp_path / "set", PLAIN.replace("worn/c.png", "Worn/C.PNG"))
    assert found.groups == ("x", "x", "y")
    assert found.notes == (
        (
            "labels.csv: 1 name written in other letters than the file's (capital or small), the first is 'Worn/C.PNG' "
            "in line 4; taken all the same"
        ),
    )


def test_capitals_tell_files_apart_where_the_names_are_exact(tmp_path: Path) -> None:
    found = grouped(tmp_path / "set", "file,group\nw/a.png,x\nw/A.png,y\n", ("w/a.png", "w/A.png"))
    assert (found.groups, found.notes) == (("x", "y"), ())


def test_windows_letters_are_read_and_said(tmp_path: Path) -> None:
    found = grouped(tmp_path / "set", PLAIN.replace(",x", ",Jürgen").encode("cp1252"))
    assert found.groups == ("Jürgen", "Jürgen", "y")
    assert "Windows-1252" in found.notes[0]


def test_every_row_that_is_not_understood_is_said(tmp_path: Path) -> None:
    data = PLAIN + "worn/gone.png,z\n\nworn/lost.png,z\nworn/used.png,k\nworn/c.png,y,too,many\n"
    found = grouped(tmp_path / "set", data, beside=[tmp_path / "set" / "worn" / "used.png"])
    assert found.groups == ("x", "x", "y")
    assert found.notes == (
        (
            "labels.csv: 1 line with more cells than the header has, the first is line 9 with 4 instead of 2: "
            "text with a ',' in it needs quotes"
        ),
        "labels.csv: 2 rows that name no image here, the first is 'worn/gone.png' in line 5",
    )


@pytest.mark.parametrize("header", ["file,class", "file,label,insert"])
def test_a_row_with_another_class_than_the_image_s_folder_is_said(tmp_path: Path, header: str) -> None:
    data = f"{header}\nintact/a.png,Worn,x\nintact/b.png,good,x\nworn/c.png,worn,y\n"
    found = grouped(tmp_path / "set", data)
    (note,) = (note for note in found.notes if "another class" in note)
    assert "1 row with another class than the image's folder, the first is intact/a.png with 'Worn' in line 2" in note


def test_a_table_without_a_group_says_so_and_one_that_is_no_csv_too(tmp_path: Path) -> None:
    found = grouped(tmp_path / "set", "file;setup\nintact/a.png;1\n")
    assert found.groups is None
    assert found.notes[0].startswith("labels.csv has the columns file, setup, and none of them is group or insert")
    (tmp_path / "set" / "labels.csv").rename(tmp_path / "set" / "Labels.xlsx")
    found = read_groups(tmp_path / "set", [tmp_path / "set" / name for name in NAMES])
    assert found.groups is None
    assert found.notes == ("Labels.xlsx is not read: save it as labels.csv, with the columns file and group",)


def test_a_column_that_is_not_required_may_be_absent(tmp_path: Path) -> None:
    found = grouped(tmp_path / "set", PLAIN, column="setup", required=False)
    assert (found.column, found.groups) == (None, None)
    assert found.notes[0].startswith("labels.csv has the columns file, insert, and none of them is setup")
    (tmp_path / "set" / "labels.csv").unlink()
    found = read_groups(tmp_path / "set", [], column="setup", required=False)
    assert found.groups is None
    assert found.notes == (f"there is no {tmp_path / 'set' / 'labels.csv'} to take the groups from",)


@pytest.mark.parametrize("name", ["label.csv", "labels (1).csv", "inserts.csv", "groups.xlsx"])
def test_a_table_with_another_name_is_said(tmp_path: Path, name: str) -> None:
    grouped(tmp_path / "set", "file;setup\nintact/a.png;1\n")
    (tmp_path / "set" / "labels.csv").rename(tmp_path / "set" / name)
    found = read_groups(tmp_path / "set", [tmp_path / "set" / name for name in NAMES])
    assert found.notes == (f"{name} is not read: save it as labels.csv, with the columns file and group",)


def test_the_name_of_the_table_may_have_capitals_and_the_column_asked_for_too(tmp_path: Path) -> None:
    (tmp_path / "LABELS.CSV").write_text("File;Set Up\na.png;1\nb.png;1\nc.png;2\n")
    found = read_groups(tmp_path, [tmp_path / name for name in NAMES], column="set up ")
    assert (found.column, found.groups) == ("set up", ("1", "1", "2"))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ("", {}, "is empty"),
        (";;\n;;\n", {}, "is empty"),
        ("file,group,Group\n", {}, "the column 'group' twice"),
        ("name;group\na.png;x\n", {}, "has the columns name, group; it needs 'file' and 'group'"),
        ("file,group\na.png,x\n", {"column": "setup"}, "has the columns file, group; it needs 'file' and 'setup'"),
        ("file,group\na.png,x\n", {}, r"names no 'group' for 2 of 3 images, the first is intact/b\.png"),
        (PLAIN.replace(",y", ","), {}, r"names no 'insert' for 1 of 3 images, the first is worn/c\.png"),
        (PLAIN.replace("worn/", "wrong/").replace("c.png", "d.png"), {}, "1 row that name no image here"),
        (
            "# our labels, by hand\n" + PLAIN,
            {},
            "has its header in line 2: the first line must be the header; remove",
        ),
        ("Labels of May\n\n" + PLAIN.replace(",", ";"), {}, "has its header in line 3"),
        ('sep=;\n# made by hand\n"insert" ; "File"\nx;a.png\n', {}, "has its header in line 3"),
        (PLAIN + "worn/c.png,z\n", {}, r"puts worn/c\.png into two groups, 'y' and 'z'"),
        (b"file,group\n\x81\x8d,1\n", {}, "in no encoding"),
        (b"\xff\xfe" + b"odd", {}, "in no encoding"),
        (b"file,group\n" + b"a" * 300 + b"\0,1\n", {}, "is not a table"),
        ('file,group\n"' + "x" * 200_000 + '",1\n', {}, "is not a table that can be read"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    tmp_path: Path, data: str | bytes, options: dict[str, str], message: str
) -> None:
    with pytest.raises(TableError, match=message):
        grouped(tmp_path / "set", data, **options)


def test_a_quote_that_is_never_closed_does_not_put_the_whole_table_into_the_message(tmp_path: Path) -> None:
    rows = "".join(f"intact/{number:03}.png,x\n" for number in range(500))
    with pytest.raises(TableError, match="names no 'insert' for 3 of 3") as refused:
        grouped(tmp_path / "set", f'file,insert\n"{rows}')
    assert "intact/000.png,x intact/001.png,x" in str(refused.value)
    assert len(str(refused.value)) < 500 + len(str(tmp_path))


def test_a_bare_name_that_fits_several_images_must_name_its_class(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"line 2, which fits several images: .* like worn/a\.png"):
        grouped(tmp_path / "set", "file,group\na.png,x\n", ("worn/a.png", "intact/a.png"))


def test_a_table_that_is_no_file_is_no_missing_table(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    for make, kind in (
        (table.mkdir, "a folder"),
        (lambda: table.symlink_to("gone.csv"), r"a link to gone\.csv, where nothing is"),
        (lambda: os.mkfifo(table), "a pipe or a device"),
    ):
        make()
        with pytest.raises(TableError, match=rf"labels\.csv is {kind}, not a table"):
            read_groups(tmp_path, [tmp_path / name for name in NAMES])
        table.rmdir() if kind == "a folder" else table.unlink()


def test_a_link_to_a_table_is_the_table(tmp_path: Path) -> None:
    (tmp_path / "of-may.csv").write_text(PLAIN)
    (tmp_path / "labels.csv").symlink_to("of-may.csv")
    assert read_groups(tmp_path, [tmp_path / name for name in NAMES]).groups == ("x", "x", "y")


@pytest.mark.parametrize("name", ["labels.csv.txt", "labels.txt", "Labels.CSV.txt", "labels", "labels.ods"])
def test_a_table_with_another_ending_is_said_and_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(PLAIN)
    files = [tmp_path / name for name in NAMES]
    note = f"{name} is not read: save it as labels.csv, with the columns file and group"
    assert read_groups(tmp_path, files) == Grouping(notes=(note,))
    with pytest.raises(TableError, match=rf"there is no .*labels\.csv to take the groups from \({name} is not read"):
        read_groups(tmp_path, files, column="insert")
    (tmp_path / "labels.csv").write_text(PLAIN)
    assert read_groups(tmp_path, files).notes == ()


def test_two_tables_whose_names_differ_in_capitals_are_one_too_many(tmp_path: Path) -> None:
    for name in ("labels.csv", "Labels.csv"):
        (tmp_path / name).write_text(PLAIN)
    with pytest.raises(TableError, match=r"has Labels\.csv and labels\.csv: keep the one that is to be read"):
        read_groups(tmp_path, [tmp_path / name for name in NAMES])


def test_groups_whose_names_differ_in_capitals_are_taken_as_they_are_and_said(tmp_path: Path) -> None:
    written = "file,insert\nintact/a.png,Platte 0\nintact/b.png,PLATTE  0\nworn/c.png,Platte 1\n"
    found = grouped(tmp_path / "set", written)
    assert found.groups == ("Platte 0", "PLATTE  0", "Platte 1")
    assert found.notes == (
        (
            "labels.csv: 1 insert in other letters too (capital or small), the first is 'PLATTE  0' and 'Platte 0'; "
            "taken for different ones, and if they are one, the grouped scores leak"
        ),
    )


def test_groups_are_the_same_however_their_accents_are_stored(tmp_path: Path) -> None:
    composed, apart = (unicodedata.normalize(form, "Größe") for form in ("NFC", "NFD"))
    found = grouped(tmp_path / "set", f"file,insert\nintact/a.png,{composed}\nintact/b.png, {apart} \nworn/c.png,y\n")
    assert (found.groups, found.notes) == ((composed, composed, "y"), ())
