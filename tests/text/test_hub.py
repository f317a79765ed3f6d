"""Files of the Hugging Face hub: from a cache that the test made, from another endpoint, or from nowhere."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import Server
from huggingface_hub import constants

from xlm_core import digests
from xlm_core.config import Download
from xlm_core.errors import DownloadError
from xlm_core.text import download, hub, source_check

COMMIT = "0123456789abcdef0123456789abcdef01234567"
URL = "https://huggingface.co/owner/model/resolve/{}/config.json"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with the branch "main" of one model, as huggingface_hub writes it; offline, and nobody is logged in."""
    folder = tmp_path / "home" / "hub"
    repository = folder / "models--owner--model"
    (repository / "blobs").mkdir(parents=True)
    (repository / "blobs" / "abc").write_text('{"model_type": "bert"}')
    (repository / "snapshots" / COMMIT).mkdir(parents=True)
    (repository / "snapshots" / COMMIT / "config.json").symlink_to(Path("../../blobs/abc"))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine that has one file of one model."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        server.files["/owner/model/resolve/v2/config.json"] = b"{}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(constants, "ENDPOINT", address)
        yield address
        server.shutdown()


def fetch(folder: Path, revision: str = "main", mirror: Path | None = None, **known: str) -> str:
    record = folder / "record.json"
    download.fetch(Download([URL.format(revision)], **known), folder / "config.json", mirror=mirror, record=record)
    return (folder / "config.json").read_text()


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_file_of_the_cache_is_taken_before_the_network_and_its_sum_recorded(tmp_path, revision):
    assert fetch(tmp_path, revision) == '{"model_type": "bert"}'
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["retrieved_from"], record["url"]) == ("cache", URL.format(revision))
    assert record["sha256"] == digests.sha256(tmp_path / "config.json")
    assert not (tmp_path / "config.json").is_symlink()


def test_the_mirror_comes_before_the_cache(tmp_path):
    copy = tmp_path / "mirror" / "huggingface.co" / "owner" / "model" / "resolve" / "main" / "config.json"
    copy.parent.mkdir(parents=True)
    copy.write_text("of the mirror")
    assert fetch(tmp_path, mirror=tmp_path / "mirror") == "of the mirror"


@pytest.mark.parametrize("revision", ["v2", "0" * 40])
def test_what_is_neither_in_the_cache_nor_allowed_from_the_network_is_refused_with_two_ways_out(tmp_path, revision):
    ways = rf"\(hf download owner/model config.json --revision {revision}\) and bring it here, or .* into the mirror"
    with pytest.raises(DownloadError, match=rf"not in the cache .*, and HF_HUB_OFFLINE forbids the network; .*{ways}"):
        fetch(tmp_path, revision)
    assert not (tmp_path / "config.json").exists()


def test_a_cached_file_of_another_sum_is_passed_over(tmp_path, caplog):
    """A sum of the configuration, and one that was recorded, when the branch had another commit."""
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        fetch(tmp_path, sha256="ab" * 32)
    assert "the cache has another version" in caplog.text
    (tmp_path / "record.json").write_text(json.dumps({"sha256": "ab" * 32}))
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        fetch(tmp_path)


def test_the_endpoint_is_asked_for_what_is_not_in_the_cache(tmp_path, endpoint):
    assert fetch(tmp_path, "v2") == "{}"
    record = json.loads((tmp_path / "record.json").read_text())
    assert (record["retrieved_from"], record["url"]) == ("network", URL.format("v2"))
    with download.open_session(None) as session:
        assert source_check.ask(session, URL.format("v2"))[:3] == ("200 OK", True, 2)


def test_the_hub_is_told_who_asks_and_nobody_else(tmp_path, monkeypatch):
    assert hub.authorization(URL) == {}
    (tmp_path / "token").write_text("of the login\n")
    assert hub.authorization(URL) == {"Authorization": "Bearer of the login"}
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert hub.authorization(URL) == {"Authorization": "Bearer secret"}
    others = ("https://huggingface.co.example.org/x", "https://example.org/x", "http://huggingface.co/x")
    assert [hub.authorization(url) for url in others] == [{}, {}, {}]


def test_the_endpoint_is_told_who_asks_in_place_of_the_hub(endpoint, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert hub.authorization(f"{endpoint}/x") == {"Authorization": "Bearer secret"}
    assert hub.authorization(URL) == {}


@pytest.mark.parametrize(
    ("url", "file"),
    [
        (URL.format("main"), ("model", "owner/model", "main", "config.json")),
        (
            "https://huggingface.co/datasets/owner/data/resolve/refs%2Fpr%2F1/en/part%201.gz",
            ("dataset", "owner/data", "refs/pr/1", "en/part 1.gz"),
        ),
        ("https://huggingface.co/owner/model/blob/main/config.json", None),
        ("https://example.org/owner/model/resolve/main/config.json", None),
    ],
)
def test_addresses_name_files_of_the_hub(url, file):
    assert hub.HubFile.of_url(url) == file
    assert file or hub.network_address(url) == url


def test_the_environment_says_where_the_cache_is_and_that_there_is_no_network(cache, tmp_path):
    script = """
import sys
from pathlib import Path
from xlm_core.config import Download
from xlm_core.text import download
output = Path(sys.argv[2])
download.fetch(Download([sys.argv[1]]), output, mirror=None, record=output.with_suffix(".record"))
"""
    environment = os.environ | {"HF_HOME": str(cache.parent), "HF_HUB_OFFLINE": "1"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)}

    def run(revision: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-c", script, URL.format(revision), str(tmp_path / revision)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert run("main").returncode == 0 and (tmp_path / "main").read_text() == '{"model_type": "bert"}'
    assert "HF_HUB_OFFLINE forbids the network" in run("v2").stderr
