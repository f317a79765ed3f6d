"""Download a file by its URL, from a local mirror or the network, with resumption, retries and a checksum.

Downloads are resumed (HTTP Range with If-Range, RFC 9110 sections 13.1.5 and 14.2) because dumps have up to 20 GB and
connections of hours break: starting anew might never end. ``pooch`` and ``urllib`` cannot resume. The partial file has
a stable name, so that the next run resumes it too. The server's ETag or date is kept beside it: with it the server
sends the whole file again if the file has changed meanwhile, instead of the end of another version.

A file is checked against its known sum, else against the sum that was recorded at its first download.
"""

import logging
import shutil
import time
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests import codes
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from xlm_core import digests
from xlm_core.errors import DownloadError
from xlm_core.io import atomic, disk_full_errors, fsync, read_json, write_json

LOG = logging.getLogger(__name__)
PROJECT, DESCRIPTION = "xlm-core", "cross-lingual language model pretraining"
CHUNK = 1 << 20  # bytes
TIMEOUT = (20, 120)  # seconds to connect, and between two chunks of an answer
ATTEMPTS = 6  # connections for one file, each resuming after the last one
BACKOFF = 1.0  # seconds before the second try of a request, doubled each time
CONNECTION_ERRORS = (requests.RequestException, HTTPError)  # a further attempt may succeed
BUSY = (429, 500, 502, 503, 504)  # answers that ask to try again


def fetch(
    url: str,
    output: Path,
    *,
    mirror: Path | None,
    sha256: str | None,
    expected_bytes: int | None,
    licence: str,
    record: Path,
) -> None:
    """Fetch ``url`` to ``output``.

    Args:
        url: an http or https address.
        output: the file, which appears when it is complete and checked.
        mirror: a folder of files at ``<host>/<path of the URL>``, which is tried before the network.
        sha256: the file's known sum, in hexadecimal.
        expected_bytes: the file's known size.
        licence: the licence of the file, for the record.
        record: JSON of the first download; later downloads must have its sum.

    Raises:
        DownloadError: the file is not available, or is not the expected one.
        StorageError: there is no room for it; the part downloaded from the network is kept.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(f"{url}: not an address this can fetch, expected http:// or https://; correct the URL")
    copy = _path_in_mirror(url, mirror)
    if copy:
        LOG.info("%s: copied from the mirror, %s", url, copy)
        with atomic(output) as partial:
            shutil.copyfile(copy, partial)
            _check(url, partial, sha256, expected_bytes, licence, record, "mirror")
        return
    partial = output.with_name(f".{output.name}.partial")
    with disk_full_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        _download(url, partial)
        fsync(partial)
    _check(url, partial, sha256, expected_bytes, licence, record, "network")
    partial.replace(output)
    _version_file(partial).unlink(missing_ok=True)


def _path_in_mirror(url: str, mirror: Path | None) -> Path | None:
    """Return the mirror's copy of a file; None if there is no mirror or it lacks the file."""
    if mirror is None:
        return None
    parts = urlsplit(url)
    copy = mirror / (parts.hostname or "") / unquote(parts.path).lstrip("/")
    if not copy.resolve().is_relative_to(mirror.resolve()):
        raise DownloadError(f"{url}: leads out of the mirror {mirror}; correct the URL")
    if copy.is_file():
        return copy
    LOG.info("%s: not in the mirror %s, fetched from the network", url, mirror)
    return None


def _check(
    url: str, file: Path, sha256: str | None, expected_bytes: int | None, licence: str, record: Path, origin: str
) -> None:
    """Compare sum and size of a file with the expected or the recorded ones; remove any other file.

    The first file is recorded.

    Raises:
        DownloadError: sum or size differ.
    """
    digest, n_bytes = digests.sha256(file), file.stat().st_size
    fault = ""
    if expected_bytes is not None and n_bytes != expected_bytes:
        fault = f"{n_bytes} bytes, expected {expected_bytes}; correct the size if the file has a new version"
    elif sha256 is not None and digest != sha256.lower():
        fault = f"sha256 {digest}, expected {sha256}; fetch again, or correct the sum if the file is a new one"
    elif sha256 is None and record.exists() and digest != (recorded := read_json(record)["sha256"]):
        fault = (
            f"sha256 {digest}, but {recorded} when it was fetched first; "
            f"to accept the new file, delete the record {record} and fetch again"
        )
    if fault:
        file.unlink()
        _version_file(file).unlink(missing_ok=True)
        raise DownloadError(f"{url}: {fault}")
    if not record.exists():
        facts = {"sha256": digest, "bytes": n_bytes, "licence": licence, "retrieved_from": origin}
        write_json(record, {"url": url, **facts})


