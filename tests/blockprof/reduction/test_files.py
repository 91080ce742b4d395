"""Reductions as YAML: round trips, and files that are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from codes import coded
from hypothesis import given
from hypothesis import strategies as st
from known_spaces import SPACES

from blockprof.foundation.errors import DataFileError, InputError
from blockprof.reduction import (
    Reduction,
    format_reduction,
    load_reduction,
    preset_names,
    read_reduction,
    write_reduction,
)
from blockprof.reduction.files import parse_reduction
from blockprof.spaces import Space, load_space


@st.composite
def reductions(draw: st.DrawFn) -> Reduction:
    space = draw(st.sampled_from(list(SPACES.values())))
    seed, share = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.1, 0.5, 0.9]))
    rng = np.random.default_rng(seed)
    blocks = rng.random((space.num_slots, len(space.blocks))) >= share
    blocks &= rng.random(len(space.blocks)) >= share / 2  # everywhere
    for slots in space.unit_slots:
        blocks[slots] &= rng.random(len(space.blocks)) >= share / 2  # in a unit
        width = rng.integers(space.num_widths)
        for lost in np.flatnonzero(rng.random(space.num_widths) < share / 2):
            blocks[slots].reshape(-1, space.num_widths, space.blocks_per_width)[:, lost] = False
        blocks[slots, width * space.blocks_per_width] = True
    stems = rng.random(len(space.stems)) >= share
    stems[rng.integers(len(stems))] = True
    depths = tuple(tuple(sorted(draw(st.sets(st.sampled_from(unit.depths), min_size=1)))) for unit in space.units)
    chances = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
    return Reduction(
        space=space,
        name=draw(st.text(min_size=1).filter(str.strip)),
        blocks=blocks,
        depths=depths,
        stems=stems,
        mutation_probabilities=np.array([draw(chances) for _ in space.units]),
        reasons=tuple(draw(st.lists(st.text(), max_size=3))),
    )


def assert_same(found: Reduction, wanted: Reduction) -> None:
    assert found.space is wanted.space
    assert (found.name, found.depths, found.reasons) == (wanted.name, wanted.depths, wanted.reasons)
    assert np.array_equal(found.blocks, wanted.blocks)
    assert np.array_equal(found.stems, wanted.stems)
    assert np.array_equal(found.mutation_probabilities, wanted.mutation_probabilities)


@given(reductions())
def test_what_is_written_is_read_the_same(reduction: Reduction) -> None:
    assert_same(parse_reduction(format_reduction(reduction), "no name"), reduction)


@pytest.mark.parametrize("text", ["a\x85", "a\u2028b", "c\u2029", "naïve × 3"])
def test_ends_of_lines_of_unicodes_are_kept(text: str) -> None:
    reduction = replace(Reduction.whole(load_space("pn")), name=text, reasons=("first", text))
    assert_same(parse_reduction(format_reduction(reduction), "no name"), reduction)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_presets_as_files(space: Space, tmp_path: Path) -> None:
    for name in preset_names(space):
        reduction = load_reduction(space, name)
        path = tmp_path / "folder" / f"{name}.yaml"
        write_reduction(reduction, path)
        assert_same(load_reduction(space, str(path)), reduction)


def test_a_file_reads_as_a_person_would_write_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    write_reduction(load_reduction(load_space("mbv3"), "paper-gpu"), path)
    lines = path.read_text().splitlines()
    assert lines[:8] == [
        "space: mbv3",
        "name: paper-gpu",
        "drop:",
        "  everywhere: [e3k3, e3k7, e4k3]",
        "layers:",
        "  u2: [2, 3]",
        "  u4: [2, 3]",
        "  u5: [2, 3]",
    ]


def test_a_files_drops_are_of_everywhere_a_unit_or_a_layer(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("space: pn\ndrop:\n  everywhere: [e3k7]\n  u1: e4k7\n  u5.l2: [e6k7, e3k3]\nlayers: {u2: 3}\n")
    reduction = read_reduction(path)
    assert reduction.name == "mine"
    gone = ~reduction.blocks
    assert gone[:, 2].all()
    assert gone[:4, 5].all()
    assert np.flatnonzero(gone[17]).tolist() == [0, 2, 8]
    assert gone.sum() == 21 + 4 + 2
    assert reduction.depths[1] == (3,)


def test_stems_and_widths_of_resnet50() -> None:
    reduction = parse_reduction(
        "space: resnet50\nwidths: {u3: [80, 100]}\nstems: [stem.noskip+stem1.c32, stem2.c64]\n", "mine"
    )
    assert reduction.widths(2) == (1, 2)
    kept = {stem for stem, stays in zip(reduction.space.stems, reduction.stems, strict=True) if stays}
    assert kept == {
        stem for stem in reduction.space.stems if stem.out_channels == 64 or (not stem.skip and stem.mid_channels == 32)
    }


REFUSED = {
    "empty": ("", "must hold keys and values"),
    "list": ("- pn", "must hold keys and values"),
    "not yaml": ("space: [pn", "is not YAML"),
    "not a date": ("space: pn\nname: 2024-13-45", "is not YAML that can be read"),
    "tag": ("space: !!python/object/apply:os.system [ls]", "is not YAML"),
    "no space": (
        "name: mine",
        "'space' must be one of mbv3, pn, resnet50, mbv3-w1.0, pn-w1.0, fbnet",
    ),
    "other space": (
        "space: vgg",
        "'space' must be one of mbv3, pn, resnet50, mbv3-w1.0, pn-w1.0, fbnet",
    ),
    "space a list": ("space: [pn]", "'space' must be one of"),
    "unknown key": ("space: pn\nkeep: {}", "unknown key 'keep': there are space, name, drop, layers"),
    "twice": ("space: pn\ndrop:\n  u1: [e3k3]\n  u1: [e3k5]", "has the key 'u1' twice"),
    "name": ("space: pn\nname: [a]", "'name' must be a text"),
    "drop no table": ("space: pn\ndrop: [e3k3]", r"'drop' must hold keys such as u1, not '\['e3k3'\]'"),
    "place": ("space: pn\ndrop: {u7: [e3k3]}", "unknown key 'drop.u7': there are everywhere, u1, .*, u6, u1.l1 to l4"),
    "layer": ("space: pn\ndrop: {u6.l2: [e3k3]}", "unknown key 'drop.u6.l2'"),
    "block": ("space: pn\ndrop: {u1: [e5k3]}", "'drop.u1' must be a list of some of e3k3, .*, e6k7, not 'e5k3'"),
    "block a map": ("space: pn\ndrop: {u1: {a: 1}}", "'drop.u1' must be a list of some of e3k3"),
    "all dropped": (
        "space: pn\ndrop: {u2.l1: [e3k3, e3k5, e3k7, e4k3, e4k5, e4k7, e6k3, e6k5, e6k7]}",
        "leaves unit 2 no block for layer 1",
    ),
    "depth": ("space: pn\nlayers: {u1: [1]}", "'layers.u1' must be a list of some of 2, 3, 4, not '1'"),
    "no depth": ("space: pn\nlayers: {u1: []}", "unit 1 of pn has 2 or 3 or 4 layers: keep one"),
    "depth a bool": ("space: pn\nlayers: {u6: [true]}", "'layers.u6' must be a list of some of 1, not 'True'"),
    "unit": ("space: pn\nlayers: {u9: [2]}", "unknown key 'layers.u9': pn has the units u1, u2"),
    "widths": ("space: pn\nwidths: {u1: [100]}", "'widths': units of pn have one width"),
    "width": ("space: resnet50\nwidths: {u1: [50]}", "'widths.u1' must be a list of some of 65, 80, 100, not '50'"),
    "stems": ("space: pn\nstems: [stem.skip]", "'stems': pn has a single stem"),
    "stem": ("space: resnet50\nstems: [stem.maybe]", "'stems': 'stem.maybe' is not a placement"),
    "no stem": ("space: resnet50\nstems: []", "leaves no stem: keep one"),
    "stem a block": ("space: resnet50\nstems: [u1.l1.w65.e20]", "'stems': u1.l1.w65.e20 is no part of a stem"),
    "probability": (
        "space: pn\nmutation_probabilities: {u1: 2}",
        "'mutation_probabilities.u1' must be a number from 0 to 1, not '2'",
    ),
    "nan": ("space: pn\nmutation_probabilities: {u1: .nan}", "must be a number from 0 to 1, not 'nan'"),
    "reasons": ("space: pn\nreasons: because", "'reasons' must be a list of texts"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_file_is_refused_with_what_is_allowed(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(DataFileError, match=message) as refused:
        read_reduction(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataFileError, match=r"binary\.yaml", check=coded("not-utf-8")):
        read_reduction(tmp_path / "binary.yaml")
    with pytest.raises(DataFileError, check=coded("no-such-file")):
        read_reduction(tmp_path / "none.yaml")
    with pytest.raises(InputError, check=coded("folder-in-place-of-a-file")):
        write_reduction(Reduction.whole(load_space("pn")), tmp_path)


def test_an_unknown_name_and_another_spaces_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"npu.*pn.*paper-npu", check=coded("unknown-name")):
        load_reduction(load_space("pn"), "npu")
    path = tmp_path / "mine.yaml"
    path.write_text("space: mbv3\n")
    with pytest.raises(InputError, match=r"mine\.yaml.*mbv3.*pn", check=coded("not-of-space")):
        load_reduction(load_space("pn"), str(path))
