"""Downloads from a server on this machine that breaks off, ignores ranges, is busy, or changes its file."""

import hashlib
import io
import json
import re
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import full_disk
import pytest
from file_server import BODY, Server

from xlm_core.config import Download
from xlm_core.errors import DownloadError, StorageError
from xlm_core.text import download, source_check

SUM = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "BACKOFF", 0.0)
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def fetch(*urls: str, folder: Path, mirror=None, contact=None, **known) -> Path:
    output, source = folder / "file.gz", Download(urls, "free", **known)
    download.fetch(source, output, mirror=mirror, record=folder / "record.json", contact=contact)
    return output


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_comes_with_its_record(server, tmp_path):
    assert fetch(server.url, folder=tmp_path, sha256=SUM, n_bytes=len(BODY)).read_bytes() == BODY
    assert json.loads((tmp_path / "record.json").read_text()) == {
        "url": server.url,
        "sha256": SUM,
        "bytes": len(BODY),
        "licence": "free",
        "retrieved_from": "network",
    }
    assert names(tmp_path) == {"file.gz", "record.json"}


def test_a_request_names_the_project(server, tmp_path):
    """Servers such as dumps.wikimedia.org answer the library's own name with 403."""
    server.breaks = [100_000]
    fetch(server.url, folder=tmp_path)
    assert set(server.agents) == {download.user_agent()} and len(server.agents) == 2
    assert re.fullmatch(r"xlm-core/\d\S+ \(.*cross-lingual language model pretraining\)", server.agents[0])


def test_a_download_that_breaks_off_goes_on_where_it_was(server, tmp_path):
    server.breaks = [100_000, 50_000]
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY
    assert server.seen == ["", "bytes=100000-", "bytes=150000-"]


def test_a_truncated_download_is_an_error_and_the_next_run_goes_on(server, tmp_path):
    server.breaks = [100_000, 0, 0]
    with pytest.raises(DownloadError, match="100000 bytes in 3 attempts"):
        fetch(server.url, folder=tmp_path)
    assert names(tmp_path) == {".file.gz.partial", ".file.gz.partial.etag"}
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY
    assert server.seen[-1] == "bytes=100000-"
    assert names(tmp_path) == {"file.gz", "record.json"}


def test_a_full_disk_is_an_error_and_the_next_run_goes_on(server, tmp_path):
    with full_disk.room_for(100_000), pytest.raises(StorageError, match=r"file\.gz could not be written"):
        fetch(server.url, folder=tmp_path)
    assert names(tmp_path) == {".file.gz.partial", ".file.gz.partial.etag"}
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY
    assert server.seen == ["", "bytes=100000-"]


def test_a_copy_that_has_no_room_leaves_nothing(tmp_path):
    (tmp_path / "mirror" / "host").mkdir(parents=True)
    (tmp_path / "mirror" / "host" / "file.gz").write_bytes(BODY)
    (tmp_path / "raw").mkdir()
    with full_disk.room_for(100_000), pytest.raises(StorageError, match=r"raw/file\.gz could not be written"):
        fetch("http://host/file.gz", folder=tmp_path / "raw", mirror=tmp_path / "mirror")
    assert names(tmp_path / "raw") == set()


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges, server.breaks = False, [100_000]
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.breaks = [100_000, 0, 0]
    with pytest.raises(DownloadError):
        fetch(server.url, folder=tmp_path)
    server.body, server.tag = BODY[::-1], '"v2"'
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY[::-1]


def test_a_part_that_is_whole_already_needs_no_more_bytes(server, tmp_path):
    (tmp_path / ".file.gz.partial").write_bytes(BODY)
    assert fetch(server.url, folder=tmp_path, sha256=SUM).read_bytes() == BODY
    assert server.seen == [f"bytes={len(BODY)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / ".file.gz.partial").write_bytes(BODY + b"more")
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429]
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY


