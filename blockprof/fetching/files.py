"""Bring data files into the data folder: from a file, a folder or the network, whole and checked, or not at all."""

import re
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256 as hash_sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pooch
import requests

from blockprof.fetching.understood import check_understood
from blockprof.foundation.errors import Argument, DataFileError, FetchError, InputError, Place, Said
from blockprof.latency_data import LatencyData, first_network, named_space, parse_latency_csv, staged
from blockprof.latency_data.layout import NET, SPACE
from blockprof.spaces import Space, load_space, space_names, spaces_having

TIMEOUT_S = 15
CHUNK_BYTES = 1 << 16
FOLDER_ENDINGS = (".csv", ".csv.gz", ".tsv", ".parquet", ".yaml", ".yml")


@dataclass(frozen=True)
class FetchedFile:
    """A file in the data folder: its SHA-256 and, where it is in BlockProfile's layout, the latencies it holds.

    ``pinned_in`` is the lock file that holds the checksum, where none is published.
    """

    path: Path
    sha256: str
    latencies: LatencyData | None
    pinned_in: Path | None = None


def fetch(
    source: str | Path,
    folder: str | Path,
    *,
    sha256: str | None = None,
    space: Space | None = None,
    progress: bool = False,
) -> list[FetchedFile]:
    """Bring ``source`` into ``folder``; after an error ``folder`` is as it was.

    ``source`` is a file, a folder (its latencies and YAML files go into a folder of its name), or an http(s) address.
    An address needs ``sha256``, which a file may have as well. Tables that a metric is read from are read first, and
    what no command would read is refused. Files in BlockProfile's CSV layout are read and checked first, as networks
    of ``space``; without it, or in a folder, of the space that the file names, or the only one that has its first
    network. A file that is there already is left alone where it is the same. ``progress`` shows a bar of the download
    on standard error.

    Raises:
        InputError: there is no such source, the checksum is missing or not one, ``folder`` cannot be written to, or
            holds another file of the same name.
        DataFileError: a file that cannot be used, or that is not understood.
        FetchError: the download failed, or the checksum is not the file's.
    """
    folder = Path(folder)
    expected = None if sha256 is None else _parse_sha256(sha256)
    if "://" in str(source):
        return [_fetch_url(str(source), folder, expected, space, progress)]
    path = Path(source)
    if path.is_dir():
        return _fetch_folder(path, folder, expected, space)
    with staged(folder) as temporary:
        return [_accept_own(_copy(path, temporary), folder, origin=str(path), sha256=expected, space=space)]


def _accept_own(
    file: Path,
    folder: Path,
    *,
    origin: str,
    sha256: str | None = None,
    space: Space | None = None,
    subfolder: str | None = None,
) -> FetchedFile:
    """As :func:`accept`, and refuse what no command would read. ``subfolder`` is where the file goes, if into one."""
    accepted = accept(file, folder, origin=origin, sha256=sha256, space=space)
    if accepted.latencies is None:
        check_understood(file, origin, subfolder)
    return accepted


def accept(
    file: Path, folder: Path, *, origin: str, sha256: str | None = None, space: Space | None = None
) -> FetchedFile:
    """Check a staged file that is to go into ``folder``; ``origin`` names it in messages.

    Raises:
        FetchError: its SHA-256 is not ``sha256``.
        DataFileError: it is in BlockProfile's layout, but cannot be used.
        InputError: ``folder`` holds another file of its name.
    """
    content = file.read_bytes()
    actual = hash_sha256(content).hexdigest()
    if sha256 not in (None, actual):
        raise FetchError(
            f"its sha256 is {actual}, not {sha256}",
            where=origin,
            remedy="check the source and the checksum",
            code="wrong-checksum",
        )
    net = first_network(content)
    latencies = (
        None if net is None else parse_latency_csv(content, space or _space_of(content, net, file, origin), origin)
    )
    target = folder / file.name
    if target.exists() and target.read_bytes() != content:
        raise _other_file(target)
    return FetchedFile(target, actual, latencies)


def _space_of(content: bytes, net: str, file: Path, origin: str, likely: Space | None = None) -> Space:
    """The space that a file's rows name; else, of those that have its first network, ``net``: the likely one, the only
    one, or the one that BlockProfile's layout has in the file's name.
    """
    if name := named_space(content):
        if name not in space_names():
            known = f"there are {', '.join(space_names())}"
            raise DataFileError(f"there is no space '{name[:80]}'", where=Place(origin, column=SPACE), remedy=known)
        return load_space(name)
    found = spaces_having(net)
    if likely is not None and (likely in found or not found):
        return likely
    named = [space for space in found if len(found) == 1 or file.name.startswith(f"ofa_{space.name}_")]
    if len(named) == 1:
        return named[0]
    remedy: str | Said = f"there are {', '.join(space_names())}"
    if found:
        what = f"{' and '.join(space.name for space in found)} have such networks"
        remedy = Said("say by {} which it is of", Argument("space"))
    else:
        what = f"the first network is of no space: '{net[:80]}'" if net else "has no rows"
    raise DataFileError(what, where=Place(origin, column=NET), remedy=remedy, code="no-space-tells")


