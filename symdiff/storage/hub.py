"""Checkpoints on the Hugging Face hub, or on a server that speaks its protocol: pushed whole, verified on return."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from symdiff.errors import UserError
from symdiff.storage import sealed
from symdiff.storage.boundary import describe

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_STALE = ["*.json", "*.safetensors", "*.yaml", sealed.SUMS]
"""What an earlier checkpoint may have left in a repository. Its card and everything else there stay."""


def is_name(source: str) -> bool:
    """Tell whether a text has the form of a repository's name, ``user/name``.

    Parameters
    ----------
    source : str
        The text.

    Returns
    -------
    bool
        Whether it has.
    """
    return _NAME.fullmatch(source) is not None


def download(
    name: str,
    revision: str | None = None,
    cache_dir: str | Path | None = None,
    token: str | bool | None = None,
    local_files_only: bool = False,
    force_download: bool = False,
) -> Path:
    """Download the files that a repository's SHA256SUMS lists, and no others, into the hub's cache.

    Parameters
    ----------
    name : str
        ``user/name``.
    revision : str, optional
        A branch, a tag or a commit.
    cache_dir : str or Path, optional
        Folder of the cache, by default ``$HF_HUB_CACHE``, else ``$HF_HOME/hub``.
    token : str or bool, optional
        By default ``$HF_TOKEN`` or that of ``hf auth login``; False for none.
    local_files_only : bool
        Whether only what the cache holds already may be taken.
    force_download : bool
        Whether files are downloaded that the cache holds already.

    Returns
    -------
    Path
        The folder of this revision. Its files may be links into the cache.

    Raises
    ------
    UserError
        For a repository, revision or network that is not there, and for one that holds no checkpoint.
    """
    from huggingface_hub import hf_hub_download, snapshot_download

    options = {
        "cache_dir": cache_dir or _cache(),
        "token": token,
        "endpoint": _endpoint(),
        "local_files_only": local_files_only,
        "force_download": force_download,
    }
    try:
        sums = Path(hf_hub_download(name, sealed.SUMS, revision=revision, **options))
        snapshot_download(
            name, revision=sums.parent.name, allow_patterns=sealed.list_names(sums.parent, sealed.CHECKPOINT), **options
        )
    except Exception as error:
        raise UserError(f"{name}: no such folder, and {_explain_download(error, revision)}") from error
    return sums.parent


def push(
    folder: str | Path,
    name: str,
    message: str | None = None,
    private: bool | None = None,
    token: str | bool | None = None,
    revision: str | None = None,
    create_pr: bool = False,
) -> str:
    """Push a checkpoint folder in one commit; the repository is made where there is none.

    Parameters
    ----------
    folder : str or Path
        A whole checkpoint, see ``checkpoint.verify``.
    name : str
        ``user/name``, or ``name`` alone for one's own.
    message : str, optional
        Of the commit.
    private : bool, optional
        Whether a new repository is private, by default as the account has it.
    token : str or bool, optional
        By default ``$HF_TOKEN`` or that of ``hf auth login``.
    revision : str, optional
        The branch, made where there is none.
    create_pr : bool
        Whether the commit is offered as a pull request.

    Returns
    -------
    str
        The address of the commit.

    Raises
    ------
    UserError
        Says what is missing. A repository that was made for the push is removed again.
    """
    from huggingface_hub import HfApi

    from symdiff.storage.checkpoint import verify

    verify(Path(folder))
    _check_push(name, token)
    api, made = HfApi(endpoint=_endpoint(), token=token), False
    try:
        if not is_name(name):
            name = f"{api.whoami()['name']}/{name}"
        made = not api.repo_exists(name) and _create(api, name, private)
        if revision is not None:
            api.create_branch(name, branch=revision, exist_ok=True)
        message = message or "Push a checkpoint of symdiff"
        settings = {"commit_message": message, "revision": revision, "create_pr": create_pr}
        commit = api.upload_folder(repo_id=name, folder_path=folder, delete_patterns=_STALE, **settings)
    except Exception as error:
        left = _remove(api, name) if made else ""
        raise UserError(f"{name}: not pushed: {_explain_push(error, name)}{left}") from error
    return str(commit.pr_url or commit.commit_url)


def _check_push(name: str, token: str | bool | None) -> None:
    """Raise UserError for what is no name of a repository, and where there is no token."""
    from huggingface_hub import get_token

    if not is_name(name) and not is_name(f"user/{name}"):
        raise UserError(f"{name}: expected the name of a repository, user/name")
    if token is False or not (token or get_token()):
        raise UserError(
            f"{name}: not pushed: a token for the hub is missing; set HF_TOKEN, or log in with: hf auth login"
        )


def card(name: str) -> str:
    """Write a model card that says how a checkpoint is used, for one that has none.

    Parameters
    ----------
    name : str
        The name of the checkpoint.

    Returns
    -------
    str
        Markdown with the hub's header.
    """
    return (
        "---\nlibrary_name: symdiff\ntags:\n- symdiff\n---\n"
        f"# {name}\n\nA checkpoint of symdiff.\n\n"
        f'```python\nfrom symdiff import Pipeline\n\nsamples = Pipeline.from_pretrained("{name}").sample(16)\n```\n'
    )


def _endpoint() -> str | None:
    """``$HF_ENDPOINT`` as it is now; huggingface_hub reads it once, when it is imported."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _cache() -> str | None:
    """``$HF_HUB_CACHE``, else ``$HF_HOME/hub``, as they are now."""
    if os.environ.get("HF_HUB_CACHE"):
        return os.environ["HF_HUB_CACHE"]
    return os.path.join(os.environ["HF_HOME"], "hub") if os.environ.get("HF_HOME") else None