def test_an_absent_file_is_an_error_at_once(server, tmp_path):
    server.statuses = [404]
    with pytest.raises(DownloadError, match="404 Not Found; check the URL"):
        fetch(server.url, folder=tmp_path)
    assert len(server.seen) == 1 and not names(tmp_path)


def test_a_compressed_file_announced_as_an_encoding_stays_compressed(server, tmp_path):
    server.headers = {"Content-Encoding": "x-gzip"}
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"n_bytes": 7}])
def test_a_wrong_sum_or_size_removes_the_part(server, tmp_path, known):
    with pytest.raises(DownloadError, match=r"expected (0000|7;)"):
        fetch(server.url, folder=tmp_path, **known)
    assert not names(tmp_path)


def test_later_downloads_must_equal_the_first(server, tmp_path):
    fetch(server.url, folder=tmp_path).unlink()
    fetch(server.url, folder=tmp_path).unlink()
    server.body = BODY[:-1]
    with pytest.raises(DownloadError, match=r"delete the record .*record\.json"):
        fetch(server.url, folder=tmp_path)
    assert names(tmp_path) == {"record.json"}
    (tmp_path / "record.json").unlink()
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY[:-1]


def test_the_mirror_comes_first_and_the_network_has_what_it_lacks(server, tmp_path, caplog):
    caplog.set_level("INFO")
    mirror = tmp_path / "mirror"
    folder = mirror / "127.0.0.1" / "folder"
    folder.mkdir(parents=True)
    first, second = tmp_path / "first", tmp_path / "second"
    fetch(server.url, folder=second, mirror=mirror)
    assert "not in the mirror" in caplog.text and len(server.seen) == 1
    (folder / "file one.gz").write_bytes(b"mirrored")
    assert fetch(server.url, folder=first, mirror=mirror).read_bytes() == b"mirrored"
    assert json.loads((first / "record.json").read_text())["retrieved_from"] == "mirror"
    assert len(server.seen) == 1 and names(first) == {"file.gz", "record.json"}


def archive_of(**members: bytes) -> bytes:
    """A tar, compressed with gzip."""
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in members.items():
                (info := tarfile.TarInfo(f"folder/{name}.txt")).size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return buffer.getvalue()


def test_a_member_of_an_archive_stands_for_a_file(server, tmp_path, caplog):
    server.files["/all.tar.gz"] = archive_of(en=b"one\n", fr=b"un\n")
    archive = server.url.replace("folder/file%20one.gz", "all.tar.gz")
    known = {"sha256": hashlib.sha256(b"un\n").hexdigest(), "n_bytes": 3}
    server.statuses = [403]
    assert fetch(server.url, f"{archive}#fr.txt", folder=tmp_path, **known).read_bytes() == b"un\n"
    assert "403 Forbidden" in caplog.text and names(tmp_path) == {"file.gz", "record.json"}
    assert json.loads((tmp_path / "record.json").read_text())["url"] == f"{archive}#fr.txt"
    mirror = tmp_path / "mirror/127.0.0.1"
    mirror.mkdir(parents=True)
    (mirror / "all.tar.gz").write_bytes(server.files["/all.tar.gz"])
    mirrored = fetch(server.url, f"{archive}#en.txt", folder=tmp_path / "2", mirror=mirror.parent)
    assert mirrored.read_bytes() == b"one\n" and names(mirrored.parent) == {"file.gz", "record.json"}


@pytest.mark.parametrize(("content", "member"), [(archive_of(en=b"one"), "fr.txt"), (b"no archive", "en.txt")])
def test_an_archive_without_the_member_leaves_nothing(server, tmp_path, content, member):
    server.files["/all.tar.gz"] = content
    archive = server.url.replace("folder/file%20one.gz", "all.tar.gz")
    with pytest.raises(DownloadError, match=r"all\.tar\.gz#.*(broken|0 members fr\.txt)"):
        fetch(f"{archive}#{member}", folder=tmp_path)
    assert names(tmp_path) == set()
    assert fetch(f"{archive}#{member}", server.url, folder=tmp_path).read_bytes() == BODY