def _space_in_folder(copy: Path, file: Path, likely: Space | None) -> Space | None:
    """The space of a file of a folder, which may hold files of several; None where it has no latencies."""
    content = copy.read_bytes()
    net = first_network(content)
    return None if net is None else _space_of(content, net, file, str(file), likely)


def _fetch_folder(source: Path, folder: Path, sha256: str | None, space: Space | None) -> list[FetchedFile]:
    if sha256 is not None:
        raise InputError(
            "is a folder, and a checksum is for one file",
            where=source,
            remedy=Said("leave {} out", Argument("sha256")),
            code="checksum-of-a-folder",
        )
    files = sorted(file for file in source.iterdir() if _is_taken(file))
    if not files:
        raise InputError(
            f"the folder holds no {', '.join(FOLDER_ENDINGS)} files",
            where=source,
            remedy="give one that does",
            code="empty-folder",
        )
    target = folder / source.resolve().name
    with staged(target) as temporary:
        return [
            _accept_own(
                copy, target, origin=str(file), space=_space_in_folder(copy, file, space), subfolder=target.name
            )
            for file, copy in ((file, _copy(file, temporary)) for file in files)
        ]


def not_taken(folder: Path) -> list[Path]:
    """The files and folders in a folder that :func:`fetch` leaves out of it, but for hidden ones."""
    return sorted(each for each in folder.iterdir() if not _is_taken(each) and not each.name.startswith("."))


def _is_taken(file: Path) -> bool:
    return file.is_file() and file.name.lower().endswith(FOLDER_ENDINGS)


def _copy(source: Path, folder: Path) -> Path:
    try:
        content = source.read_bytes()
    except FileNotFoundError:
        raise InputError(
            "there is no such file or folder", where=source, remedy="check the path", code="no-such-source"
        ) from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=source, remedy="check the path") from error
    copy = folder / source.name
    copy.write_bytes(content)
    return copy


def _fetch_url(url: str, folder: Path, sha256: str | None, space: Space | None, progress: bool) -> FetchedFile:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(
            f"is not an address ({error})", where=url, remedy="correct it", code="not-an-address"
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            "is not an http or https address",
            where=url,
            remedy="give one, or a file or a folder",
            code="not-an-http-address",
        )
    name = Path(unquote(parts.path)).name
    if name in ("", "..") or not name.isprintable():
        raise InputError(
            "does not end in the name of a file",
            where=url,
            remedy="give the address of one file",
            code="address-without-a-file",
        )
    if sha256 is None:
        raise InputError(
            "an address needs the checksum of its file",
            where=url,
            remedy=Said("pass {} (sha256sum FILE prints it)", Argument("sha256")),
            code="no-checksum",
        )
    target = folder / name
    if target.is_file():
        if pooch.file_hash(target) != sha256:
            raise _other_file(target)
        return _accept_own(target, folder, origin=str(target), space=space)
    with staged(folder) as temporary:
        try:
            _download(url, temporary / name, progress)
        except requests.RequestException as error:
            raise FetchError(
                reason(error),
                where=url,
                remedy="check the address and the connection, then try again",
                code="download-failed",
            ) from error
        return _accept_own(temporary / name, folder, origin=url, sha256=sha256, space=space)


def _download(url: str, file: Path, progress: bool) -> None:
    with ExitStack() as responses:

        def close_at_end(response: requests.Response, **_: Any) -> None:
            responses.callback(response.close)

        # pooch leaves the connection of a download that broke off open.
        pooch.HTTPDownloader(
            progressbar=progress, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S, hooks={"response": close_at_end}
        )(url, file, None)


def reason(error: requests.RequestException) -> str:
    """Why a request failed, in a few words."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_S} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the download broke off"
    return f"the connection failed ({type(error).__name__})"


def _parse_sha256(text: str) -> str:
    digest = text.strip().lower().removeprefix("sha256:")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise InputError(
            f"'{text}' is not a sha256 checksum",
            remedy="pass 64 hex digits (sha256sum FILE prints them)",
            code="not-a-checksum",
        )
    return digest


def _other_file(target: Path) -> InputError:
    return InputError(
        "another file of that name is there",
        where=target,
        remedy="move it away, or choose another folder",
        code="file-in-the-way",
    )
