"""Download a file from a local mirror or the network, with resumption, retries, several addresses and checksums.

Downloads are resumed (HTTP Range with If-Range, RFC 9110 sections 13.1.5 and 14.2) because dumps have up to 20 GB and
connections of hours break: starting anew might never end. ``pooch`` and ``urllib`` cannot resume. The partial file has
a stable name, so that the next run resumes it too. The server's ETag or date is kept beside it: with it the server
sends the whole file again if the file has changed meanwhile, instead of the end of another version.

A file is checked against its known sum, against the sums that its publisher puts beside it, and, where its sum is not
known, against the one that was recorded at its first download. An address may name a member of an archive behind ``#``.
"""

import logging
import shutil
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests import codes
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from xlm_core import digests
from xlm_core.config import Download
from xlm_core.errors import ArchiveError, DownloadError
from xlm_core.io import atomic, disk_full_errors, fsync, read_json
from xlm_core.text import checksums, hub
from xlm_core.text.checksums import TIMEOUT
from xlm_core.text.formats import archive
from xlm_core.version import PROJECT, VERSION

LOG = logging.getLogger(__name__)
DESCRIPTION = "cross-lingual language model pretraining"
CHUNK = 1 << 20  # bytes
ATTEMPTS = 6  # connections for one file, each resuming after the last one
RETRIES = 5  # of a request
BACKOFF = 1.0  # seconds before the second try of a request, doubled each time
CONNECTION_ERRORS = (requests.RequestException, HTTPError)  # a further attempt may succeed
BUSY = (429, 500, 502, 503, 504)  # answers that ask to try again
REMEDIES = {
    codes.forbidden: "it may refuse programs that do not say whose they are: set 'contact' in the configuration, or "
    "get the file by hand and lay it into the mirror",
    codes.too_many_requests: "run again later, the download goes on from there",
    codes.unauthorized: "where it is a model of the Hugging Face hub that asks who you are, set HF_TOKEN, or log in by "
    "hf auth login",
}  # answer -> what to do


def fetch(source: Download, output: Path, *, mirror: Path | None, record: Path, contact: str | None = None) -> None:
    """Fetch a file to ``output``.

    Args:
        source: its addresses, which are tried in their order, and what it must be.
        output: the file, which appears when it is complete and checked.
        mirror: a folder of files at ``<host>/<path of the URL>``, which is tried before the network, as is for files of
            the Hugging Face hub its cache on this machine.
        record: JSON of the first download; later downloads must have its sum.
        contact: whom the publisher may write to, told with each request.

    Raises:
        DownloadError: the file is not available, or is not the expected one.
        StorageError: there is no room for it; the part downloaded from the network is kept.
    """
    for url in source.urls:
        check_address(url)
    for url in source.urls:
        in_mirror = _path_in_mirror(url, mirror)
        if copy := in_mirror or _path_in_cache(url, source, record):
            origin = "mirror" if in_mirror else "cache"
            LOG.info("%s: copied from the %s, %s", url, origin, copy)
            with atomic(output) as partial:
                if member := _member(url):
                    _copy_member(url, member, copy, partial)
                else:
                    shutil.copyfile(copy, partial)
                checksums.check(url, partial, source, record, origin)
            return
    with open_session(contact) as session, disk_full_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        partial = _download_any(session, source, output, record)
    partial.replace(output)
    _version_file(partial).unlink(missing_ok=True)


def _path_in_cache(url: str, source: Download, record: Path) -> Path | None:
    """Return the copy of a file of the Hugging Face hub in the user's cache; None if there is none of the known sum."""
    file = hub.HubFile.of_url(url)
    copy = file.cached() if file else None
    expected = source.sha256 or (read_json(record)["sha256"] if record.exists() else None)
    if copy and expected and digests.sha256(copy) != expected.lower():
        message = "%s: the cache has another version (%s, expected SHA-256 %s), it is passed over"
        LOG.warning(message, url, copy, expected, extra={"is_shown": True})
        return None
    return copy


