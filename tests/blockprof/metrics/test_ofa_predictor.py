"""OFA's accuracy predictor: equal to the ofa package's own, and what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from codes import coded

from blockprof.foundation.errors import DataFileError, InputError, MetricError
from blockprof.metrics import Metric, choose_accuracy_source, load_metrics, load_ofa_predictor
from blockprof.metrics.ofa_predictor import OFA_PREDICTOR_RESOLUTIONS, encode_for_ofa
from blockprof.networks.modules import subnet_settings
from blockprof.spaces import Architectures, load_space
from blockprof.spaces.sampling import sample_distinct

MBV3 = load_space("mbv3")
ENCODED_RESOLUTIONS = list(range(112, 225, 16))


@pytest.fixture
def weights(shared_data: Path) -> Path:
    return shared_data / "ofa" / "acc_predictor.pth"


@pytest.fixture
def archs() -> Architectures:
    return sample_distinct(MBV3, 500, np.random.default_rng(0))


@pytest.mark.parametrize("resolution", [160, 224])
def test_equal_to_ofas_own(resolution: int, weights: Path, archs: Architectures) -> None:
    from blockprof.foundation.torchvision_import import import_torchvision

    import_torchvision()
    from ofa.nas.accuracy_predictor import AccuracyPredictor, MobileNetArchEncoder
    from ofa.tutorial.accuracy_predictor import AccuracyPredictor as TutorialPredictor

    settings = [subnet_settings(archs, index) for index in range(len(archs))]
    encoder = MobileNetArchEncoder(image_size_list=ENCODED_RESOLUTIONS)
    own = AccuracyPredictor(encoder, device="cpu")
    saved = torch.load(weights, map_location="cpu", weights_only=True)
    # The encoder puts the resolution first, the file last; the last layer's bias is the encoder's base accuracy.
    first = torch.cat([saved["0.weight"][:, 120:], saved["0.weight"][:, :120]], dim=1)
    own.load_state_dict(
        {
            "layers.0.0.weight": first,
            "layers.0.0.bias": saved["0.bias"],
            "layers.1.0.weight": saved["2.weight"],
            "layers.1.0.bias": saved["2.bias"],
            "layers.2.0.weight": saved["4.weight"],
            "layers.2.0.bias": saved["4.bias"],
            "layers.3.weight": saved["6.weight"],
            "base_acc": saved["6.bias"],
        }
    )
    with torch.no_grad():
        expected = own.predict_acc([{**one, "image_size": resolution} for one in settings]).numpy()
    predictor = load_ofa_predictor(MBV3, resolution, weights)
    assert np.abs(predictor.evaluate(archs) / 100 - expected).max() < 1e-5
    features = [TutorialPredictor.spec2feats(one["ks"], one["e"], one["d"], resolution).numpy() for one in settings]
    assert np.array_equal(encode_for_ofa(archs, resolution), features)


def test_larger_inputs_are_better_at_all_resolutions_it_knows(weights: Path, archs: Architectures) -> None:
    means = [load_ofa_predictor(MBV3, size, weights).evaluate(archs).mean() for size in OFA_PREDICTOR_RESOLUTIONS]
    assert (np.diff(means) > 0).all()


def test_by_name_from_the_data_folder(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPROF_DATA", str(tmp_path))
    with pytest.raises(MetricError, check=coded("predictor-not-fetched")):
        load_ofa_predictor(MBV3)
    (tmp_path / "ofa").mkdir()
    (tmp_path / "ofa" / "acc_predictor.pth").symlink_to(weights)
    accuracy: Metric
    (accuracy,) = load_metrics(MBV3, ["accuracy"], 224, lambda _: None, accuracy_source="ofa-predictor")
    assert accuracy.info.origin == "predicted"
    assert accuracy.evaluate(sample_distinct(MBV3, 3, np.random.default_rng(0))[:0]).shape == (0,)


class Code:
    def __reduce__(self):
        return (exit, ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"0.weight": torch.zeros(400, 128)}, "is not OFA's accuracy predictor: 0.bias, of shape (400,), is not there"),
        ({"0.weight": torch.zeros(400, 120)}, "0.weight, of shape (400, 128), is of shape (400, 120)"),
        ([1.0], "0.weight, of shape (400, 128), is not there"),
        (Code(), "which was not run, not numbers only: fetch it again"),
    ],
)
def test_other_files_are_refused(content: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(content, path)
    with pytest.raises(DataFileError) as caught:
        load_ofa_predictor(MBV3, 224, path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"a": 1}, protocol=2)])
def test_files_that_torch_did_not_write(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    path.write_bytes(content)
    with pytest.raises(DataFileError, check=coded("not-a-torch-file")):
        load_ofa_predictor(MBV3, 224, path)


def test_what_it_does_not_know() -> None:
    with pytest.raises(MetricError, match=r"mbv3.*resnet50", check=coded("not-of-space")):
        load_ofa_predictor(load_space("resnet50"))
    for resolution in (144, 228, 256):
        with pytest.raises(MetricError, match=f"knows resolutions 160 to 224 in steps of 16, not {resolution}"):
            load_ofa_predictor(MBV3, resolution)


def test_the_source_of_accuracy() -> None:
    assert choose_accuracy_source(None, has_images=False) == "reference"
    assert choose_accuracy_source(None, has_images=True) == "supernet"
    assert choose_accuracy_source("reference", has_images=True) == "reference"
    with pytest.raises(InputError, match=r"accuracy.*imagenet.*supernet.*ofa-predictor", check=coded("unknown-name")):
        choose_accuracy_source("imagenet", has_images=True)
    with pytest.raises(MetricError, check=coded("accuracy-not-loaded")):
        load_metrics(MBV3, ["accuracy"], 224, lambda _: None, accuracy_source="supernet")
