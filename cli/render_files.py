"""What is printed of files: networks that were written, data that was fetched, and what there is to fetch."""

from typing import TYPE_CHECKING

from rich.text import Text

from blockprof.cli import render
from blockprof.foundation.lazy import lazy_import

if TYPE_CHECKING:
    from blockprof.api.fetching import Fetched
    from blockprof.cli import uses
    from blockprof.fetching import published
    from blockprof.fetching.published import Catalogue
    from blockprof.networks.onnx import NetworkFile
else:
    published = lazy_import("blockprof.fetching.published")
    uses = lazy_import("blockprof.cli.uses")


def print_network(file: "NetworkFile") -> None:
    """Print what a network's ONNX file holds, and whether it was run."""
    render.print_paths([file.path])
    ports = (
        f"{label} {port.name} ({', '.join(map(str, port.shape))})"
        for label, port in (("input", file.source), ("output", file.result))
    )
    render.print_line(f"{', '.join(ports)}, float32; opset {file.opset}, {file.num_bytes / 1e6:.1f} MB")
    render.print_line("the weights are random: they do not change the latency, but the logits mean nothing")
    if file.error is None:
        render.print_line("passed ONNX's checker; not run")
    else:
        render.print_line(f"passed ONNX's checker; ONNX Runtime's logits equal torch's to {file.error:.0e}")


def print_files(fetched: "Fetched") -> None:
    """Print the files that are there now."""
    for file in fetched.files:
        nets = f", {render.count_networks(file.latencies)}, device {file.latencies.device}" if file.latencies else ""
        render.out.print(f"{file.path}{nets}", soft_wrap=True)
        pinned = f" (none is published: kept in {file.pinned_in})" if file.pinned_in else ""
        render.out.print(Text(f"  sha256 {file.sha256}{pinned}", style="dim"), soft_wrap=True)


def print_sources(catalogue: "Catalogue") -> None:
    """Print the published data that there is, its files, and how much of it is in the data folder."""
    rows = [
        (
            source.name,
            ", ".join(source.spaces),
            f"{len(published.present(source, catalogue.folder))} of {len(source.files)}",
            _size(source.num_bytes),
            source.license or "not stated",
            source.title,
        )
        for source in catalogue.sources
    ]
    render.print_table(("source", "space", "here", "size", "license", "what it is"), rows)
    render.print_line("\nfiles, as --files takes them")
    render.print_table(
        ("source", "files"), [(one.name, ", ".join(file.name for file in one.files)) for one in catalogue.sources]
    )


def print_source(catalogue: "Catalogue") -> None:
    """Print the files of one source, by the names that --files takes, which are in the data folder, and what takes
    each.
    """
    (source,) = catalogue.sources
    there = published.present(source, catalogue.folder)
    render.print_line(f"{source.name}: {source.title}; license: {source.license or 'not stated'}")
    rows = [
        (
            file.name,
            ", ".join(file.spaces),
            "yes" if file in there else "no",
            _size(file.remote.num_bytes),
            str(file.target),
        )
        for file in source.files
    ]
    render.print_table(("file", "space", "here", "size", "path in the data folder"), rows)
    render.print_line("\nwhat takes them")
    for command in dict.fromkeys(uses.command_for(file.target, file.spaces[0]) for file in source.files):
        render.out.print(f"  {command}", soft_wrap=True)


def _size(num_bytes: int | None) -> str:
    return "unknown" if num_bytes is None else f"{num_bytes / 1e6:.2f} MB"
