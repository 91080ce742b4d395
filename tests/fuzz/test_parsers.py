"""Whatever a file holds, reading it gives what it should hold or an error of ours: no other error, and no crash.

Each parser reads valid files that were changed at random, from a seed. ``BLOCKPROF_FUZZ`` is how many inputs a fast
parser gets: 1,000 unless it is set, 10,000 where ``CI`` is true, 100,000 by ``make fuzz``. Those that take milliseconds
a file get a share of it: see ``Parser``.
"""

import csv
import gzip
import io
import json
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blockprof.foundation.errors import BlockprofError
from blockprof.latency_data import LatencyData, first_network, parse_latency_csv, parse_network_csv, write_latency_csv
from blockprof.spaces import Architectures, Space, load_space, parse_blocks, spaces_having
from blockprof.spaces.sampling import sample_architectures

from .mutation import (
    Mutate,
    inputs,
    mutate_archive,
    mutate_arrays,
    mutate_bytes,
    mutate_cells,
    mutate_journal,
    mutate_json,
    one_of,
    repacked,
    where_it_begins,
)

COUNT = int(os.environ.get("BLOCKPROF_FUZZ", "10000" if os.environ.get("CI") == "true" else "1000"))
SEED = int(os.environ.get("BLOCKPROF_FUZZ_SEED", "0"))
MBV3, PN, RESNET50 = (load_space(name) for name in ("mbv3", "pn", "resnet50"))

Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Parser:
    """Valid files, how they are changed, and what reads them; ``share`` of ``COUNT`` inputs is read."""

    seeds: tuple[bytes, ...]
    mutate: Mutate
    read: Read
    share: float = 1.0


def networks(space: Space, count: int = 3) -> Architectures:
    return sample_architectures(space, count, np.random.default_rng(0))


def latencies(space: Space) -> LatencyData:
    return LatencyData(networks(space), np.array([224, 192, 128]), np.array([1.5, 2.25, 3.125]), "npu")


def from_file(folder: Path, name: str, read: Callable[[Path], object]) -> Read:
    def read_content(content: bytes) -> object:
        (folder / name).write_bytes(content)
        return read(folder / name)

    return read_content


def of_csv(folder: Path) -> Parser:
    seeds = []
    for space in (PN, RESNET50):
        write_latency_csv(folder / "a.csv", latencies(space))
        seeds.append((folder / "a.csv").read_bytes())
    seeds += [seeds[0].replace(b",", b"\t"), seeds[0].replace(b",", b";").replace(b".", b",")]

    def read(content: bytes) -> object:
        net = first_network(content)
        space = next(iter(spaces_having(net or "")), PN)
        parse_latency_csv(content, space, "a.csv")
        return parse_network_csv(content, space, "a.csv")

    packed = repacked(gzip.compress, gzip.decompress, mutate_cells(b",;\t\n|>"))
    mutate = where_it_begins(b"\x1f\x8b", packed, mutate_cells(b",;\t\n|>"))
    return Parser((*seeds, gzip.compress(seeds[0])), mutate, read)


def of_parquet(folder: Path) -> Parser:
    write_latency_csv(folder / "a.csv", latencies(PN))
    frame = pd.read_csv(folder / "a.csv")
    frame.to_parquet(folder / "a.parquet")

    def change(rng: random.Random, content: bytes) -> bytes:
        if rng.random() < 0.5:
            return mutate_bytes(rng, content)
        changed = frame.copy()
        column = rng.choice(list(changed))
        odd = rng.choice(
            ([None] * 3, [True] * 3, [b"x"] * 3, [[1]] * 3, [1e300] * 3, [-1, 0, 1], ["x"] * 3, [{"a": 1}] * 3)
        )
        changed[column] = pd.Series(odd, dtype=object)
        buffer = io.BytesIO()
        changed.to_parquet(buffer)
        return buffer.getvalue()

    def read(content: bytes) -> object:
        first_network(content)
        return parse_latency_csv(content, PN, "a.parquet")

    return Parser(((folder / "a.parquet").read_bytes(),), change, read, share=0.1)


