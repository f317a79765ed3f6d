"""Downloads from a server on this machine that breaks off, ignores ranges, is busy, or changes its file."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import full_disk
import numpy as np
import pytest

from xlm_core.errors import DownloadError, StorageError
from xlm_core.text import download

BODY = np.random.default_rng([1]).bytes(300_000)
SUM = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """One file; ``breaks`` lists after how many bytes each answer breaks off, ``statuses`` what is answered first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.tag = BODY, '"v1"'
        self.breaks: list[int] = []
        self.statuses: list[int] = []
        self.ranges = True
        self.headers: dict[str, str] = {}
        self.seen: list[str] = []  # the Range of each request
        self.agents: list[str] = []  # the User-Agent of each request

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/folder/file%20one.gz"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.seen.append(asked)
        server.agents.append(self.headers.get("User-Agent", ""))
        if server.statuses:
            self.send_response(server.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        if asked and server.ranges and self.headers.get("If-Range", server.tag) == server.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(server.body) - start))
        self.send_header("ETag", server.tag)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        end = start + server.breaks.pop(0) if server.breaks else len(server.body)
        self.wfile.write(server.body[start:end])
        self.close_connection = True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "BACKOFF", 0.0)
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def fetch(url: str, folder: Path, mirror=None, sha256=None, expected_bytes=None) -> Path:
    output = folder / "file.gz"
    download.fetch(
        url,
        output,
        mirror=mirror,
        sha256=sha256,
        expected_bytes=expected_bytes,
        licence="free",
        record=folder / "record.json",
    )
    return output


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_comes_with_its_record(server, tmp_path):
    assert fetch(server.url, tmp_path, sha256=SUM, expected_bytes=len(BODY)).read_bytes() == BODY
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
    fetch(server.url, tmp_path)
    assert set(server.agents) == {download.user_agent()} and len(server.agents) == 2
    assert re.fullmatch(r"xlm-core/\d\S+ \(.*cross-lingual language model pretraining\)", server.agents[0])


def test_a_project_that_is_not_installed_has_a_name(monkeypatch):
    monkeypatch.setattr(download, "PROJECT", "xlm-core-from-a-folder")
    assert download.user_agent() == "xlm-core-from-a-folder (cross-lingual language model pretraining)"


def test_a_download_that_breaks_off_goes_on_where_it_was(server, tmp_path):
    server.breaks = [100_000, 50_000]
    assert fetch(server.url, tmp_path).read_bytes() == BODY
    assert server.seen == ["", "bytes=100000-", "bytes=150000-"]


def test_a_truncated_download_is_an_error_and_the_next_run_goes_on(server, tmp_path):
    server.breaks = [100_000, 0, 0]
    with pytest.raises(DownloadError, match="100000 bytes in 3 attempts"):
        fetch(server.url, tmp_path)
    assert names(tmp_path) == {".file.gz.partial", ".file.gz.partial.etag"}
    assert fetch(server.url, tmp_path).read_bytes() == BODY
    assert server.seen[-1] == "bytes=100000-"
    assert names(tmp_path) == {"file.gz", "record.json"}


def test_a_full_disk_is_an_error_and_the_next_run_goes_on(server, tmp_path):
    with full_disk.room_for(100_000), pytest.raises(StorageError, match=r"file\.gz could not be written"):
        fetch(server.url, tmp_path)
    assert names(tmp_path) == {".file.gz.partial", ".file.gz.partial.etag"}
    assert fetch(server.url, tmp_path).read_bytes() == BODY
    assert server.seen == ["", "bytes=100000-"]


