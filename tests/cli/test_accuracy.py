"""Accuracy in ``profile``: in the supernet, killed, resumed and logged; OFA's predictor; what is refused."""

import json
import shutil
import signal
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from blockprof import tracking
from blockprof.evaluators.pooling import SupernetSpec
from blockprof.evaluators.supernet import checkpoint_path, load_accuracy_pool
from blockprof.spaces import load_space

pytestmark = pytest.mark.filterwarnings(
    "ignore:.* class folders are not ImageNet's", "ignore:.* all are taken", "ignore:.*does not decode"
)
DEADLINE_S = 300


@pytest.fixture
def weights(folder: Path, supernet_weights):
    """Puts a space's random weights where ``fetch-data`` would."""

    def put(space: str) -> None:
        path = folder / checkpoint_path(load_space(space))
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(supernet_weights(space), path)

    return put


@pytest.fixture(scope="module")
def images(imagenet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first image of each class: every network of a pool sees all of them."""
    small = tmp_path_factory.mktemp("small") / "imagenet"
    for image in imagenet.glob("*/*/0.JPEG"):
        copy = small / image.relative_to(imagenet)
        copy.parent.mkdir(parents=True)
        shutil.copy(image, copy)
    return small


def networks(journal: Path) -> list[str]:
    """Those whose lines are whole."""
    whole = journal.read_text().rpartition("\n")[0] if journal.exists() else ""
    return [json.loads(line)["net"] for line in whole.splitlines()[1:]]


def test_killed_gone_on_with_logged_and_not_evaluated_again(process, cli, folder: Path, images: Path, weights):
    weights("mbv3")
    line = f"profile -s mbv3 -m accuracy,flops --data {images} -n 20 --batch-size 2 --resolution 128"
    journal = Path("blockprof-data/accuracy/mbv3-r128-seed0.journal")
    with process(*line.split(), "--no-log") as started:
        end = time.monotonic() + DEADLINE_S
        while len(networks(journal)) < 3:
            assert started.poll() is None, started.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        started.send_signal(signal.SIGKILL)
        assert started.communicate(timeout=DEADLINE_S)[0] == ""
    assert [path.name for path in folder.iterdir()] == ["blockprof-data"]
    before = journal.read_bytes().rpartition(b"\n")[0]
    kept = len(networks(journal))

    outcome = cli(*line.split(), "--name", "measured")
    assert outcome.returncode == 0, outcome.stderr
    assert f"note: {journal}: {kept} of 20 networks were evaluated before" in outcome.stderr
    assert "accuracy (%): top-1 of OFA's supernet on 4 ImageNet validation images of 4 classes" in outcome.stdout
    assert "additive surrogate, pooled, 20 networks in all; held out: mean error" in outcome.stdout
    assert "points, Spearman" in outcome.stdout
    assert "independent networks for each placement, as BlockProfile draws them, would be" in outcome.stdout
    assert outcome.stdout.count("Sampler paper, exact.") == 1
    assert journal.read_bytes().startswith(before)
    assert len(set(networks(journal))) == len(networks(journal)) == 20

    run = MlflowClient().get_run(tracking.find_run("measured").id)
    assert run.data.tags["blockprof.data_origin"] == "measured,counted"
    assert run.data.tags["blockprof.source.accuracy"].startswith("top-1 of OFA's supernet on 4 ImageNet")
    assert run.data.params["num_archs"] == "20,exact"
    frames = tracking.load_frames(tracking.find_run("measured"))
    assert frames["pool_accuracy"]["net"].tolist() == networks(journal)
    assert frames["pooled"]["num_independent"].iloc[0] > 0
    assert frames["placements"].groupby("metric", sort=False)["method"].first().tolist() == ["pooled", "exact"]
    files = {file.path for file in MlflowClient().list_artifacts(run.info.run_id, "figures")}
    assert {"figures/accuracy_pool.png", "figures/accuracy_effects.png"} <= files

    measured = journal.read_bytes()
    theirs = cli(*line.replace("-s mbv3 -m accuracy,flops", "-s OFASupernet -m 0 1").split(), "--no-log")
    assert theirs.returncode == 0, theirs.stderr
    assert "accuracy (%): top-1 of OFA's supernet on 4 ImageNet validation images" in theirs.stdout
    assert "built-in table" not in theirs.stderr
    assert "OFASupernet drew networks as --sampler upstream does" in theirs.stderr
    assert journal.read_bytes() == measured
    larger = load_accuracy_pool(load_space("mbv3"), SupernetSpec(images), resolution=128, num_networks=21)
    assert len(larger.metric.evaluate(larger.archs)) == 21
    assert journal.read_bytes().startswith(measured), "a larger pool goes on where the smaller one ended"
    assert len(networks(journal)) == 21


def test_resnet50_from_a_cache(cli, folder: Path, images: Path, weights) -> None:
    weights("resnet50")
    assert cli("cache-imagenet", "--data", images, "--resolution", "128").returncode == 0
    line = (
        "profile -s resnet50 -m accuracy --resolution 128 --fast --blocks stem.skip,stem2.c48,u3.l2.w100.e35 --no-log"
    )
    journal = Path("blockprof-data/accuracy/resnet50-r128-seed0.journal")
    outcome = cli(*line.split(), "-n", "20")
    assert outcome.returncode == 0, outcome.stderr
    for placement in ("stem.skip", "stem2.c48", "u3.l2.w100.e35"):
        assert placement in outcome.stdout
    assert len(networks(journal)) == 20
    before = journal.read_bytes()
    weights_file = checkpoint_path(load_space("resnet50"))
    weights_file.write_bytes(weights_file.read_bytes() + b" ")
    outcome = cli(*line.split(), "-n", "20", "--data", images, "--strict")
    assert outcome.returncode == 2
    assert "error: blockprof-data/accuracy/resnet50-r128-seed0.journal: was measured with weights" in outcome.stderr
    assert journal.read_bytes() == before


def test_ofas_predictor(cli, folder: Path, shared_data: Path) -> None:
    (folder / "blockprof-data").mkdir()
    shutil.copytree(shared_data / "ofa", folder / "blockprof-data" / "ofa")
    line = "profile -s mbv3 -m npu,accuracy --accuracy-source ofa-predictor -n 30 --blocks u1.l1.e3k3 --no-log"
    outcome = cli(*line.split())
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert (
        "accuracy (%): predicted by OFA's accuracy predictor at 224, ImageNet top-1. Sampler paper, 30"
        in outcome.stdout
    )


def test_the_reference_table_is_the_default(cli, folder: Path, imagenet: Path) -> None:
    outcome = cli("profile", "-s", "pn", "-m", "accuracy", "--no-log")
    assert "accuracy (%): reference table, ImageNet top-1" in outcome.stdout
    line = f"profile -s pn -m accuracy --accuracy-source reference --data {imagenet} --no-log"
    outcome = cli(*line.split())
    assert outcome.returncode == 0
    assert outcome.stderr == "note: --data is not used: none of these metrics runs networks\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "-s resnet50 --accuracy-source reference",
            "accuracy is evaluated in the supernet with --data, ImageNet's folder",
        ),
        ("-s resnet50", "accuracy is evaluated in the supernet with --data, ImageNet's folder"),
        ("-s resnet50 --accuracy-source ofa-predictor", "OFA's accuracy predictor is of mbv3, not of resnet50"),
        ("-s mbv3 --accuracy-source ofa-predictor", "`blockprof fetch-data --source ofa-accuracy-predictor`"),
        ("-s mbv3 --accuracy-source ofa-predictor --resolution 144", "knows resolutions 160 to 224 in steps of 16"),
        ("-s pn --accuracy-source imagenet", "unknown accuracy source 'imagenet': there are supernet, ofa-predictor"),
        ("-s pn --accuracy-source supernet", "no images: give ImageNet's folder, or a folder that `blockprof cache-im"),
        ("-s pn --fast", "there is no cache of ImageNet's images: write it with `blockprof cache-imagenet"),
        ("-s pn --data nosuch", "nosuch: has no folder train"),
        ("-s pn --data IMAGENET", "get the weights with `blockprof fetch-data --source ofa-supernets --space pn`"),
        ("-s pn --data IMAGENET -n 19", "--num-archs 19: with accuracy in the supernet it is how many networks are"),
        ("-s pn --data IMAGENET -n 10001", "measured in all, 20 to 10,000"),
        ("-s pn --data IMAGENET --device cuda:99", "--device cuda:99: torch cannot use it here"),
        ("-s pn -m ort-cpu --data IMAGENET -n 200", "--num-archs 200: with ort-cpu it is how many"),
        ("-s pn --resolution 100 --data IMAGENET", "resolution 100: pn takes 128 to 256"),
        (
            "-s pn --resolution 188",
            "evaluate networks in the supernet with --data at 188, or choose another --resolution",
        ),
    ],
)
def test_what_is_refused(line: str, said: str, refused, imagenet: Path) -> None:
    assert said in refused("profile", "-m", "accuracy", *line.replace("IMAGENET", str(imagenet)).split())


def test_a_source_of_a_metric_that_is_not_asked(refused) -> None:
    message = refused("profile", "-s", "pn", "-m", "npu", "--accuracy-source", "reference")
    assert message.startswith("--accuracy-source is for the metric accuracy: ask for it too")


def test_a_search_by_the_supernet_evaluates_no_network_twice(cli, folder: Path, images: Path, weights) -> None:
    weights("pn")
    line = (
        f"search -s pn --maximize accuracy --minimize flops --data {images} --batch-size 4 --resolution 128 "
        "--initial 4 --generations 2 --children 2"
    )
    journal = Path("blockprof-data/accuracy/pn-r128-seed0.journal")
    outcome = cli(*line.split(), "--name", "found")
    assert outcome.returncode == 0, outcome.stderr
    evaluated = networks(journal)
    assert len(set(evaluated)) == len(evaluated) == 8
    record = tracking.find_run("found")
    assert record.tags["blockprof.source.accuracy"].startswith("top-1 of OFA's supernet on 4 ImageNet")
    assert tracking.load_frames(record)["evaluated"]["net_str"].tolist() == evaluated
    before = journal.read_bytes()
    again = cli(*line.split(), "--no-log")
    assert again.returncode == 0, again.stderr
    assert f"note: {journal}: 8 networks were evaluated before" in again.stderr
    assert journal.read_bytes() == before


def test_a_search_by_ofas_predictor(cli, folder: Path, shared_data: Path) -> None:
    (folder / "blockprof-data").mkdir()
    shutil.copytree(shared_data / "ofa", folder / "blockprof-data" / "ofa")
    line = "search -s mbv3 --maximize accuracy --limit npu=6 --accuracy-source ofa-predictor --no-log"
    outcome = cli(*line.split())
    assert outcome.returncode == 0, outcome.stderr
    assert "predicted by OFA's accuracy predictor at 224" in outcome.stdout
    exact = cli(*line.split(), "--algorithm", "exact")
    assert exact.returncode == 2
    assert "accuracy" in exact.stderr