def test_another_file_at_the_second_address_is_refused(server, tmp_path):
    other = server.url.replace("folder", "other")
    server.files["/other/file%20one.gz"] = b"another"
    assert fetch(other, server.url, folder=tmp_path, sha256=SUM).read_bytes() == BODY
    with pytest.raises(DownloadError, match=r"(?s)expected 00.*\n.*expected 00"):
        fetch(other, server.url, folder=tmp_path, sha256="0" * 64)
    (tmp_path / "record.json").unlink()
    fetch(server.url, folder=tmp_path)
    with pytest.raises(DownloadError, match=r"fetched first, from .*/folder/file.*the two addresses have different"):
        fetch(other, folder=tmp_path)


def test_a_mirror_may_hold_a_short_file_and_says_so(tmp_path, caplog):
    (tmp_path / "mirror/host").mkdir(parents=True)
    (tmp_path / "mirror/host/file.gz").write_bytes(b"short")
    fetched = fetch("http://host/file.gz", folder=tmp_path, mirror=tmp_path / "mirror", sha256=SUM, n_bytes=len(BODY))
    assert fetched.read_bytes() == b"short"
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "not the published one: 5 bytes, expected 300000" in warning.message and warning.is_shown


@pytest.mark.parametrize("url", ["ftp://host/file", "file:///etc/hosts", "host/file"])
def test_only_http(url, tmp_path):
    with pytest.raises(DownloadError, match="expected http"):
        fetch(url, folder=tmp_path)


def test_an_address_does_not_lead_out_of_the_mirror(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "mirror" / "host").mkdir(parents=True)
    with pytest.raises(DownloadError, match="leads out of the mirror"):
        fetch("http://host/%2e%2e/%2e%2e/secret", folder=tmp_path, mirror=tmp_path / "mirror")


def test_a_server_that_wants_a_contact_gets_it(server, tmp_path):
    server.needs_contact = True
    with pytest.raises(DownloadError, match=r"403 Forbidden; it may refuse programs .* set 'contact'"):
        fetch(server.url, folder=tmp_path)
    assert fetch(server.url, folder=tmp_path, contact="me@example.org").read_bytes() == BODY
    assert server.agents[-1].endswith("; me@example.org)")


def test_a_busy_server_is_asked_when_it_says_so(server, tmp_path, caplog, monkeypatch):
    server.statuses, server.retry_after = [429, 503], "7"
    waits = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", waits.append)
    assert fetch(server.url, folder=tmp_path).read_bytes() == BODY
    assert waits == [7, 7]
    assert [record.args[1:] for record in caplog.records if record.levelname == "WARNING"] == [(429, 7), (503, 7)]


def test_a_server_that_stays_busy_is_an_error_with_its_remedy(server, tmp_path):
    server.statuses = [503] * 9
    with pytest.raises(DownloadError, match="503 Service Unavailable; run again later"):
        fetch(server.url, folder=tmp_path)


def test_the_next_address_is_tried(server, tmp_path, caplog):
    dead = server.url.replace("folder", "nowhere")
    server.statuses = [404]
    assert fetch(dead, server.url, folder=tmp_path).read_bytes() == BODY
    assert "404 Not Found; check the URL; the next address is tried" in caplog.text
    assert json.loads((tmp_path / "record.json").read_text())["url"] == server.url
    server.statuses = [404, 404]
    (tmp_path / "file.gz").unlink()
    with pytest.raises(DownloadError, match=r"(?s)nowhere.*404.*\n.*folder.*404"):
        fetch(dead, server.url, folder=tmp_path)


def test_parts_of_different_addresses_are_not_mixed(server, tmp_path):
    other = server.url.replace("folder", "other")
    server.breaks, server.tag = [100_000, 0, 0, 50_000], '"one"'
    assert fetch(other, server.url, folder=tmp_path).read_bytes() == BODY
    assert server.seen == ["", "bytes=100000-", "bytes=100000-", "", "bytes=50000-"]


