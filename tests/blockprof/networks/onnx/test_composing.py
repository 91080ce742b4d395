"""Composed networks against torch, and as ONNX models by themselves."""

import io
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from codes import coded
from known_spaces import SPACES

from blockprof.foundation.errors import InputError, MetricError
from blockprof.networks.modules import build_subnet
from blockprof.networks.onnx import (
    FragmentStore,
    compose,
    compose_block,
    compose_bytes,
    compose_mixed,
    compose_piece,
    write_network,
)
from blockprof.networks.onnx.fragments import OPSET
from blockprof.networks.onnx.modules import build_network, build_pieces, put_together, take_apart
from blockprof.networks.onnx.pieces import Piece, pieces_of
from blockprof.spaces import Architectures, BlockInstance, HeadInstance
from blockprof.spaces.sampling import sample_architectures

Weights = dict[Piece, dict[str, torch.Tensor]]


@pytest.fixture(params=SPACES)
def store(request: pytest.FixtureRequest, stores: dict[str, FragmentStore]) -> FragmentStore:
    return stores[request.param]


def sample(store: FragmentStore, n: int, seed: int = 0) -> Architectures:
    return sample_architectures(store.space, n, np.random.default_rng(seed))


def random_images(batch: int, resolution: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(batch, 3, resolution, resolution)).astype(np.float32)


