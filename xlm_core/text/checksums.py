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
    difference = _difference(digest, n_bytes, source)
    if difference and origin == "mirror":
        message = "%s: the mirror's file is used, which is not the published one: %s"
        LOG.warning(message, url, difference, extra={"is_shown": True})
    elif difference:
        raise DownloadError(f"{url}: {difference}; fetch again, or correct the configuration if the file is a new one")
    elif source.sha256 is None and record.exists():
        _check_record(url, digest, source, record)
    if not record.exists():
        facts = {"sha256": digest, "bytes": n_bytes, "licence": source.licence, "retrieved_from": origin}
        write_json(record, {"url": url, **facts})


def _difference(digest: str, n_bytes: int, source: Download) -> str:
    """Return how a file differs from the known one; empty where it does not."""
    if source.n_bytes is not None and n_bytes != source.n_bytes:
        return f"{n_bytes} bytes, expected {source.n_bytes}"
    if source.sha256 is not None and digest != source.sha256.lower():
        return f"sha256 {digest}, expected {source.sha256}"
    return ""


def _check_record(url: str, digest: str, source: Download, record: Path) -> None:
    """Refuse a file that is not the one that was fetched first."""
    recorded = read_json(record)
    if digest == recorded["sha256"]:
        return
    difference = f"{url}: sha256 {digest}, but {recorded['sha256']} when it was fetched first"
    if recorded["url"] != url:
        raise DownloadError(
            f"{difference}, from {recorded['url']}: the two addresses have different files; name one of them, or "
            f"delete the record {record} to accept this one"
        )
    name_date = ", or name the date of the old one as the corpus's 'date'" if source.date == "latest" else ""
    raise DownloadError(
        f"{difference}: the source has moved on; to accept the new file, delete the record {record} and fetch "
        f"again{name_date}"
    )
