import pytest

from producer.files.durable_folders import replaced_folder


def fail_halfway(path):
    path.write_text("half")
    raise RuntimeError


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