def run(model: onnx.ModelProto | bytes, **inputs: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    serialized = model if isinstance(model, bytes) else model.SerializeToString()
    (output,) = onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"]).run(None, inputs)
    return output


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def run_torch(network: torch.nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return network(torch.from_numpy(images)).numpy()


def network_of_pieces(archs: Architectures, index: int, weights: Weights) -> torch.nn.Module:
    """``ofa``'s own network with the pieces' weights. ``weights`` keeps those, as drawing them is slow."""
    pieces = pieces_of(archs, index)
    if new := set(pieces) - weights.keys():
        weights |= {piece: module.state_dict() for piece, module in build_pieces(archs, index, new, seed=0).items()}
    modules = take_apart(build_subnet(archs, index))
    for piece, module in zip(pieces, modules, strict=True):
        module.load_state_dict(weights[piece])
    return put_together(modules)


def test_50_networks_equal_torch_at_two_resolutions(store: FragmentStore) -> None:
    archs = sample(store, 50)
    weights: Weights = {}
    for index in range(len(archs)):
        network = network_of_pieces(archs, index, weights)
        for resolution in (132, 180):
            image = random_images(1, resolution, seed=index)
            found = run(compose_bytes(store, archs, index, resolution=resolution), image=image)
            assert relative_error(found, run_torch(network, image)) < 1e-4


def test_logits_depend_on_the_image(store: FragmentStore) -> None:
    """Else the comparison with torch would pass over errors in the first layers."""
    archs = sample(store, 5)
    least = 0.02 if store.space.name == "resnet50" else 0.1  # bottlenecks average over many more channels
    for index in range(len(archs)):
        first, second = run_torch(build_network(archs, index), random_images(2, 132))
        assert np.abs(first - second).max() > least * np.abs(first).max()


def test_batch_normalisation_is_far_from_trivial(store: FragmentStore) -> None:
    norms = [m for m in build_network(sample(store, 1)).modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        assert norm.running_mean.abs().mean() > 0.01 * norm.running_var.mean().sqrt()
        assert norm.running_var.std() > 0.05 * norm.running_var.mean()
        assert norm.weight.std() > 0.1
        assert norm.bias.std() > 0.1


@pytest.mark.parametrize("batch", [1, 4, None])
@pytest.mark.parametrize("resolution", [128, 224])
def test_models_are_clean(store: FragmentStore, batch: int | None, resolution: int) -> None:
    archs = sample(store, 2)
    model = compose(store, archs, 1, resolution=resolution, batch=batch)
    onnx.checker.check_model(model, full_check=True)
    graph = model.graph
    operators = {node.op_type for node in graph.node}
    assert "Conv" in operators
    assert not operators & {"BatchNormalization", "Constant", "Identity", "Shape"}
    assert [shape(value) for value in graph.input] == [("image", [batch or "N", 3, resolution, resolution])]
    assert [shape(value) for value in graph.output] == [("logits", [batch or "N", 1000])]
    assert {entry.key: entry.value for entry in model.metadata_props} == {
        "net": archs.to_strings()[1],
        "space": store.space.name,
        "resolution": str(resolution),
        "blockprof_version": model.producer_version,
    }


def shape(value: onnx.ValueInfoProto) -> tuple[str, list[int | str]]:
    return value.name, [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]


def test_names_are_unique_and_say_the_placement(store: FragmentStore) -> None:
    archs = sample(store, 1)
    graph = compose(store, archs, resolution=160).graph
    nodes = [node.name for node in graph.node]
    values = [*(tensor.name for tensor in graph.initializer), *(value for node in graph.node for value in node.output)]
    assert len(set(nodes)) == len(nodes)
    assert len(set(values)) == len(values)
    assert all("::" not in name and "//" not in name for name in nodes + values)
    units = archs.to_strings()[0].split("|")[-len(store.space.units) :]
    places = [
        f"u{number}.l{layer}"
        for number, unit in enumerate(units, start=1)
        for layer in range(1, 1 + len(unit.split("->")))
    ]
    beginnings = list(dict.fromkeys(name.split("/")[0] for name in nodes))
    assert [".".join(beginning.split(".")[:2]) for beginning in beginnings] == ["stem", *places, "head"]
    blocks = [store.space.blocks[block].name for block in archs.blocks[0].tolist() if block >= 0]
    assert [beginning.split(".", 2)[2] for beginning in beginnings[1:-1]] == blocks


def test_onnx_runtime_runs_the_operators_of_a_whole_export(store: FragmentStore, tmp_path: Path) -> None:
    """What ONNX Runtime makes of a composed network is what it makes of torch's export, so both cost the same."""
    archs = sample(store, 1, seed=3)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        images = torch.zeros(1, 3, 160, 160)
        torch.onnx.export(build_network(archs), (images,), buffer, dynamo=False, opset_version=OPSET)
    operators = []
    for serialized in (buffer.getvalue(), compose_bytes(store, archs, resolution=160)):
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(serialized, options, providers=["CPUExecutionProvider"])
        operators.append(Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node))
    assert operators[0] == operators[1]


def test_any_batch_gives_what_fixed_ones_give(store: FragmentStore) -> None:
    archs = sample(store, 1)
    images = random_images(3, 132)
    of_any = compose_bytes(store, archs, resolution=132, batch=None)
    of_one = compose_bytes(store, archs, resolution=132)
    expected = np.concatenate([run(of_one, image=image[None]) for image in images])
    assert relative_error(run(of_any, image=images), expected) < 1e-5
    assert relative_error(run(of_any, image=images[:1]), expected[:1]) < 1e-5


@pytest.mark.parametrize("resolution", [180, 132])
def test_single_pieces_one_after_another_are_the_network(store: FragmentStore, resolution: int) -> None:
    archs = sample(store, 1)
    images = random_images(2, resolution)
    values = images
    for piece in pieces_of(archs, 0):
        model = compose_piece(store, piece, resolution=resolution, batch=2)
        onnx.checker.check_model(model, full_check=True)
        values = run(model, **{model.graph.input[0].name: values})
    expected = run(compose_bytes(store, archs, resolution=resolution, batch=2), image=images)
    assert relative_error(values, expected) < 1e-5


def test_every_block_instance_is_a_model_by_itself(store: FragmentStore) -> None:
    for instance, block in enumerate(store.space.instances):
        model = compose_block(store, instance, resolution=224, batch=None)
        onnx.checker.check_model(model, full_check=True)
        size = block.in_size(224)
        assert shape(model.graph.input[0])[1] == ["N", block.in_channels, size, size]
        sizes = [] if isinstance(block, HeadInstance) else [block.out_size(224)] * 2
        assert shape(model.graph.output[0])[1] == ["N", block.out_channels, *sizes]
        if not isinstance(block, BlockInstance):
            continue
        kernels = [tuple(t.dims[2:]) for t in model.graph.initializer if len(t.dims) == 4]
        assert (block.block.kernel, block.block.kernel) in kernels
        depthwise = next(t for t in model.graph.initializer if len(t.dims) == 4 and t.dims[1] == 1)
        assert depthwise.dims[0] == block.mid_channels


def test_what_cannot_be_composed(store: FragmentStore, stores: dict[str, FragmentStore]) -> None:
    archs = sample(store, 1)
    with pytest.raises(MetricError, match=f"resolution 100: {store.space.name} takes 128 to 256 in steps of 4"):
        compose(store, archs, resolution=100)
    with pytest.raises(InputError, match="0", check=coded("below-1")):
        compose_block(store, 0, resolution=224, batch=0)
    other = next(name for name in SPACES if name != store.space.name)
    with pytest.raises(InputError, match=f"networks of {store.space.name} cannot be composed of pieces of {other}"):
        compose(stores[other], archs, resolution=224)


def test_a_network_as_a_file(store: FragmentStore, tmp_path: Path) -> None:
    archs = sample(store, 2)
    path = tmp_path / "new" / "network.onnx"
    write_network(store, archs, 1, path, resolution=192, batch=None)
    assert path.read_bytes() == compose_bytes(store, archs, 1, resolution=192, batch=None)
    onnx.checker.check_model(str(path), full_check=True)
    images = random_images(1, 192)
    output = run(path.read_bytes(), image=images)
    assert output.shape == (1, 1000)


def test_a_network_that_cannot_be_written_leaves_nothing(stores: dict[str, FragmentStore], tmp_path: Path) -> None:
    archs = sample(stores["pn"], 1)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        write_network(stores["pn"], archs, 0, tmp_path / "file" / "network.onnx", resolution=224)
    (tmp_path / "taken.onnx").mkdir()
    with pytest.raises(InputError, check=coded("unwritable-folder")):
        write_network(stores["pn"], archs, 0, tmp_path / "taken.onnx", resolution=224)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken.onnx"]
    assert (tmp_path / "file").read_text() == "kept"


def test_pieces_of_both_precisions_make_one_network(stores: dict[str, FragmentStore]) -> None:
    plain = stores["pn"]
    quantized = FragmentStore(plain.space, quantized=True)
    archs = sample(plain, 1, seed=3)
    number = len(pieces_of(archs, 0))
    for store in (plain, quantized):
        assert compose_mixed([store] * number, archs, resolution=128) == compose_bytes(store, archs, resolution=128)
    mixed = [quantized if place in (0, 3, 4, number - 1) else plain for place in range(number)]
    model = onnx.ModelProto.FromString(compose_mixed(mixed, archs, resolution=128))
    onnx.checker.check_model(model, full_check=True)
    made = {node.name.split("/")[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    names = list(dict.fromkeys(node.name.split("/")[0] for node in model.graph.node))
    assert made == {names[place] for place in (0, 3, 4, number - 1)}
    # Piece 3 leaves it to piece 4 to quantize what it gives; piece 4, before one in fp32, gives what is quantized.
    behind = {value: node.op_type for node in model.graph.node for value in node.output}
    ends = {name: behind[f"{name}/output"] for name in names[:-1]}
    assert ends[names[3]] != "DequantizeLinear" == ends[names[4]] == ends[names[0]]
    used = {value for node in model.graph.node for value in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= used
    image = random_images(1, 128)
    found, expected = run(model, image=image), run(compose(plain, archs, resolution=128), image=image)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95