def _download(url: str, partial: Path) -> None:
    """Complete ``partial`` over as many connections as needed, up to ``ATTEMPTS``."""
    with requests.Session() as session:
        retry = Retry(total=5, backoff_factor=BACKOFF, status_forcelist=BUSY, raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.mount("https://", HTTPAdapter(max_retries=retry))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _resume(session, url, partial)
            except CONNECTION_ERRORS as error:
                n_bytes = _size(partial)
                LOG.warning("%s: broke off at %d bytes, attempt %d of %d (%s)", url, n_bytes, attempt, ATTEMPTS, error)
                failure = error
                time.sleep(BACKOFF * attempt)
    raise DownloadError(
        f"{url}: broke off at {n_bytes} bytes in {ATTEMPTS} attempts ({failure}); "
        "check the network and rerun, the download goes on from there"
    ) from failure


def _resume(session: requests.Session, url: str, partial: Path) -> None:
    """Request the missing bytes of ``partial`` and append them.

    Raises:
        DownloadError: the answer is an error that a further attempt would not change.
        requests.RequestException, HTTPError: the connection breaks, or the answer is shorter than announced.
    """
    start = _size(partial)
    headers = {"User-Agent": user_agent(), "Accept-Encoding": "identity"}  # lengths and positions are of the file
    if start:
        headers["Range"] = f"bytes={start}-"
        version = _version_file(partial)
        if version.exists():
            headers["If-Range"] = version.read_text(encoding="utf-8")
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        status, content_range = answer.status_code, answer.headers.get("Content-Range", "")
        if status not in (codes.ok, codes.partial_content, codes.requested_range_not_satisfiable):
            raise DownloadError(f"{url}: the server answers {status} {answer.reason}; check the URL")
        if status == codes.requested_range_not_satisfiable and content_range == f"bytes */{start}":
            return  # nothing is missing
        if status != codes.ok and not content_range.startswith(f"bytes {start}-"):
            partial.unlink()
            raise requests.ConnectionError("the part on disk does not fit the server's file or answer; started anew")
        _receive(answer, partial, 0 if status == codes.ok else start)


def user_agent() -> str:
    """Name the project and its version.

    Some servers, such as dumps.wikimedia.org, refuse the library's own name with the answer 403. A project that runs
    from its folder without being installed has no metadata, and gives its name alone.
    """
    try:
        return f"{PROJECT}/{metadata.version(PROJECT)} ({DESCRIPTION})"
    except metadata.PackageNotFoundError:
        return f"{PROJECT} ({DESCRIPTION})"


def _receive(answer: requests.Response, partial: Path, start: int) -> None:
    """Write an answer to ``partial`` from byte ``start`` on."""
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length else None
    if not start:
        version = answer.headers.get("ETag", "")
        if not version.startswith('"'):  # weak ETags do not promise equal bytes
            version = answer.headers.get("Last-Modified", "")
        _version_file(partial).unlink(missing_ok=True)
        if version:
            _version_file(partial).write_text(version, encoding="utf-8")
    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=partial.name, disable=None)
    with bar, open(partial, "ab" if start else "wb") as file:
        # Not decoded, because some servers announce a .gz file as an encoding of its content.
        for chunk in answer.raw.stream(CHUNK, decode_content=False):
            file.write(chunk)
            bar.update(len(chunk))
    if total is not None and _size(partial) != total:
        raise requests.ConnectionError(f"{_size(partial)} bytes came of {total}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _version_file(partial: Path) -> Path:
    """Return the path of the server's ETag, or date, of the version in ``partial``."""
    return partial.with_name(f"{partial.name}.etag")
