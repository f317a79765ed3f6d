"""Archives that are sound, broken, or malicious."""

import stat
import zipfile
from pathlib import Path

import pytest

from xlm_core.errors import ArchiveError
from xlm_core.text import archive

TEXT = "".join(f"line {n} of a text\n" for n in range(5000)).encode()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def read(path: Path, member: str, **bound: int) -> bytes:
    with archive.open_member(path, member, **bound) as stream:
        return stream.read()


def test_members_are_listed_and_read(tmp_path):
    path = zipped(tmp_path / "a.zip", {"folder/": b"", "folder/text.en": TEXT, "empty": b""})
    assert archive.members(path) == ["folder/text.en", "empty"]
    assert read(path, "folder/text.en", max_bytes=len(TEXT)) == TEXT
    assert read(path, "empty") == b""
    assert [item.name for item in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/etc/out", "..\\out", "C:\\out", "C:out", "\\out", ".."])
def test_names_that_climb_out_are_refused(tmp_path, name):
    path = zipped(tmp_path / "a.zip", {"good": b"x", name: b"y"})
    for wanted in ("good", name):
        with pytest.raises(ArchiveError, match=r"a\.zip: member .* leads out of its folder"):
            read(path, wanted)
    with pytest.raises(ArchiveError, match="leads out of its folder"):
        archive.members(path)


def test_names_with_dots_are_fine(tmp_path):
    path = zipped(tmp_path / "a.zip", {"..a/b..c/...": b"x"})
    assert read(path, "..a/b..c/...") == b"x"


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="'link' is a link"):
        archive.members(tmp_path / "a.zip")


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header, and in the directory
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="text is encrypted"):
        read(path, "text")


def test_a_member_that_declares_too_much_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    with pytest.raises(ArchiveError, match=f"has {len(TEXT)} bytes, at most 1000 expected"):
        read(path, "text", max_bytes=1000)


def test_a_member_that_declares_less_than_it_holds_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02") + 24
    data[place : place + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="text"):
        read(path, "text", max_bytes=1000)


def test_an_absent_member_is_named_with_those_there_are(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text.en": TEXT})
    with pytest.raises(ArchiveError, match=r"no member text\.fr; it holds text\.en"):
        read(path, "text.fr")


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"<html>404</html>" * 100])
def test_what_is_no_zip_is_an_error(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"a\.zip: broken"):
        archive.members(tmp_path / "a.zip")


def test_a_cut_off_zip_is_an_error(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArchiveError, match=r"a\.zip: broken"):
        archive.members(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damage_that_shows_only_while_reading_names_archive_and_member(tmp_path, compression):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", compression) as file:
        file.writestr("text", TEXT)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[2000] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match=r"a\.zip, member text: broken"):
        read(tmp_path / "a.zip", "text")
