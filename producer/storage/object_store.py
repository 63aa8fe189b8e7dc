"""Objects in an object store (`s3://…`), through fsspec: each call bounded in time, each error says what to do."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import fsspec
from fsspec.asyn import AsyncFileSystem

from producer.contract.event import check_key
from producer.contract.reasons import faults
from producer.storage.store import ImageMissing, ImageRefused
from producer.terminal.redaction import discreet

ANSWER_SECONDS: Final = 30.0
"""How long one call may take, with all that s3fs and botocore try again in it (left alone: half an hour, with a store
that is silent). Enough for the largest image, 128 MB, at 5 MB/s."""

CONNECTIONS: Final = 64
"""Connections of a process at most. With botocore's ten, a worker's 32 threads wait for each other."""

_RIGHTS: Final = (
    "allow it s3:GetObject, s3:PutObject and s3:ListBucket (without the last, what is missing looks forbidden)"
)

_WHAT_TO_DO: Final = {
    "NoSuchBucket": "there is no such bucket: create it, or name another",
    "AccessDenied": f"the store does not allow it: {_RIGHTS}",
    "InvalidAccessKeyId": "the store does not know the access key: look at AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the store refuses the secret key: look at AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired: renew them",
    "NoCredentialsError": "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "EndpointConnectionError": "the store cannot be reached: is it up, and is AWS_ENDPOINT_URL right?",
}
"""By S3's error code, or the name of botocore's own exception."""

_NUMBERED: Final = {"403": "AccessDenied", "416": "InvalidRange"}
"""What some stores say with the number of the HTTP status alone."""

_ERRNO: Final = {
    "AccessDenied": errno.EACCES,
    "InvalidAccessKeyId": errno.EACCES,
    "SignatureDoesNotMatch": errno.EACCES,
}


class RemoteStore:
    """Images in an object store; safe to use from several threads, which share its connections.

    Nothing is cached: an image that was missing once may be there at the next call.
    """

    def __init__(self, root: str, answer_seconds: float = ANSWER_SECONDS):
        """Nothing is connected before the first call, each of which may take `answer_seconds`.

        Raises:
            ValueError, ImportError: there is no such protocol, or what it needs is not installed.
        """
        self._files, path = _file_system(root)
        # fsspec bounds only what it does asynchronously, which is what goes over a network.
        self._bound = {"timeout": answer_seconds} if isinstance(self._files, AsyncFileSystem) else {}
        self._root = path.rstrip("/")

    def put(self, key: str, data: bytes) -> str:
        """See `ImageStore.put`; object stores have the whole object, durably, when they say so, or none."""
        path = self._path(key)
        digest = hashlib.sha256(data).hexdigest()
        stored = self._read(path, len(data) + 1)
        if stored is not None:
            if hashlib.sha256(stored).hexdigest() == digest:
                return digest
            raise ValueError(f"another image is stored under {key!r} already")
        try:
            self._files.pipe_file(path, data, **self._bound)
        except Exception as error:
            raise explained(error, self._root) from error
        return digest

    def get(self, key: str, limit: int) -> bytes:
        """See `ImageStore.get`."""
        data = self._read(self._path(key), limit + 1)
        if data is None:
            raise ImageMissing(faults.MISSING(key=key))
        if len(data) > limit:
            raise ImageRefused(faults.TOO_LARGE(key=key, most=limit))
        return data

    def keys(self) -> list[str]:
        """See `FileStore.keys`."""
        try:
            listed = self._files.ls(self._root, detail=False, refresh=True, **self._bound)
        except Exception as error:
            if isinstance(error, FileNotFoundError) and _code(error) != "NoSuchBucket":
                return []
            raise explained(error, self._root) from error
        return sorted(str(path).rpartition("/")[2] for path in listed)

    def remove(self, key: str) -> None:
        """See `FileStore.remove`."""
        path = self._path(key)
        try:
            self._files.rm_file(path, **self._bound)
        except FileNotFoundError:
            return
        except Exception as error:
            raise explained(error, self._root) from error

    def _read(self, path: str, most: int) -> bytes | None:
        """The first `most` bytes of an object, or None where there is none."""
        try:
            return bytes(self._files.cat_file(path, start=0, end=most, **self._bound))
        except Exception as error:
            if _code(error) == "InvalidRange":  # an object of no bytes has no first one
                return b""
            if isinstance(error, FileNotFoundError) and _code(error) != "NoSuchBucket":
                return None
            raise explained(error, self._root) from error

    def _path(self, key: str) -> str:
        return f"{self._root}/{check_key(key)}"


def download(url: str, target: Path) -> None:
    """Copy the object at `url` into the file `target`, however long it takes; a store that falls silent ends it.

    Raises:
        ValueError: the URL's protocol is unknown, or what it needs is not installed.
        OSError: there is no such object, or the store cannot be read.
    """
    try:
        files, path = _file_system(url)
    except (ImportError, ValueError) as error:
        raise ValueError(f"cannot read {discreet(url)!r}: {how_to_install(error)}") from error
    try:
        files.get_file(path, str(target))
    except FileNotFoundError as error:
        if _code(error) == "NoSuchBucket":
            raise explained(error, discreet(url)) from error
        raise FileNotFoundError(errno.ENOENT, "there is no such object", discreet(url)) from error
    except Exception as error:
        raise explained(error, discreet(url)) from error


def how_to_install(error: Exception) -> str:
    """What to do about a store that cannot be opened."""
    if isinstance(error, ImportError):
        return f"{error} (for s3://: pip install 'insert-inspection[s3]')"
    return str(error)


def explained(error: Exception, place: str) -> OSError:
    """An error of fsspec, s3fs or botocore as an `OSError` for the person who has to put it right."""
    code = _code(error)
    if isinstance(error, TimeoutError):
        return OSError(errno.ETIMEDOUT, "the store did not answer within the time that it is given", place)
    problem = _WHAT_TO_DO.get(code, f"the store failed ({code}: {error})")
    return OSError(_ERRNO.get(code, errno.EIO), problem, place)


def _code(error: Exception) -> str:
    """S3's code of an error that s3fs has translated, or the name of its class."""
    response = getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return _NUMBERED.get(code, code) if isinstance(code, str) else type(error).__name__


def _file_system(url: str) -> tuple[Any, str]:
    if url.startswith(("s3://", "s3a://")) and "@" in urlsplit(url).netloc:
        raise ValueError("a URL of S3 holds no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
    options = {"config_kwargs": {"max_pool_connections": CONNECTIONS}} if url.startswith(("s3://", "s3a://")) else {}
    files, path = fsspec.core.url_to_fs(url, **options)
    return files, str(path)