def _create(api: HfApi, name: str, private: bool | None) -> bool:
    """Make a repository; False where it is there already, though the token may not see it."""
    try:
        api.create_repo(name, private=private)
    except Exception as error:
        if _status(error) != 409:
            raise
        return False
    return True


def _remove(api: HfApi, name: str) -> str:
    """Remove the empty repository that a push has made. Returns what is to be added to the message."""
    try:
        api.delete_repo(name, missing_ok=True)
    except Exception:
        return f"; an empty repository was left at {api.endpoint}/{name}"
    return ""


def _status(error: BaseException | None) -> int | None:
    """The status of the answer that an error, or what caused it, comes from."""
    while error is not None:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status is not None:
            return status
        error = error.__cause__
    return None


def _explain_push(error: Exception, name: str) -> str:
    owner, status = name.partition("/")[0], _status(error)
    if status == 401:
        return "the hub does not accept the token; set HF_TOKEN, or log in with: hf auth login"
    if status == 403:
        return f"the token may not write to {owner}; it needs the permission to write there"
    if status is not None:
        return f"the hub answers {status} ({describe(error)})"
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    unreachable = isinstance(root, OSError) or type(root).__module__.startswith(("http", "requests", "urllib3"))
    return f"{_endpoint() or 'the hub'} cannot be reached ({describe(root)})" if unreachable else describe(root)


def _explain_download(error: Exception, revision: str | None) -> str:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, LocalEntryNotFoundError):
        return "the hub, where it might be, cannot be reached"
    if isinstance(error, RevisionNotFoundError):
        return f"the repository on the hub has no revision {revision!r}"
    if isinstance(error, EntryNotFoundError):
        return f"the repository on the hub holds no checkpoint of symdiff: {sealed.SUMS} is missing"
    if isinstance(error, RepositoryNotFoundError):
        return "no repository of that name on the hub, or the token (HF_TOKEN) may not see it"
    if isinstance(error, UserError):
        return f"the repository on the hub holds no checkpoint of symdiff: {error}"
    return f"no download from the hub: {describe(error)}"
