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


@pytest.mark.parametrize(("name", "least"), [("paper", 80), ("small", 15)])
def test_every_address_of_a_configuration_is_asked(server, tmp_path, name, least):
    """With this server in place of all hosts; the models of the hub are left out, whose host is not configured."""
    server_url = f"http://127.0.0.1:{server.server_port}/"
    text = re.sub("https?://", server_url, (ROOT / "configs" / f"{name}.yaml").read_text())
    settings = safe_load(text)
    for setup in [
        key for key, setup in settings["setups"].items() if "hub" in setup.get("vocabulary", {}).get("pretrained", {})
    ]:
        del settings["setups"][setup], settings["runs"][setup]
    settings["xnli"]["runs"] = [row for row in settings["xnli"]["runs"] if isinstance(row, str)]
    settings["glue"]["systems"] = [row for row in settings["glue"]["systems"] if row["run"] in settings["runs"]]
    server.needs_contact = True
    done = Project(tmp_path, settings | {"contact": "me@example.org"}).snakemake("check_sources", "--cores", "1")
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in done.stdout.splitlines() if line.startswith("| http")]
    assert len({row[1] for row in rows}) >= least
    assert {row[2].strip() for row in rows} == {"200 OK"}
