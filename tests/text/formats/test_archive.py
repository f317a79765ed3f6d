"""Archives that are sound, broken, or malicious."""

import io
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlm_core.errors import ArchiveError
from xlm_core.io import zstd
from xlm_core.text.formats import archive

TEXT = "".join(f"line {n} of a text\n" for n in range(5000)).encode()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes], compression: str = "gz", **header: object) -> Path:
    """A tar of these files; ``header`` sets fields of the last one's header."""
    with tarfile.open(path, f"w:{compression}") as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for field, value in header.items() if name == list(files)[-1] else ():
                setattr(info, field, value)
            file.addfile(info, io.BytesIO(data))
    return path


def with_right_sum(tar: bytes) -> bytes:
    """A tar whose first header says the sum of its own bytes, the place of the sum counted as blanks."""
    total = sum(tar[:148]) + 8 * ord(" ") + sum(tar[156:512])
    return tar[:148] + b"%06o\0 " % total + tar[156:]


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
    with pytest.raises(ArchiveError, match=r"a\.tgz: member .* leads out of its folder"):
        archive.members(tarred(tmp_path / "a.tgz", {"good": b"x", name: b"y"}))
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


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"?"]
)
def test_what_is_no_file_in_a_tar_is_refused(tmp_path, kind):
    path = tarred(tmp_path / "a.tgz", {"good": TEXT, "odd": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(ArchiveError, match=r"a\.tgz: member 'odd' is a link or a device"):
        archive.members(path)
    with pytest.raises(ArchiveError, match="'odd' is a link or a device"):
        read(path, "odd")


def test_an_encrypted_member_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    data = bytearray(path.read_bytes())
    data[6] |= 1  # the flag in the member's own header, and in the directory
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="member 'text' is encrypted, expected a file"):
        read(path, "text")


def test_a_member_without_a_name_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"x": b""})
    data = bytearray(path.read_bytes().replace(b"x", b""))
    own, listed = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    data[own + 26] = data[listed + 28] = 0  # the lengths of its name
    end = data.index(b"PK\x05\x06")
    data[end + 12 : end + 20] = (end - listed).to_bytes(4, "little") + listed.to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"a\.zip: broken"):
        archive.members(path)


def test_a_member_that_is_said_to_lie_at_the_end_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    data = bytearray(path.read_bytes())
    listed = data.rindex(b"PK\x01\x02")
    data[listed + 42 : listed + 46] = (len(data) - 5).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="member text: broken"):
        read(path, "text")


def test_a_member_that_declares_too_much_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    with pytest.raises(ArchiveError, match=f"has {len(TEXT)} bytes, at most 1000 expected"):
        read(path, "text", max_bytes=1000)


def test_a_member_that_declares_less_than_it_holds_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"text": TEXT})
    data = bytearray(path.read_bytes())
    offset = data.rindex(b"PK\x01\x02") + 24
    data[offset : offset + 4] = (10).to_bytes(4, "little")
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


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_a_tar_of_any_compression_is_listed_and_read(tmp_path, compression):
    path = tmp_path / "a.zip"  # told apart by what is in it
    with tarfile.open(path, f"w:{compression}") as file:
        for name, data in {"folder": None, "folder/text.en": TEXT, "folder/text.fr": TEXT[:99], "empty": b""}.items():
            info = tarfile.TarInfo(name)
            info.type, info.size = (tarfile.DIRTYPE, 0) if data is None else (tarfile.REGTYPE, len(data))
            file.addfile(info, io.BytesIO(data or b""))
    assert archive.members(path) == ["folder/text.en", "folder/text.fr", "empty"]
    with archive.open_member(path, "folder/text.fr") as second, archive.open_member(path, "folder/text.en") as first:
        assert (first.read(), second.read()) == (TEXT, TEXT[:99])
    assert read(path, "empty") == b""
    with pytest.raises(ArchiveError, match=r"no member text\.fr; it holds folder, folder/text\.en, folder/text\.fr"):
        read(path, "text.fr")
    assert [item.name for item in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_off_tar_is_an_error(tmp_path, compression, share):
    path = tarred(tmp_path / "a.tar", {"text.en": TEXT, "text.fr": TEXT}, compression)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ArchiveError, match=r"a\.tar: broken \(.*put a whole one"):
        archive.members(path)
    with pytest.raises(ArchiveError, match=r"a\.tar(, member text\.fr)?: broken"):
        read(path, "text.fr")