def of_networks(folder: Path) -> Parser:
    from blockprof.evaluators.device.net_files import read_networks
    from blockprof.networks.modules import subnet_settings

    archs = networks(MBV3)
    settings = [{**subnet_settings(archs, index), "r": 176} for index in range(3)]
    lists = ("\n".join(archs.to_strings()), json.dumps(settings), "\n".join(map(json.dumps, settings)))
    mutate = one_of(mutate_json, mutate_cells(b",|>\n[]{}:"))
    return Parser(
        tuple(map(str.encode, lists)), mutate, from_file(folder, "nets", lambda path: read_networks(path, MBV3))
    )


def of_settings(_: Path) -> Parser:
    from blockprof.networks.modules import subnet_settings

    seeds = tuple(json.dumps(subnet_settings(networks(space))).encode() for space in (RESNET50, MBV3))
    spaces = (RESNET50, MBV3)

    def read(content: bytes) -> object:
        for space in spaces:
            try:
                return Architectures.from_strings(space, [content.decode("utf-8", "replace")])
            except BlockprofError:
                continue
        return None

    return Parser(seeds, mutate_json, read)


def of_placements(_: Path) -> Parser:
    seeds = (b"u2.l1.e6k7,u3.l1.e3k3+u3.l2.e3k3", b"[[1, 0, 7, 6], [2, 0, 3, 3, 224]]", b"[[0, 2], [2, 2, 1, 0.35, 2]]")

    def read(content: bytes) -> object:
        text = content.decode("utf-8", "replace")
        return parse_blocks(RESNET50 if text.startswith("[[0") else PN, [text], 224)

    return Parser(seeds, one_of(mutate_json, mutate_cells(b",.+[] ")), read)


def of_look_up_tables(folder: Path) -> Parser:
    from blockprof.metrics import lookup

    archs = MBV3
    ends = lookup._end_shapes(archs, 128)
    shapes = [lookup._instance_shapes(instance, 128) for instance in lookup._instances(archs)]
    keys = [key.format_map(ends) for key in lookup.LAYOUTS["ofa"].fixed]
    keys += [lookup.LAYOUTS["ofa"].instance.format_map(each) for each in shapes]
    table = "".join(f"{key}: {{mean: {1 + number / 7}}}\n" for number, key in enumerate(keys)).encode()
    read = from_file(folder, "128_lookup_table.yaml", lambda path: lookup.read_lookup_table(path, "mine", MBV3))
    return Parser((table,), mutate_cells(b":{}\n "), read, share=0.01)


def of_reductions(_: Path) -> Parser:
    from blockprof.reduction.files import parse_reduction

    seeds = (
        b"space: pn\nname: npu\ndrop:\n  everywhere: [e3k7]\n  u5.l4: [e6k7]\nlayers:\n  u1: [2, 3]\n",
        b"space: pn\nmutation_probabilities:\n  u4: 0.25\nreasons:\n  - any text\n",
        b"space: resnet50\nwidths:\n  u3: [80, 100]\nstems: [stem.noskip+stem1.c32]\n",
    )

    def read(content: bytes) -> object:
        return parse_reduction(content.decode("utf-8", "replace"), "a")

    return Parser(seeds, mutate_cells(b":[]\n ,"), read, share=0.5)


def of_block_tables(folder: Path) -> Parser:
    from blockprof.metrics.block_table import REQUIRED_COLUMNS, read_block_table

    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(REQUIRED_COLUMNS)
    for piece in (*PN.fixed_parts, *(instance.name for instance in PN.instances)):
        rows.writerow([piece, 1.5, "pn", 224, 1.1, "cpu", "1.32"])
    read = from_file(folder, "table.csv", lambda path: read_block_table(path, PN, 224))
    return Parser((text.getvalue().encode(),), mutate_cells(b",\n"), read, share=0.5)


