from pathlib import Path

from vestibule.dev.private_files import write_private


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    write_private(file, b"secret")
    assert file.read_bytes() == b"secret"
    assert file.stat().st_mode & 0o777 == 0o600


def test_open_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(b"old and much longer")
    file.chmod(0o644)
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600


def test_left_over_of_a_broken_run_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "key.pem.new").write_bytes(b"half")
    write_private(tmp_path / "key.pem", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["key.pem"]
    assert (tmp_path / "key.pem").read_bytes() == b"whole"
