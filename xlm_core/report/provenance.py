"""Write the manifest of a table: its input files, jobs and numbers as JSON; summarize manifests for readers."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
from matplotlib.ticker import EngFormatter

from xlm_core import digests
from xlm_core import results as result_files
from xlm_core.io import read_json, write_json, write_text
from xlm_core.report.rendering import render

LOG = logging.getLogger(__name__)
SIZE = EngFormatter("B", places=1)


def make_manifest(
    name: str,
    *,
    table: Path,
    results: Mapping[str, Path],
    jobs: Mapping[str, Path],
    jobs_of_results: Mapping[str, Sequence[str]],
    sources: Sequence[Mapping[str, str]],
    sums: Path,
    configuration: str,
    output: Path,
    page: Path,
) -> None:
    """Write the inputs, jobs and numbers of a table as JSON, and their summary as a page of the report.

    Args:
        name: of the table.
        table: its numbers, as CSV.
        results: name -> file of the measured numbers that it shows.
        jobs: name -> file of the records of all jobs that led to it.
        jobs_of_results: name of ``results`` -> names in ``jobs`` of the jobs that led to it.
        sources: of every file that it began with "path", "origin" and "licence", and of a download "url" and "record".
        sums: a folder of sums that were computed before, so that a large file is read once.
        configuration: its name.
        output: JSON. It holds every job once, by its record; numbers name the jobs that led to them.
        page: HTML.
    """
    numbers = [
        {**asdict(number), "jobs": list(jobs_of_results[result])}
        for result, path in results.items()
        for number in result_files.read([path])
    ]
    manifest = {
        "table": {"name": name, "path": str(table), "sha256": digests.sha256(table)},
        "configuration": configuration,
        "sources": [_describe(source, sums) for source in sources],
        "jobs": {job: _total_time(read_json(path)) for job, path in jobs.items()},
        "numbers": numbers,
    }
    write_json(output, manifest)
    summary = "\n".join(_summary(manifest))
    write_text(page, render("provenance", name=name, configuration=configuration, summary=summary))


def _total_time(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a job with its wall time and GPU hours over all attempts."""
    attempts = job["attempts"]
    return {
        **job,
        "seconds": round(sum(attempt["seconds"] for attempt in attempts), 1),
        "gpu_hours": round(sum(attempt["seconds"] * attempt["gpus"] for attempt in attempts) / 3600, 4),
    }


def _describe(source: Mapping[str, str], sums: Path) -> dict[str, Any]:
    """Return a file that a table began with, with its size and its sum.

    A download was summed when it was fetched. Another file is read if its size or the time of its last change differs
    from the record in ``sums``. If it is gone and was never summed, both are None.
    """
    described = {key: value for key, value in source.items() if key != "record"}
    if "record" in source and Path(source["record"]).is_file():
        recorded = read_json(Path(source["record"]))
        return {**recorded, **described, "url": recorded["url"]}  # the address that it came from, of several
    path, kept = Path(source["path"]), sums / f"{quote(source['path'], safe='')}.json"
    known: dict[str, Any] = read_json(kept) if kept.exists() else {"sha256": None, "bytes": None}
    if path.exists():
        seen = {"bytes": path.stat().st_size, "modified_ns": path.stat().st_mtime_ns}
        if not seen.items() <= known.items():
            known = {"sha256": digests.sha256(path), **seen}
            write_json(kept, known, is_shared=True)  # the manifests of several tables may read the same file at once
    elif known["sha256"] is None:
        LOG.warning("%s is gone, and its sum was never computed", path)
    return {**described, "sha256": known["sha256"], "bytes": known["bytes"]}


def show(tables: Mapping[str, str], folder: Path) -> str:
    """Summarize the manifests of a folder's tables; a table that does not exist is named with its target.

    Args:
        tables: table -> the target that makes it.
    """
    parts: list[str] = []
    jobs: dict[str, Any] = {}
    for name, target in tables.items():
        table, path = folder / f"{name}.tidy.csv", folder / f"{name}.manifest.json"
        if not (table.exists() and path.exists()):
            parts.append(f"{name}: not made yet; snakemake {target} makes it")
            continue
        manifest = read_json(path)
        jobs |= manifest["jobs"]
        parts.append("\n".join([f"{name}: {path}", *_summary(manifest)]))
        if manifest["table"]["sha256"] != digests.sha256(table):
            parts.append(f"  The manifest is of an older table than {table}; snakemake {target} makes it anew.")
    if jobs:
        parts.append("all of them, each job once:\n" + _job_table(jobs.values()))
    return "\n\n".join(parts) + "\n"


def _summary(manifest: Mapping[str, Any]) -> list[str]:
    """Return the lines about one table."""
    numbers, jobs = manifest["numbers"], manifest["jobs"].values()
    attempts = [attempt for job in jobs for attempt in job["attempts"]]
    seeds = {result_files.seed_label(number["pretraining_seed"], number["finetuning_seed"]) for number in numbers}
    systems = {(number["system"], number["setting"]) for number in numbers}
    counted = f"{len(numbers)}, systems: {len(systems)}, seeds: {', '.join(sorted(seeds))}"
    return [
        *([f"  numbers    {counted}"] if numbers else []),
        *(f"  files      {line}" for line in _files(manifest["sources"])),
        *(f"  hardware   {line}" for line in _most_frequent(_hardware(attempt["machine"]) for attempt in attempts)),
        *(f"  libraries  {line}" for line in _most_frequent(_libraries(attempt) for attempt in attempts)),
        *([_job_table(jobs)] if jobs else []),
    ]


def _files(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    """Count the files of each origin and licence, and add up their sizes."""
    lines = []
    for (origin, licence), files in pd.DataFrame(sources).groupby(["origin", "licence"], sort=False):
        n_gone = files["bytes"].isna().sum()
        line = f"{len(files)} {origin}, {SIZE(files['bytes'].sum())} ({licence or 'no licence named'})"
        lines.append(f"{line}; {n_gone} of them are gone" if n_gone else line)
    return lines


def _hardware(machine: Mapping[str, Any]) -> str:
    gpus = " + ".join(f"{count} x {name}" for name, count in Counter(machine["gpus"]).items())
    return f"{machine['cpu']}, {machine['cores']} cores, {gpus or 'no GPU'}"


def _libraries(attempt: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in attempt["libraries"].items())


def _most_frequent(lines: Iterable[str]) -> list[str]:
    """Return each line once, with its number of attempts if there are several lines."""
    counts = Counter(lines)
    return [f"{line} (attempts: {n})" if len(counts) > 1 else line for line, n in counts.most_common()]


def _job_table(jobs: Iterable[Mapping[str, Any]]) -> str:
    """Return a table of the rules: their jobs, attempts, times, and digests of their code (several if it changed)."""
    rows = [
        (job["rule"], 1, len(job["attempts"]), job["seconds"], job["gpu_hours"], job["settings"].get("code", ""))
        for job in jobs
    ]
    sums = dict.fromkeys(["number", "attempts", "wall time", "GPU hours"], "sum")
    frame = pd.DataFrame(rows, columns=["jobs", *sums, "code"])
    table = frame.groupby("jobs", sort=False).agg({**sums, "code": "unique"})
    table["code"] = table["code"].map(sorted).map(", ".join)
    table.loc["together"] = [*table[[*sums]].sum(), ""]
    table["wall time"] = [str(timedelta(seconds=round(seconds))) for seconds in table["wall time"]]
    return table.rename_axis(None).to_string(float_format="{:.2f}".format).rstrip()
