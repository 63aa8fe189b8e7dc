from benchmarks.start import PACKAGES, import_seconds


def test_the_packages_are_there_and_are_of_others():
    assert not [name for name in PACKAGES if name.startswith(("worker", "db", "producer"))]
    assert 0.05 < import_seconds() < 60, "it fails where one is missing"
