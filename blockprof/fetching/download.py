"""Bring published files into the cache: resumed where a download broke off, checked, and whole or not at all."""

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pooch
import requests
from tqdm import tqdm

from blockprof.fetching.catalogue import Remote
from blockprof.fetching.files import CHUNK_BYTES, TIMEOUT_S, reason
from blockprof.foundation.errors import FetchError, InputError
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    import gdown
else:
    gdown = lazy_import("gdown")


RANGE_NOT_SATISFIABLE = 416
PARTIAL_CONTENT = 206


class ResumingDownloader:
    """A ``downloader`` for pooch that keeps what it has in ``part``, and goes on from there the next time.

    pooch's own starts over. The server must take ranges, and say by a strong ETag that its file is still the same;
    where a checksum will tell (``checked``), the ETag may lack.
    """

    def __init__(self, part: Path, *, checked: bool, progress: bool) -> None:
        self._part, self._checked, self._progress = part, checked, progress
        self._etag = part.with_name(f"{part.name}.etag")

    def __call__(self, url: str, output_file: str, _pooch: Any, check_only: bool = False) -> None:
        """Download ``url`` and move it to ``output_file``.

        Raises:
            requests.RequestException: the download failed; what came of it is kept.
        """
        if not self._receive(url, self._resume_headers()):
            self._part.unlink(missing_ok=True)
            self._receive(url, {})
        self._etag.unlink(missing_ok=True)
        os.replace(self._part, output_file)

    def _resume_headers(self) -> dict[str, str]:
        if not self._part.is_file() or not self._part.stat().st_size:
            return {}
        etag = self._etag.read_text(encoding="latin-1") if self._etag.is_file() else None
        if etag is None and not self._checked:
            return {}
        return {"Range": f"bytes={self._part.stat().st_size}-", **({"If-Range": etag} if etag else {})}

    def _receive(self, url: str, resume: dict[str, str]) -> bool:
        """False where the server cannot go on from what is there."""
        # Compressed, the bytes that come would not be those that are counted.
        headers = {"Accept-Encoding": "identity", **resume}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
            offset = self._part.stat().st_size if resume else 0
            if response.status_code == RANGE_NOT_SATISFIABLE and resume:
                return False
            response.raise_for_status()
            if response.status_code != PARTIAL_CONTENT:
                offset = 0
            elif not re.match(rf"bytes {offset}-", response.headers.get("Content-Range", "")):
                return False
            self._keep_etag(response.headers.get("ETag", ""))
            self._write(response, offset)
        return True

    def _keep_etag(self, etag: str) -> None:
        if etag and not etag.startswith("W/"):
            self._etag.write_text(etag, encoding="latin-1")
        else:
            self._etag.unlink(missing_ok=True)

    def _write(self, response: requests.Response, offset: int) -> None:
        length = response.headers.get("Content-Length", "")
        total = offset + int(length) if length.isdecimal() else None
        with (
            self._part.open("ab" if offset else "wb") as file,
            tqdm(
                total=total, initial=offset, unit="B", unit_scale=True, ncols=79, disable=not self._progress
            ) as progress,
        ):
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                progress.update(len(chunk))


class DriveDownloader:
    """A ``downloader`` for pooch of files on Google Drive; gdown resumes them, and asks past its warnings."""

    def __init__(self, remote: Remote, whole: Path, *, progress: bool) -> None:
        self._remote, self._whole, self._progress = remote, whole, progress

    def __call__(self, _url: str, output_file: str, _pooch: Any, check_only: bool = False) -> None:
        """Download the file and move it to ``output_file``.

        Raises:
            requests.RequestException, gdown.exceptions.DownloadError: the download failed.
            FetchError: the folder holds no file of that name.
        """
        remote = self._remote
        file_id = remote.drive_file
        if file_id is None:
            there = _drive_folder(str(remote.drive_folder))
            if remote.name not in there:
                raise FetchError(f"holds no {remote.name}: was it moved or renamed?", where=remote.place)
            file_id = there[remote.name]
        gdown.download(
            id=file_id,
            output=str(self._whole),
            quiet=not self._progress,
            use_cookies=False,
            resume=True,
            timeout=TIMEOUT_S,
        )
        os.replace(self._whole, output_file)


@cache
def _drive_folder(folder_id: str) -> dict[str, str]:
    """The ids of the files in a folder, by name."""
    listed: list[Any] = gdown.download_folder(
        id=folder_id, skip_download=True, quiet=True, use_cookies=False, timeout=TIMEOUT_S
    )
    return {Path(file.path).name: file.id for file in listed}


def obtain(
    remote: Remote, cache_folder: Path, *, sha256: str | None, mirror: str | None = None, progress: bool = False
) -> Path:
    """Bring a published file into ``cache_folder``, or find it there, and return its path.

    ``mirror`` is a folder or an address that holds the file by its name, instead of where it is published; a file in a
    mirror's folder is used where it lies. ``sha256`` is what the file must have, None where that is not known.

    Raises:
        InputError: there is no such file in the mirror's folder, or ``cache_folder`` cannot be written to.
        FetchError: the download failed, or the file is another one than ``sha256`` says.
    """
    if mirror is not None and "://" not in mirror:
        return _in_folder(Path(mirror) / remote.name, sha256)
    url = remote.url if mirror is None else f"{mirror.rstrip('/')}/{quote(remote.name)}"
    place = url or remote.place
    target = cache_folder / remote.name
    part = cache_folder / f"{remote.name}.part"
    downloader = (
        ResumingDownloader(part, checked=sha256 is not None, progress=progress)
        if url
        else DriveDownloader(remote, cache_folder / f"{remote.name}.whole", progress=progress)
    )
    # pooch tells on standard error what it does, which is more than asked for.
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(place, sha256, fname=target.name, path=cache_folder, downloader=downloader)
    except (requests.RequestException, gdown.exceptions.DownloadError) as error:
        said = reason(error) if isinstance(error, requests.RequestException) else " ".join(str(error).split())
        raise FetchError(
            said,
            where=place,
            remedy="check the address and the connection, then try again",
            code="download-failed",
        ) from error
    except ValueError as error:
        raise FetchError(
            f"what came is not the published file, its sha256 is not {sha256}",
            where=place,
            remedy="check the mirror or try again",
            code="not-the-published-file",
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot write to the folder {cache_folder}: {error.strerror}: set BLOCKPROF_CACHE to another one"
        ) from error
    return target


def _in_folder(path: Path, sha256: str | None) -> Path:
    if not path.is_file():
        raise InputError(
            "there is no such file in the mirror", where=path, remedy="check the folder", code="not-in-the-mirror"
        )
    if sha256 is not None and (actual := pooch.file_hash(path)) != sha256:
        raise FetchError(
            f"its sha256 is {actual}, not {sha256}: it is not the published file",
            where=path,
            code="not-the-published-file",
        )
    return path