def test_a_copy_that_has_no_room_leaves_nothing(tmp_path):
    (tmp_path / "mirror" / "host").mkdir(parents=True)
    (tmp_path / "mirror" / "host" / "file.gz").write_bytes(BODY)
    (tmp_path / "raw").mkdir()
    with full_disk.room_for(100_000), pytest.raises(StorageError, match=r"raw/file\.gz could not be written"):
        fetch("http://host/file.gz", tmp_path / "raw", mirror=tmp_path / "mirror")
    assert names(tmp_path / "raw") == set()


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges, server.breaks = False, [100_000]
    assert fetch(server.url, tmp_path).read_bytes() == BODY


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.breaks = [100_000, 0, 0]
    with pytest.raises(DownloadError):
        fetch(server.url, tmp_path)
    server.body, server.tag = BODY[::-1], '"v2"'
    assert fetch(server.url, tmp_path).read_bytes() == BODY[::-1]


def test_a_part_that_is_whole_already_needs_no_more_bytes(server, tmp_path):
    (tmp_path / ".file.gz.partial").write_bytes(BODY)
    assert fetch(server.url, tmp_path, sha256=SUM).read_bytes() == BODY
    assert server.seen == [f"bytes={len(BODY)}-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    (tmp_path / ".file.gz.partial").write_bytes(BODY + b"more")
    assert fetch(server.url, tmp_path).read_bytes() == BODY


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429]
    assert fetch(server.url, tmp_path).read_bytes() == BODY


def test_an_absent_file_is_an_error_at_once(server, tmp_path):
    server.statuses = [404]
    with pytest.raises(DownloadError, match="404 Not Found; check the URL"):
        fetch(server.url, tmp_path)
    assert len(server.seen) == 1 and not names(tmp_path)


def test_a_compressed_file_announced_as_an_encoding_stays_compressed(server, tmp_path):
    server.headers = {"Content-Encoding": "x-gzip"}
    assert fetch(server.url, tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("known", [{"sha256": "0" * 64}, {"expected_bytes": 7}])
def test_a_wrong_sum_or_size_removes_the_part(server, tmp_path, known):
    with pytest.raises(DownloadError, match=r"expected (0000|7;)"):
        fetch(server.url, tmp_path, **known)
    assert not names(tmp_path)


def test_later_downloads_must_equal_the_first(server, tmp_path):
    fetch(server.url, tmp_path).unlink()
    fetch(server.url, tmp_path).unlink()
    server.body = BODY[:-1]
    with pytest.raises(DownloadError, match=r"delete the record .*record\.json"):
        fetch(server.url, tmp_path)
    assert names(tmp_path) == {"record.json"}
    (tmp_path / "record.json").unlink()
    assert fetch(server.url, tmp_path).read_bytes() == BODY[:-1]


def test_the_mirror_comes_first_and_the_network_has_what_it_lacks(server, tmp_path, caplog):
    caplog.set_level("INFO")
    mirror = tmp_path / "mirror"
    folder = mirror / "127.0.0.1" / "folder"
    folder.mkdir(parents=True)
    first, second = tmp_path / "first", tmp_path / "second"
    fetch(server.url, second, mirror=mirror)
    assert "not in the mirror" in caplog.text and len(server.seen) == 1
    (folder / "file one.gz").write_bytes(b"mirrored")
    assert fetch(server.url, first, mirror=mirror).read_bytes() == b"mirrored"
    assert json.loads((first / "record.json").read_text())["retrieved_from"] == "mirror"
    assert len(server.seen) == 1 and names(first) == {"file.gz", "record.json"}


@pytest.mark.parametrize("url", ["ftp://host/file", "file:///etc/hosts", "host/file"])
def test_only_http(url, tmp_path):
    with pytest.raises(DownloadError, match="expected http"):
        fetch(url, tmp_path)


def test_an_address_does_not_lead_out_of_the_mirror(tmp_path):
    (tmp_path / "secret").write_text("x")
    (tmp_path / "mirror" / "host").mkdir(parents=True)
    with pytest.raises(DownloadError, match="leads out of the mirror"):
        fetch("http://host/%2e%2e/%2e%2e/secret", tmp_path, mirror=tmp_path / "mirror")