def test_the_sums_of_the_publisher_are_checked_where_there_are_some(server, tmp_path, caplog):
    sums = server.url.replace("file%20one.gz", "xwiki-latest-sha1sums.txt")
    url, path = server.url.replace("file%20one", "xwiki-latest-pages"), sums.split(str(server.server_port))[1]
    right = hashlib.sha1(BODY).hexdigest()
    server.files[path] = f"{'0' * 40}  xwiki-20261101-other.gz\n{right}  xwiki-20261101-pages.gz\n".encode()
    assert fetch(url, folder=tmp_path, checksums=sums).read_bytes() == BODY and not caplog.records
    (tmp_path / "file.gz").unlink()
    server.files[path] = server.files[path].replace(right.encode(), b"1" * 40)
    with pytest.raises(DownloadError, match=f"SHA-1 {right}, expected {'1' * 40} by .*sha1sums"):
        fetch(url, folder=tmp_path, checksums=sums)
    assert names(tmp_path) == {"record.json"}
    server.files[path] = b"nothing of it"
    assert fetch(url, folder=tmp_path, checksums=sums).read_bytes() == BODY
    assert "has no sum of xwiki-pages.gz" in caplog.text


def test_a_dump_that_moved_on_has_two_ways_out(server, tmp_path):
    fetch(server.url, folder=tmp_path, date="latest").unlink()
    server.body = BODY[:-1]
    with pytest.raises(
        DownloadError, match=r"moved on; to accept .* delete the record .*, or name the date of the old"
    ):
        fetch(server.url, folder=tmp_path, date="latest")


def test_every_address_is_asked_for_its_headers(server, tmp_path):
    server.tag = '"x"'
    server.headers = {"Last-Modified": "Mon, 02 Nov 2026 00:00:00 GMT"}
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"bytes": len(BODY)}))
    there, none = Download([server.url]), Download(["ftp://host/file", "http://127.0.0.1:1/x"])
    known = Download([server.url], n_bytes=7)
    table = source_check.check([(there, record), (none, tmp_path / "none"), (known, tmp_path / "none")], None)
    assert list(table["answer"]) == ["200 OK", "DownloadError", "ConnectionError", "200 OK"]
    assert list(table["size"]) == ["as expected", "", "", "differs: 7 expected"]
    assert table["bytes"].iloc[0] == len(BODY) and table["date"].iloc[0].startswith("Mon, 02 Nov 2026")
    source_check.require_reachable(table, [there, known])
    with pytest.raises(
        DownloadError, match="1 of 3 files are at none of their addresses, the first being ftp://host/f"
    ):
        source_check.require_reachable(table, [there, none, known])
    text = source_check.as_text(table)
    assert "300,000" in text and "| no " in text


@pytest.mark.parametrize(
    ("statuses", "answer", "n_bytes"),
    [
        ([], "200 OK", 300_000),
        ([405], "206 Partial Content", 300_000),
        ([404, 404], "404 Not Found", None),
        ([403, 403], "403 Forbidden", None),
        ([429] * 9, "429 Too Many Requests", None),
        ([503] * 9, "503 Service Unavailable", None),
    ],
)
def test_what_servers_answer(server, statuses, answer, n_bytes):
    server.statuses = statuses
    with download.open_session(None) as session:
        response = source_check.ask(session, server.url)
    assert (response.status, response.n_bytes, response.is_reachable) == (answer, n_bytes, n_bytes is not None)


def test_a_moved_file_is_followed(server, tmp_path):
    old = server.url.replace("folder", "old")
    server.statuses, server.location = [301], server.url
    assert fetch(old, folder=tmp_path).read_bytes() == BODY
    server.statuses = [301]
    with download.open_session(None) as session:
        assert source_check.ask(session, old)[:3] == ("200 OK", True, len(BODY))
