"""Download: a file fetched by its URL, from a local mirror or the network; resumed, retried, checked.

What has arrived of a file is kept beside it, under a stable name, until the whole is there: a later attempt, in this
run or the next, goes on from there. A file is checked against the sum that is known for it, else against the sum that
was recorded when it was fetched first.
"""

import hashlib
import logging
import shutil
import time
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from xlm_core.errors import DownloadError
from xlm_core.io import read_json, storage_errors, to_disk, write_json

LOG = logging.getLogger(__name__)
PROJECT, DESCRIPTION = "xlm-core", "cross-lingual language model pretraining"
CHUNK = 1 << 20  # bytes
TIMEOUT = (20, 120)  # seconds to connect, and between two pieces of an answer
ATTEMPTS = 6  # connections for one file, each going on where the last one broke
BACKOFF = 1.0  # seconds before the second try of a request, doubled each time
BROKEN_OFF = (requests.RequestException, HTTPError)  # a further attempt may go on
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
        output: where the file appears when it is whole and checked.
        mirror: a folder of files at ``<host>/<path of the URL>``, looked into before the network.
        sha256: the file's known sum, in hexadecimal.
        expected_bytes: the file's known size.
        licence: the licence of the file, for the record.
        record: JSON of what was fetched; its sum is demanded of every later download.

    Raises:
        DownloadError: if the file cannot be had, or is not the one expected.
        StorageError: there is no room for it; what has arrived over the network is kept.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(f"{url}: not an address this can fetch, expected http:// or https://; correct the URL")
    copy = _in_mirror(url, mirror)
    with storage_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = output.with_name(f".{output.name}.partial")
        if copy:
            LOG.info("%s: copied from the mirror, %s", url, copy)
            partial = output.with_name(f".{output.name}.copy.partial")  # never resumed, unlike a download
            _copy(copy, partial)
        else:
            _from_network(url, partial)
        to_disk(partial)
    found = _check(url, partial, sha256, expected_bytes, record)
    if not record.exists():
        origin = "mirror" if copy else "network"
        write_json(record, {"url": url, **found, "licence": licence, "retrieved_from": origin})
    partial.replace(output)
    _forget_tag(partial)


def _copy(source: Path, partial: Path) -> None:
    """Copy the whole of a file, or nothing."""
    try:
        shutil.copyfile(source, partial)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _in_mirror(url: str, mirror: Path | None) -> Path | None:
    """The mirror's copy of a file, if there is a mirror and it has one."""
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


def _check(url: str, file: Path, sha256: str | None, expected_bytes: int | None, record: Path) -> dict[str, str | int]:
    """The sum and size of a file that is the expected one; any other is removed.

    Raises:
        DownloadError: if sum or size differ from the expected or the recorded ones.
    """
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    found, n_bytes = digest.hexdigest(), file.stat().st_size
    message = ""
    if expected_bytes is not None and n_bytes != expected_bytes:
        message = f"{n_bytes} bytes, expected {expected_bytes}; correct the size if the file has a new version"
    elif sha256 is not None:
        if found != sha256.lower():
            message = f"sha256 {found}, expected {sha256}; fetch again, or correct the sum if the file is a new one"
    elif record.exists() and found != (recorded := read_json(record)["sha256"]):
        message = (
            f"sha256 {found}, but {recorded} when it was fetched first; "
            f"to accept the new file, delete the record {record} and fetch again"
        )
    if message:
        file.unlink()
        _forget_tag(file)
        raise DownloadError(f"{url}: {message}")
    return {"sha256": found, "bytes": n_bytes}


def _from_network(url: str, partial: Path) -> None:
    """Bring ``partial`` to its whole length, over as many connections as it takes."""
    with requests.Session() as session:
        retry = Retry(total=5, backoff_factor=BACKOFF, status_forcelist=BUSY, raise_on_status=False)
        session.mount("http://", HTTPAdapter(max_retries=retry))
        session.mount("https://", HTTPAdapter(max_retries=retry))
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _go_on(session, url, partial)
            except BROKEN_OFF as error:
                n_bytes = partial.stat().st_size if partial.exists() else 0
                LOG.warning("%s: broke off at %d bytes, attempt %d of %d (%s)", url, n_bytes, attempt, ATTEMPTS, error)
                failure = error
                time.sleep(BACKOFF * attempt)
    raise DownloadError(
        f"{url}: broke off at {n_bytes} bytes in {ATTEMPTS} attempts ({failure}); "
        "check the network and rerun, the download goes on from there"
    ) from failure


def _go_on(session: requests.Session, url: str, partial: Path) -> None:
    """One connection: ask for what is missing of ``partial`` and append it.

    Raises:
        DownloadError: at an answer that a further attempt would not change.
        requests.RequestException, HTTPError: if the connection breaks, also when the answer is shorter than announced.
    """
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": user_agent(), "Accept-Encoding": "identity"}  # lengths and positions are of the file
    if start:
        headers["Range"] = f"bytes={start}-"
        tag = _tag_file(partial)
        if tag.exists():
            headers["If-Range"] = tag.read_text(encoding="utf-8")  # the whole file anew if it has changed meanwhile
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            if answer.headers.get("Content-Range") == f"bytes */{start}":
                return  # nothing is missing
            partial.unlink()
            raise requests.ConnectionError("the part on disk does not fit the server's file; started anew")
        if answer.status_code not in (requests.codes.ok, requests.codes.partial_content):
            raise DownloadError(f"{url}: the server answers {answer.status_code} {answer.reason}; check the URL")
        resumed = answer.status_code == requests.codes.partial_content
        if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            partial.unlink()
            raise requests.ConnectionError("the server sent another part than asked for; started anew")
        _receive(answer, partial, start if resumed else 0)


def user_agent() -> str:
    """Name the project, its version and, where its metadata gives one, the address of its home page.

    Some servers, such as dumps.wikimedia.org, refuse the library's own name with the answer 403. A project that runs
    from its folder without being installed has no metadata, and gives its name alone.
    """
    try:
        project = metadata.metadata(PROJECT)
    except metadata.PackageNotFoundError:
        return f"{PROJECT} ({DESCRIPTION})"
    addresses = [line.split(", ")[1] for line in project.get_all("Project-URL") or ()]
    return f"{PROJECT}/{project['Version']} ({'; '.join([*addresses[:1], DESCRIPTION])})"


def _receive(answer: requests.Response, partial: Path, start: int) -> None:
    """Write an answer to ``partial`` from byte ``start`` on."""
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length else None
    if not start:
        _forget_tag(partial)
        tag = answer.headers.get("ETag", "")
        if not tag.startswith('"'):  # weak tags do not vouch for equal bytes
            tag = answer.headers.get("Last-Modified", "")
        if tag:
            _tag_file(partial).write_text(tag, encoding="utf-8")
    bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=partial.name, disable=None)
    with bar, open(partial, "ab" if start else "wb") as file:
        # Not decoded, because some servers announce a .gz file as an encoding of what is in it.
        for chunk in answer.raw.stream(CHUNK, decode_content=False):
            file.write(chunk)
            bar.update(len(chunk))
    if total is not None and partial.stat().st_size != total:
        raise requests.ConnectionError(f"{partial.stat().st_size} bytes came of {total}")


def _tag_file(partial: Path) -> Path:
    """Where the server's tag, or date, of the version in ``partial`` is kept."""
    return partial.with_name(f"{partial.name}.etag")


def _forget_tag(partial: Path) -> None:
    """Remove the tag of a partial file that is no more."""
    _tag_file(partial).unlink(missing_ok=True)