def of_journals(folder: Path) -> Parser:
    from blockprof.evaluators.device import MeasureSpec, read_environment
    from blockprof.evaluators.device.journal import open_journal, read_journal, read_sizes
    from blockprof.evaluators.device.records import Subject, Visit
    from blockprof.evaluators.device.timing import Timing
    from blockprof.evaluators.runtimes import find_runtime

    here = read_environment(find_runtime("onnxruntime"))
    subject = Subject(("a", "b"), MeasureSpec(rounds=2, min_runs=6), here.machine)
    timing = Timing(np.arange(6) + 10**7, np.arange(6), 12)
    with open_journal(folder / "journal", subject) as journal:
        journal.add_environment(here)
        for network, number, anchor in ((0, 1, True), (1, 1, False), (0, 1, False), (0, 2, False)):
            journal.add_visit(Visit(network, number, anchor, 1.7e9, timing))

    def read(path: Path) -> object:
        with suppress(BlockprofError):
            read_sizes(path)
        contents = read_journal(path, subject)
        return [visit.median_ms + visit.middle_s for visit in contents.visits]

    return Parser(((folder / "journal").read_bytes(),), mutate_journal, from_file(folder, "journal", read))


def of_accuracies(folder: Path) -> Parser:
    from blockprof.evaluators.supernet.journal import Accuracy, open_accuracies, read_accuracies

    settings = {"resolution": 224, "weights": "a" * 64}
    with open_accuracies(folder / "accuracies", settings) as journal:
        for net in networks(PN).to_strings():
            journal.add(net, Accuracy(70.0, 90.0))
    read = from_file(folder, "accuracies", lambda path: read_accuracies(path, settings))
    return Parser(((folder / "accuracies").read_bytes(),), mutate_journal, read)


def of_counts(folder: Path) -> Parser:
    from blockprof.networks.facts import _read
    from blockprof.spaces.facts import COUNTS

    instances = len(PN.instances)
    kept = {
        "values": {name: [1.0] * instances for name in COUNTS},
        "base": dict.fromkeys(COUNTS, 4.0),
        "counted_by": "torchprofile",
    }

    def read(path: Path) -> object:
        found = _read(path, PN, "modules")
        assert found is None or all(np.isfinite(value).all() for value in found.values.values())
        return found

    return Parser((json.dumps(kept).encode(),), mutate_json, from_file(folder, "counts.json", read))


def of_lock_files(folder: Path) -> Parser:
    from blockprof.fetching.published import LOCK_FILE, _read_pins

    read = from_file(folder, LOCK_FILE, lambda path: _read_pins(path.parent))
    return Parser((json.dumps({"a.csv": "0" * 64}).encode(),), mutate_json, read)


def of_image_caches(folder: Path) -> Parser:
    from blockprof.evaluators.supernet.cache import FORMAT, CacheFacts, _read_facts

    names = list(CacheFacts.__dataclass_fields__)
    facts = dict.fromkeys(names, 1) | {"format": FORMAT, "labels": [1, 2], "undecodable": {"a": "b"}}
    read = from_file(folder, "facts.json", lambda path: _read_facts(path, "write it again"))
    return Parser((json.dumps(facts).encode(),), mutate_json, read)


def of_searches(folder: Path) -> Parser:
    from blockprof.metrics import load_reference
    from blockprof.reduction import Reduction
    from blockprof.searching import Objective, Problem, SearchSpec, search
    from blockprof.searching.state import count_generations

    objectives = (
        Objective(load_reference(PN, "accuracy"), maximize=True),
        Objective(load_reference(PN, "npu"), maximize=False),
    )
    problem, spec = Problem(Reduction.whole(PN), objectives), SearchSpec(initial=5, generations=1, children=5, seed=1)
    search(problem, spec, state=folder / "search.journal")
    read = from_file(folder, "search.journal", lambda path: count_generations(path, problem, spec))
    return Parser(((folder / "search.journal").read_bytes(),), mutate_journal, read, share=0.1)


