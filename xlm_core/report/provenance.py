"""Write the manifest of a table: its input files, jobs and numbers as JSON; summarize manifests on the screen."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from xlm_core import digests, results
from xlm_core.io import read_json, write_json

LOG = logging.getLogger(__name__)
Manifest = dict[str, Any]
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def make_manifest(
    name: str,
    *,
    table: Path,
    results: Sequence[Path],
    jobs: Sequence[Path],
    jobs_of_results: Mapping[str, Sequence[str]],
    sources: Sequence[Mapping[str, str]],
    sums: Path,
    configuration: str,
    output: Path,
) -> None:
    """Write the inputs, jobs and numbers of a table as JSON.

    Args:
        name: of the table.
        table: its numbers, as CSV.
        results: the measured numbers that it shows.
        jobs: records of all jobs that led to it.
        jobs_of_results: file of ``results`` -> those of ``jobs`` that led to it.
        sources: of every file that it began with "path", "origin" and "licence", and of a download "url" and "record".
        sums: a folder of sums that were computed before, so that a large file is read once.
        configuration: its name.
        output: JSON. It holds every job once, by its record; numbers name the jobs that led to them.
    """
    write_json(
        output,
        {
            "table": {"name": name, "path": str(table), "sha256": _sum(table)},
            "configuration": configuration,
            "sources": [described(source, sums) for source in sources],
            "jobs": {str(path): measured(read_json(path)) for path in jobs},
            "numbers": [
                {**number, "jobs": list(jobs_of_results[str(path)])} for path in results for number in _numbers(path)
            ],
        },
    )


def _numbers(path: Path) -> list[dict[str, Any]]:
    return [asdict(result) for result in results.read([path])]


def measured(job: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a job, and over all its attempts its wall time and how long GPUs were held for it."""
    attempts = job["attempts"]
    return {
        **job,
        "config": digests.of_value(job["settings"]),
        "seconds": round(sum(attempt["seconds"] for attempt in attempts), 1),
        "gpu_hours": round(sum(attempt["seconds"] * attempt["gpus"] for attempt in attempts) / 3600, 4),
    }


def described(source: Mapping[str, str], sums: Path) -> dict[str, Any]:
    """A file that a table began with, its size and its sum.

    A download was summed when it was fetched. Other files are read where their size or the time of their last change
    is not that of the sum in ``sums``. Of a file that is gone and was never summed they are None.
    """
    record = Path(source.get("record", ""))
    if record.is_file():
        fetched = {key: value for key, value in read_json(record).items() if key != "licence"}
        return {"path": source["path"], "origin": source["origin"], "licence": source["licence"], **fetched}
    about = {key: value for key, value in source.items() if key != "record"}
    return {**about, **_kept_sum(Path(source["path"]), sums / f"{quote(source['path'], safe='')}.json")}


def _kept_sum(path: Path, kept: Path) -> dict[str, Any]:
    """The sum and size of a file, computed where ``kept`` does not have them."""
    known = read_json(kept) if kept.exists() else None
    if not path.exists():
        if known is None:
            LOG.warning("%s is gone, and its sum was never computed", path)
        return {key: known and known[key] for key in ("sha256", "bytes")}
    status = path.stat()
    seen = {"bytes": status.st_size, "modified_ns": status.st_mtime_ns}
    if known is None or any(known[key] != value for key, value in seen.items()):
        known = {"sha256": _sum(path), **seen}
        write_json(kept, known)
    return {key: known[key] for key in ("sha256", "bytes")}


def _sum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
        if manifest["table"]["sha256"] != _sum(table):
            parts.append(f"  The manifest is of an older table than {table}; snakemake {target} makes it anew.")
    if jobs:
        parts.append("\n".join(["all of them, each job once:", *_times(jobs.values())]))
    return "\n\n".join(parts) + "\n"


def _summary(manifest: Manifest) -> list[str]:
    """The lines about one table."""
    numbers, jobs = manifest["numbers"], list(manifest["jobs"].values())
    attempts = [attempt for job in jobs for attempt in job["attempts"]]
    seeds = {results.seed_label(number["pretraining_seed"], number["finetuning_seed"]) for number in numbers}
    systems = {(number["system"], number["setting"]) for number in numbers}
    counted = f"{len(numbers)}, systems: {len(systems)}, seeds: {', '.join(sorted(seeds))}"
    return [
        *([f"  numbers    {counted}"] if numbers else []),
        *(f"  files      {line}" for line in _files(manifest["sources"])),
        *(f"  hardware   {line}" for line in _most_frequent(map(_hardware, attempts))),
        *(f"  libraries  {line}" for line in _most_frequent(map(_libraries, attempts))),
        *_times(jobs),
    ]


def _files(sources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of each origin and licence how many files there are, and how large."""
    sizes: dict[tuple[str, str], list[int | None]] = {}
    for source in sources:
        sizes.setdefault((source["origin"], source["licence"] or "no licence named"), []).append(source["bytes"])
    return [
        f"{len(some)} {origin}, {_size(sum(filter(None, some)))} ({licence})"
        + (f"; {some.count(None)} of them are gone" if None in some else "")
        for (origin, licence), some in sizes.items()
    ]


def _size(n_bytes: float) -> str:
    """A size in the unit in which it has up to three digits before the point."""
    unit = 0
    while n_bytes >= 1000 and unit < len(UNITS) - 1:
        n_bytes, unit = n_bytes / 1000, unit + 1
    return f"{n_bytes:.3g} {UNITS[unit]}"


def _hardware(attempt: Mapping[str, Any]) -> str:
    machine = attempt["machine"]
    gpus = " + ".join(f"{count} x {name}" for name, count in Counter(machine["gpus"]).items())
    return f"{machine['cpu']}, {machine['cores']} cores, {gpus or 'no GPU'}"


def _libraries(attempt: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in attempt["libraries"].items())


def _most_frequent(lines: Iterable[str]) -> list[str]:
    """Each line once, with the number of attempts that it is true of where that is not all."""
    counts = Counter(lines)
    return [f"{line} (attempts: {n})" if len(counts) > 1 else line for line, n in counts.most_common()]


def _times(jobs: Iterable[Mapping[str, Any]]) -> list[str]:
    """A table: of each kind of job how many there were, what they took, and by which code."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for job in jobs:
        kinds.setdefault(job["rule"], []).append(job)
    rows = [(kind, some, _code(some)) for kind, some in kinds.items()]
    if len(rows) > 1:
        rows.append(("together", [job for some in kinds.values() for job in some], ""))
    width = max((len(kind) for kind, _, _ in rows), default=0)
    head = f"  {'jobs':{width}}  number  attempts  wall time  GPU hours  code"
    lines = [
        f"  {kind:{width}}  {len(some):6d}  {sum(len(job['attempts']) for job in some):8d}  "
        f"{timedelta(seconds=round(sum(job['seconds'] for job in some)))!s:>9}  "
        f"{sum(job['gpu_hours'] for job in some):9.2f}  {code}".rstrip()
        for kind, some, code in rows
    ]
    return [head, *lines]


def _code(jobs: Iterable[Mapping[str, Any]]) -> str:
    """The digests of the code of some jobs; more than one says that versions of the code are mixed."""
    return ", ".join(sorted({job["settings"]["code"] for job in jobs if "code" in job["settings"]}))