def check_address(url: str) -> None:
    """Refuse what is no address of a file on the network.

    Raises:
        DownloadError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(f"{url}: not an address this can fetch, expected http:// or https://; correct the URL")


def _download_any(session: requests.Session, source: Download, output: Path, record: Path) -> Path:
    """Download from the first address that has the expected file; return the complete and checked part.

    Each address has its own part.
    """
    failures = []
    for number, url in enumerate(source.urls):
        partial = output.with_name(f".{output.name}{f'.{number}' if number else ''}.partial")
        try:
            _download(session, url, partial)
            return _checked(session, url, partial, source, record)
        except DownloadError as error:
            failures.append(str(error))
            if number + 1 < len(source.urls):
                following = source.urls[number + 1]
                LOG.warning("%s; the next address is tried, %s", error, following, extra={"is_shown": True})
    raise DownloadError("\n".join(failures))


def _checked(session: requests.Session, url: str, partial: Path, source: Download, record: Path) -> Path:
    """Check a whole download; return it, or the member of an archive that its address names, in place of the archive.

    Raises:
        DownloadError: it is not the expected file, and is removed.
    """
    member = _member(url)
    file = partial.with_name(f"{partial.name}.member") if member else partial
    try:
        if source.checksums:
            checksums.check_published(session, source.checksums, url, partial)
        if member:
            _copy_member(url, member, partial, file)
        checksums.check(url, file, source, record, "network")
    except DownloadError:
        file.unlink(missing_ok=True)
        raise
    finally:
        if member or not file.exists():
            partial.unlink(missing_ok=True)
            _version_file(partial).unlink(missing_ok=True)
    fsync(file)
    return file


def _member(url: str) -> str:
    """Return the end of the path of a member of the archive at an address, which names it behind ``#``; else ''."""
    return unquote(urlsplit(url).fragment)


def _copy_member(url: str, member: str, path: Path, file: Path) -> None:
    """Copy the member of an archive that an address names.

    Raises:
        DownloadError: the archive is broken, or has no such member, or several.
    """
    try:
        with archive.open_member(path, archive.member_with_suffix(path, member)) as data, open(file, "wb") as copy:
            shutil.copyfileobj(data, copy)
    except ArchiveError as error:
        raise DownloadError(f"{url}: {error}") from error


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


class _LoggedRetry(Retry):
    """Waits as long as a busy server asks (Retry-After), and says so on the screen."""

    def sleep_for_retry(self, response: BaseHTTPResponse) -> bool:
        """Wait, where the server names a time."""
        if seconds := self.get_retry_after(response):
            message = "%s: the server answers %d and asks to wait %d s"
            LOG.warning(message, response.url, response.status, seconds, extra={"is_shown": True})
        return super().sleep_for_retry(response)


def open_session(contact: str | None, retries: int = RETRIES) -> requests.Session:
    """Open connections that name this project, and ask busy servers again, at most so often."""
    session = requests.Session()
    session.headers.update({"User-Agent": user_agent(contact), "Accept-Encoding": "identity"})
    retry = _LoggedRetry(total=retries, backoff_factor=BACKOFF, status_forcelist=BUSY, raise_on_status=False)
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _download(session: requests.Session, url: str, partial: Path) -> None:
    """Complete ``partial`` over as many connections as needed, up to ``ATTEMPTS``."""
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
    address = hub.network_address(url)
    headers = hub.authorization(address)
    if start:
        headers["Range"] = f"bytes={start}-"
        version = _version_file(partial)
        if version.exists():
            headers["If-Range"] = version.read_text(encoding="utf-8")
    with session.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        status, content_range = answer.status_code, answer.headers.get("Content-Range", "")
        if status not in (codes.ok, codes.partial_content, codes.requested_range_not_satisfiable):
            remedy = "run again later" if status in BUSY else "check the URL"
            raise DownloadError(f"{url}: the server answers {status} {answer.reason}; {REMEDIES.get(status, remedy)}")
        if status == codes.requested_range_not_satisfiable and content_range == f"bytes */{start}":
            return  # nothing is missing
        if status != codes.ok and not content_range.startswith(f"bytes {start}-"):
            partial.unlink()
            raise requests.ConnectionError("the part on disk does not fit the server's file or answer; started anew")
        _receive(answer, partial, 0 if status == codes.ok else start)


def user_agent(contact: str | None = None) -> str:
    """Name the project, its version, and whom the publisher may write to.

    Some servers, such as dumps.wikimedia.org, refuse the library's own name with the answer 403.
    """
    comment = f"{DESCRIPTION}; {contact}" if contact else DESCRIPTION
    return f"{PROJECT}/{VERSION} ({comment})"


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
