"""Whether a downloaded file is the expected one: by its known sum, its publisher's sums, or its first download."""

import logging
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests import codes

from xlm_core import digests
from xlm_core.config import Download
from xlm_core.errors import DownloadError
from xlm_core.io import read_json, write_json

LOG = logging.getLogger(__name__)
DATE = re.compile(r"-(?:\d{8}|latest)(?=-)")  # of a dump, in names of files
TIMEOUT = (20, 120)  # seconds to connect, and between two chunks of an answer


def check_published(session: requests.Session, checksums: str, url: str, file: Path) -> None:
    """Compare a file with its publisher's list of SHA-1 sums, if there is such a list and it names the file.

    Raises:
        DownloadError: the sums differ.
    """
    answer = session.get(checksums, timeout=TIMEOUT)
    if answer.status_code != codes.ok:
        LOG.warning("%s: the server answers %d %s, no sum is compared", checksums, answer.status_code, answer.reason)
        return
    # Lists name the date where addresses say "latest".
    name = DATE.sub("", unquote(urlsplit(url).path).rpartition("/")[2])
    sums = {
        DATE.sub("", file_name): sha1
        for sha1, _, file_name in (line.partition("  ") for line in answer.text.split("\n"))
    }
    expected, digest = sums.get(name), digests.sha1(file)
    if expected is None:
        LOG.warning("%s: has no sum of %s", checksums, name)
    elif expected.lower() != digest:
        raise DownloadError(f"{url}: SHA-1 {digest}, expected {expected} by {checksums}; run again, it is fetched anew")


def check(url: str, file: Path, source: Download, record: Path, origin: str) -> None:
    """Compare sum and size of a file with the expected or the recorded ones.

    A mirror may hold a shorter file than the known one, to try a configuration with. The first file is recorded.

    Raises:
        DownloadError: sum or size differ.
    """
    digest, n_bytes = digests.sha256(file), file.stat().st_size
    fault = _difference(url, digest, n_bytes, source, record)
    is_known = source.sha256 is not None or source.n_bytes is not None
    if fault and is_known and origin == "mirror":
        LOG.warning(
            "%s: the mirror's file is used, which is not the known one: %s", url, fault, extra={"is_shown": True}
        )
    elif fault:
        raise DownloadError(f"{url}: {fault}")
    if not record.exists():
        facts = {"sha256": digest, "bytes": n_bytes, "licence": source.licence, "retrieved_from": origin}
        write_json(record, {"url": url, **facts})


def _difference(url: str, digest: str, n_bytes: int, source: Download, record: Path) -> str:
    """Return how a file differs from the known or the recorded one, and what to do; empty where it does not."""
    if source.n_bytes is not None and n_bytes != source.n_bytes:
        return f"{n_bytes} bytes, expected {source.n_bytes}; correct the size if the file has a new version"
    if source.sha256 is not None:
        is_same = digest == source.sha256.lower()
        remedy = "fetch again, or correct the sum if the file is a new one"
        return "" if is_same else f"sha256 {digest}, expected {source.sha256}; {remedy}"
    if not record.exists() or digest == (recorded := read_json(record))["sha256"]:
        return ""
    if (first := recorded["url"]) != url:
        return (
            f"sha256 {digest}, but {recorded['sha256']} when it was fetched first, from {first}: the two addresses "
            f"have different files; name one of them, or delete the record {record} to accept this one"
        )
    name_date = ", or name the date of the old one as the corpus's 'date'" if source.date == "latest" else ""
    return (
        f"sha256 {digest}, but {recorded['sha256']} when it was fetched first: the source has moved on; "
        f"to accept the new file, delete the record {record} and fetch again{name_date}"
    )