def of_predictors(folder: Path) -> Parser:
    from blockprof.fetching.reference import reference_data
    from blockprof.predictors import fit_blockwise, load_predictor

    fit_blockwise(reference_data(PN, "npu", 30, seed=0), "npu").save(folder / "model")
    names = ("model.json", "costs.npz")
    facts, arrays = ((folder / "model" / name).read_bytes() for name in names)

    def read(content: bytes) -> object:
        is_arrays = content[:2] == b"PK"
        for name, part in zip(names, (facts, content) if is_arrays else (content, arrays), strict=True):
            (folder / "model" / name).write_bytes(part)
        return load_predictor(folder / "model").predict(networks(PN, 1), 224)

    return Parser((facts, arrays), where_it_begins(b"PK", mutate_arrays, mutate_json), read, share=0.1)


def of_torch_files(folder: Path) -> Parser:
    import torch

    from blockprof.fetching import read_help
    from blockprof.networks.modules import subnet_settings

    archs = networks(MBV3)
    rows = [{**subnet_settings(archs, index), "r": 224} for index in range(3)]
    torch.save({"arch": rows}, folder / "archs.pt")
    torch.save({"arch": rows}, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save([1.0, 2.0, 3.0], folder / "latencies.pt")

    def read(path: Path) -> object:
        return read_help(path, folder / "latencies.pt", "gpu", load_space("mbv3"))

    mutate = where_it_begins(b"PK", mutate_archive, mutate_bytes)
    seeds = tuple((folder / name).read_bytes() for name in ("archs.pt", "legacy.pt"))
    return Parser(seeds, mutate, from_file(folder, "changed.pt", read), share=0.1)


def of_weights(folder: Path) -> Parser:
    import torch

    from blockprof.metrics.ofa_predictor import _LAYERS, _SIZES, load_ofa_predictor

    torch.manual_seed(0)
    pairs = zip(_LAYERS, _SIZES, _SIZES[1:], strict=False)
    state = {}
    for layer, given, made in pairs:
        state |= {f"{layer}.weight": torch.zeros(made, 1).expand(made, given), f"{layer}.bias": torch.zeros(made)}
    torch.save(state, folder / "weights.pth")
    read = from_file(folder, "weights.pth", lambda path: load_ofa_predictor(MBV3, 224, path))
    return Parser(((folder / "weights.pth").read_bytes(),), mutate_archive, read, share=0.1)


PARSERS: dict[str, Callable[[Path], Parser]] = {
    "latencies": of_csv,
    "parquet": of_parquet,
    "networks": of_networks,
    "settings": of_settings,
    "placements": of_placements,
    "look-up tables": of_look_up_tables,
    "reductions": of_reductions,
    "block tables": of_block_tables,
    "journals": of_journals,
    "accuracies": of_accuracies,
    "counts": of_counts,
    "lock files": of_lock_files,
    "image caches": of_image_caches,
    "searches": of_searches,
    "predictors": of_predictors,
    "torch files": of_torch_files,
    "weights": of_weights,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where the system has one: some parsers read paths, and a disk is slower than they are."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.mark.filterwarnings("ignore::blockprof.foundation.errors.DataNote")
@pytest.mark.parametrize("name", PARSERS)
def test_no_input_ends_in_another_error(name: str, folder: Path, tmp_path: Path) -> None:
    parser = PARSERS[name](folder)
    understood = 0
    for number, make in enumerate(inputs(parser.seeds, parser.mutate, max(20, int(COUNT * parser.share)), SEED)):
        content = make()
        try:
            parser.read(content)
            understood += 1
        except BlockprofError:
            assert number >= len(parser.seeds), "a valid file is refused"
        except BaseException as error:
            (tmp_path / "failed").write_bytes(content)
            pytest.fail(f"input {number}: {type(error).__name__}: {str(error)[:500]}\n{content[:300]!r}")
    assert understood >= len(parser.seeds)


def test_the_same_seed_makes_the_same_inputs(folder: Path) -> None:
    parser = PARSERS["latencies"](folder)
    first, again, other = ([make() for make in inputs(parser.seeds, parser.mutate, 50, seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other
