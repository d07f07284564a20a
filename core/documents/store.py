"""Where the bytes of documents lie: `memory://`, `file:///folder` or `s3://bucket/prefix`, by GUICHET_DOCUMENTS_URL."""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import obstore
from obstore.store import LocalStore, from_url

from core.settings import settings

_KEY = re.compile(r"[0-9a-f]{32}")
_RETRY: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
"""A click waits for the store: rather an error soon than the three minutes of the library."""


def new_key() -> str:
    """Return a random key: nothing that a user typed is in it (S31)."""
    return secrets.token_hex(16)


def put(key: str, data: bytes) -> None:
    """Store bytes; when this returns they outlast a power cut."""
    store = _store()
    obstore.put(store, _checked(key), data)
    if isinstance(store, LocalStore):
        folder = Path(str(store.prefix))
        _sync(folder / key)
        _sync(folder)


def get(key: str) -> bytes:
    """Return the bytes of a key. Raises FileNotFoundError."""
    return bytes(obstore.get(_store(), _checked(key)).bytes())


def delete(key: str) -> None:
    """Delete the bytes of a key; a key that is gone already is no error."""
    try:
        obstore.delete(_store(), _checked(key))
    except FileNotFoundError:
        return


def older_than(moment: datetime) -> Iterator[list[str]]:
    """Return the keys that were written before a (real) moment, a few at a time."""
    for found in obstore.list(_store(), chunk_size=500):
        yield [thing["path"] for thing in found if thing["last_modified"] < moment]


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("Only a key of new_key() names stored bytes.")
    return key


def _store() -> Any:  # noqa: ANN401 - one class for each kind of address
    return _opened(settings().documents_url)


@cache
def _opened(url: str) -> Any:  # noqa: ANN401 - one class for each kind of address
    if url.startswith("memory:"):
        return from_url(url)
    return from_url(url, mkdir=True) if url.startswith("file:") else from_url(url, retry_config=_RETRY)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
