"""Files of the Hugging Face hub: where they lie on this machine, and where and as whom they are asked for.

The environment variables of ``huggingface_hub`` count: ``HF_HOME`` and ``HF_HUB_CACHE`` (the cache), ``HF_ENDPOINT`` (a
copy of the hub), ``HF_HUB_OFFLINE``, and ``HF_TOKEN``, without which the token of ``hf auth login`` is taken. The hub's
files are downloaded as all others (``xlm_core.text.download``).
"""

import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

from xlm_core.errors import DownloadError

HOST = "https://huggingface.co"
ADDRESS = re.compile(rf"{HOST}/(?:(datasets|spaces)/)?([\w.-]+/[\w.-]+)/resolve/([^/]+)/([^?#]+)")


class HubFile(NamedTuple):
    """A file of a repository on the hub: of the ``kind`` "model", "dataset" or "space", in a ``revision``."""

    kind: str
    repository: str
    revision: str
    name: str

    @classmethod
    def of_url(cls, url: str) -> "HubFile | None":
        """Return the file of an address; None: it is not one of the hub."""
        if not (match := ADDRESS.fullmatch(url)):
            return None
        kind, repository, revision, name = match.groups()
        return cls(kind.removesuffix("s") if kind else "model", repository, unquote(revision), unquote(name))

    def cached(self) -> Path | None:
        """Return the path of the file in the cache of ``huggingface_hub``; None where it is not there."""
        from huggingface_hub import try_to_load_from_cache  # not at the top: it imports much, for few downloads

        path = try_to_load_from_cache(self.repository, self.name, revision=self.revision, repo_type=self.kind)
        return Path(path) if isinstance(path, str) else None


def network_address(url: str) -> str:
    """Return where the network is asked for a file: of the hub at ``HF_ENDPOINT``.

    Raises:
        DownloadError: the file is of the hub, and ``HF_HUB_OFFLINE`` forbids to ask it.
    """
    file = HubFile.of_url(url)
    if file is None:
        return url
    if constants.HF_HUB_OFFLINE:
        option = "" if file.kind == "model" else f" --repo-type {file.kind}"
        raise DownloadError(
            f"{url}: not in the cache {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE forbids the network; fill the cache "
            f"where there is one (hf download {file.repository} {file.name} --revision {file.revision}{option}) and "
            f"bring it here, or lay the file into the mirror"
        )
    return constants.ENDPOINT + url.removeprefix(HOST)


def authorization(url: str) -> dict[str, str]:
    """Return the header that names the user to the hub, and to nobody else; none where there is no token."""
    if urlsplit(url)[:2] != urlsplit(constants.ENDPOINT)[:2]:
        return {}
    from huggingface_hub import get_token

    token = get_token()
    return {"Authorization": f"Bearer {token}"} if token else {}
