"""What ``snakemake check_sources`` prints of the addresses of a configuration, asked of a server on this machine."""

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import BODY, Server
from project import ROOT, Project
from yaml import safe_load

pytestmark = pytest.mark.robustness


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


def project(folder: Path, server: Server, **corpus: object) -> Project:
    settings = safe_load((ROOT / "tests/quick/config.yaml").read_text()) | {"contact": "me@example.org"}
    host = f"http://127.0.0.1:{server.server_port}"
    settings["corpora"]["documents"] = {"format": "text", "keys": ["en", "fr"], "url": f"{host}/{{key}}.txt"} | corpus
    settings["corpora"]["low_resource"] = settings["corpora"]["documents"] | {"keys": ["fr"]}
    return Project(folder, settings)


def test_addresses_are_asked_and_printed(server, tmp_path):
    record = tmp_path / "results/quick/work/downloads/127.0.0.1/fr.txt.json"
    run = project(tmp_path, server)
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"bytes": 7}))
    done = run.snakemake("check_sources", "--cores", "1")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| http")]
    assert [row.split("|")[2].strip() for row in rows] == ["200 OK", "200 OK"]
    assert f"{len(BODY):,}" in rows[0] and "differs: 7 expected" in rows[1]
    assert set(server.seen) == {""} and all("me@example.org" in agent for agent in server.agents)
    assert not (tmp_path / "results/quick/raw").exists()


def test_a_file_without_an_address_fails_with_its_name(server, tmp_path):
    server.statuses = [404] * 9
    done = project(tmp_path, server).snakemake("check_sources", "--cores", "1")
    assert done.returncode == 1
    assert "2 of 2 files are at none of their addresses, the first being http://127.0.0.1" in done.stderr
    assert done.stdout.count("404 Not Found") == 2


def published(name: str) -> dict:
    """A configuration, by plain http, without the models of the hub, whose host is not configured."""
    settings = safe_load((ROOT / "configs" / f"{name}.yaml").read_text().replace("https://", "http://"))
    for setup in [
        key for key, setup in settings["setups"].items() if "hub" in setup.get("vocabulary", {}).get("pretrained", {})
    ]:
        del settings["setups"][setup], settings["runs"][setup]
    settings["xnli"]["runs"] = [row for row in settings["xnli"]["runs"] if isinstance(row, str)]
    settings["glue"]["systems"] = [row for row in settings["glue"]["systems"] if row["run"] in settings["runs"]]
    return settings | {"contact": "me@example.org"}


@pytest.fixture
def proxy(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server in place of all hosts."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NO_PROXY", "")
    server.needs_contact = True
    return server


@pytest.mark.parametrize(("name", "least", "n_known"), [("paper", 80, 15), ("small", 15, 6)])
def test_every_address_of_a_configuration_is_asked(proxy, tmp_path, name, least, n_known):
    done = Project(tmp_path, published(name)).snakemake("check_sources", "--cores", "1")
    assert done.returncode == 0, done.stderr
    rows = [
        [cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("| http")
    ]
    assert len({row[1] for row in rows}) >= least
    assert {row[1].partition("#")[0] for row in rows} == set(proxy.paths)
    assert {row[2] for row in rows} == {"200 OK"}
    assert sum("differs" in row[6] for row in rows) == n_known  # of what is 300,000 bytes here
    assert not any(row[6] for row in rows if "#" in row[1])


def test_another_address_saves_a_file_and_lost_ones_are_named(proxy, tmp_path):
    proxy.refused = {"http://dl.fbaipublicfiles.com/arrival/dictionaries/": 403}
    project = Project(tmp_path, published("paper"))
    done = project.snakemake("check_sources", "--cores", "1")
    assert done.returncode == 0 and done.stdout.count("403 Forbidden") == 3, done.stderr
    proxy.refused["http://object.pouta.csc.fi/OPUS-SETIMES"] = 404
    proxy.refused["http://www.cfilt.iitb.ac.in"] = 404
    done = project.snakemake("check_sources", "--cores", "1")
    assert done.returncode == 1
    assert re.search(r"2 of \d+ files are at none of their addresses, the first being http://\S+iitb", done.stderr)