@pytest.mark.parametrize("n_bytes", [-8, -1])
def test_a_gz_file_that_lacks_its_last_bytes_is_an_error(tmp_path, n_bytes):
    path = tarred(tmp_path / "a.tgz", {"text.en": TEXT})
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ArchiveError, match=r"a\.tgz: broken"):
        archive.members(path)


def test_a_tar_that_is_cut_between_two_members_is_an_error(tmp_path):
    path = tarred(tmp_path / "a.tar", {"text.en": TEXT, "text.fr": TEXT}, "")
    path.write_bytes(path.read_bytes()[: path.read_bytes().index(b"text.fr")])
    with pytest.raises(ArchiveError, match="cut off, or no tar member where one was expected"):
        archive.members(path)


def test_a_damaged_header_in_the_middle_of_a_tar_is_an_error(tmp_path):
    path = tarred(tmp_path / "a.tar", {"text.en": TEXT, "text.fr": TEXT}, "")
    path.write_bytes(path.read_bytes().replace(b"text.fr", b"next.fr"))  # the sum of its bytes is another one now
    with pytest.raises(ArchiveError, match="cut off, or no tar member where one was expected"):
        archive.members(path)


def test_a_tar_s_member_that_is_too_large_is_refused(tmp_path):
    path = tarred(tmp_path / "a.tgz", {"text": TEXT})
    assert read(path, "text", max_bytes=len(TEXT)) == TEXT
    with pytest.raises(ArchiveError, match=f"member text has {len(TEXT)} bytes, at most 1000 expected"):
        read(path, "text", max_bytes=1000)


def test_a_tar_s_header_that_would_fill_the_memory_is_refused(tmp_path):
    path = tarred(tmp_path / "a.tgz", {"text": b"x"}, pax_headers={"comment": "x" * (4 << 20)})
    with pytest.raises(ArchiveError, match=r"a\.tgz: broken \(a header of \d+ bytes, at most \d+ expected\)"):
        archive.members(path)


def test_a_tar_that_leads_in_a_circle_is_refused(tmp_path):
    path = tarred(tmp_path / "a.tgz", {"first": TEXT, "text": b""}, pax_headers={"size": "-4096"})
    with pytest.raises(ArchiveError, match=r"a\.tgz: broken"):
        archive.members(path)


def test_a_name_that_is_not_utf8_can_be_shown(tmp_path):
    path = tarred(tmp_path / "a.tar", {"text.xx": TEXT}, "")
    path.write_bytes(path.read_bytes().replace(b"text.xx\0", b"text.\xe9\xff\0", 1))
    path.write_bytes(with_right_sum(path.read_bytes()))
    with pytest.raises(ArchiveError) as error:
        read(path, "text.en")
    assert "it holds text.\ufffd" in str(error.value)


def test_a_large_tar_takes_little_memory(tmp_path):
    path = tarred(tmp_path / "a.tgz", {"first": bytes(50 << 20), "second": bytes(50 << 20)})
    tracemalloc.start()
    assert archive.members(path) == ["first", "second"]
    with archive.open_member(path, "second") as stream:
        n_bytes = sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 16), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_bytes == 50 << 20 and peak < 10 << 20


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 2500), byte=st.integers(0, 255))
def test_any_wrong_byte_is_read_or_refused_in_words(tmp_path, offset, byte):
    path = tarred(tmp_path / "a.tar", {"a" * 150: b"x" * 600, "b": b"y"}, "")
    data = bytearray(path.read_bytes())
    data[offset] = byte
    path.write_bytes(data)
    try:
        for name in archive.members(path):
            read(path, name)
    except ArchiveError as error:
        assert "a.tar" in str(error)


def test_a_damaged_tar_zst_is_refused(tmp_path):
    data = bytearray(zstd.compress(tarred(tmp_path / "a.tar", {"text": TEXT}, "").read_bytes()))
    data[4] |= 8  # a bit of the frame's header that has no meaning
    (tmp_path / "a.tar.zst").write_bytes(data)
    with pytest.raises(ArchiveError, match=r"a\.tar\.zst: broken"):
        archive.members(tmp_path / "a.tar.zst")
