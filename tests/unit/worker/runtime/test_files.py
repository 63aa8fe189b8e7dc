import pytest

from worker.runtime.files import replaced_file, replaced_folder


def fail_halfway(path):
    path.write_text("half")
    raise RuntimeError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    with replaced_file(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(RuntimeError), replaced_file(path) as temporary:
        fail_halfway(temporary)
    assert path.read_text() == "one"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "deep" / "model"
    for text in ("one", "two"):
        with replaced_folder(folder) as temporary:
            (temporary / text).write_text(text)
    assert [each.name for each in folder.iterdir()] == ["two"]
    with pytest.raises(RuntimeError), replaced_folder(folder) as temporary:
        fail_halfway(temporary / "half")
    assert [each.name for each in folder.iterdir()] == ["two"]
    assert [each.name for each in folder.parent.iterdir()] == ["model"]
