"""Whether every address of a configuration answers, and with the size that is known; only headers are asked for."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pandas as pd
import requests
from requests import codes

from xlm_core.config import Download
from xlm_core.errors import DownloadError
from xlm_core.io import read_json
from xlm_core.text import hub
from xlm_core.text.checksums import TIMEOUT
from xlm_core.text.download import check_address, open_session

AT_ONCE = 2  # requests; some servers refuse more from one machine
NO_HEADERS = (codes.forbidden, codes.not_found, codes.method_not_allowed, codes.not_implemented)  # to HEAD, by some


class Answer(NamedTuple):
    """What a server says of an address: ``status`` in words, whether it is reachable, size in bytes, and date."""

    status: str
    is_reachable: bool
    n_bytes: int | None
    modified: str


def ask(session: requests.Session, url: str) -> Answer:
    """Ask for the headers of an address; where a server answers no such request, for its first byte."""
    try:
        check_address(url)
        url = hub.network_address(url)
        headers = hub.authorization(url)
        answer = session.head(url, timeout=TIMEOUT, headers=headers, allow_redirects=True)
        if answer.status_code in NO_HEADERS:
            answer = session.get(url, timeout=TIMEOUT, headers={**headers, "Range": "bytes=0-0"}, stream=True)
            answer.close()
    except (requests.RequestException, DownloadError) as error:
        return Answer(f"{type(error).__name__}", False, None, "")
    is_reachable = answer.status_code in (codes.ok, codes.partial_content)
    content_range, length = answer.headers.get("Content-Range", ""), answer.headers.get("Content-Length", "")
    size = content_range.rpartition("/")[2] if answer.status_code == codes.partial_content else length
    n_bytes = int(size) if is_reachable and size.isdigit() else None
    return Answer(
        f"{answer.status_code} {answer.reason}", is_reachable, n_bytes, answer.headers.get("Last-Modified", "")
    )


def check(sources: Iterable[tuple[Download, Path]], contact: str | None) -> pd.DataFrame:
    """Ask for every address.

    Args:
        sources: each with the record of its first download, which need not be there.
        contact: whom the publisher may write to, told with each request.

    Returns:
        A row for each address: "address", "answer", "reachable", "bytes", "date" and "size", which is compared with
        what is known or recorded: "as expected", "differs" or "" where nothing is known of it.
    """
    pairs = [(source, record, url) for source, record in sources for url in source.urls]
    with open_session(contact, retries=1) as session, ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda pair: ask(session, pair[2]), pairs))
    return pd.DataFrame(
        {
            "address": url,
            "answer": answer.status,
            "reachable": answer.is_reachable,
            "bytes": answer.n_bytes,
            "date": answer.modified,
            "size": _compare(url, answer.n_bytes, source, record),
        }
        for (source, record, url), answer in zip(pairs, answers, strict=True)
    )


def _compare(url: str, n_bytes: int | None, source: Download, record: Path) -> str:
    """Say whether a size is the one that is known or recorded; of a member of an archive it cannot be told."""
    if urlsplit(url).fragment:
        return ""
    expected = source.n_bytes if source.n_bytes is not None else read_json(record)["bytes"] if record.exists() else None
    if None in (n_bytes, expected):
        return ""
    return "as expected" if n_bytes == expected else f"differs: {expected:,} expected"


def as_text(table: pd.DataFrame) -> str:
    """Write the table of ``check`` in Markdown."""
    shown = table.assign(
        reachable=table["reachable"].map({True: "yes", False: "no"}),
        bytes=[f"{size:,.0f}" if pd.notna(size) else "" for size in table["bytes"]],
    )
    return str(shown.to_markdown(index=False, colalign=["left", "left", "left", "right", "left", "left"]))


def require_reachable(table: pd.DataFrame, sources: Sequence[Download]) -> None:
    """Refuse a table of ``check`` in which a file is at none of its addresses.

    Raises:
        DownloadError: there is one.
    """
    reachable = set(table.loc[table["reachable"], "address"])
    if lost := [source.urls[0] for source in sources if not reachable & set(source.urls)]:
        raise DownloadError(
            f"{len(lost)} of {len(sources)} files are at none of their addresses, the first being {lost[0]}; correct "
            "the url, or lay them into the mirror"
        )
