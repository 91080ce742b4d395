"""Images a second that reach a network: decoded from a folder each time, or from the cache that --fast reads.

Run with: python tests/benchmarks/bench_images.py
The images are generated, at ImageNet's usual 500 x 375; both ways take turns, and give the same pixels. The cache is
warm, as it is from the second network on where it fits into memory.
"""

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from blockprof.evaluators.supernet import FolderImages, read_folder, write_cache
from blockprof.evaluators.supernet.cache import open_cache
from blockprof.evaluators.supernet.images import ImageSource, normalise

RESOLUTION = 224
CLASSES = ("n01440764", "n01443537")
BATCH_SIZE = 100
ROUNDS = 5


def generate(folder: Path, num_images: int) -> None:
    """Write JPEGs whose detail, and so whose size in bytes, is about that of photographs."""
    rng = np.random.default_rng(0)
    for part, count in (("train", len(CLASSES)), ("val", num_images)):
        for number in range(count):
            coarse = Image.fromarray(rng.integers(0, 256, (94, 125, 3), dtype=np.uint8))
            place = folder / part / CLASSES[number % len(CLASSES)]
            place.mkdir(parents=True, exist_ok=True)
            coarse.resize((500, 375), Image.Resampling.BICUBIC).save(place / f"{number:05}.JPEG", quality=90)


def images_per_second(images: ImageSource) -> tuple[float, torch.Tensor]:
    """How many images are normalised, as a network takes them, in a second; and the last of them."""
    start, count = time.perf_counter(), 0
    batch = torch.empty(0)
    for pixels, _ in images.validation(BATCH_SIZE):
        batch = normalise(pixels)
        count += len(batch)
    return count / (time.perf_counter() - start), batch


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--workers", type=int, default=0, help="processes that decode the folder's images")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # that this is not ImageNet
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        generate(place / "imagenet", arguments.images)
        folder = FolderImages(read_folder(place / "imagenet"), RESOLUTION, arguments.workers)
        start = time.perf_counter()
        written = write_cache(folder, place / "cache")
        seconds = time.perf_counter() - start
        cached = open_cache(place / "cache", RESOLUTION, folder.seed, folder.num_recalibration, source=folder.folder)
        size = np.mean([Path(path).stat().st_size for path, _ in folder.folder.val]) / 1e3
        rates = []
        for _ in range(ROUNDS):
            (slow, expected), (quick, found) = images_per_second(folder), images_per_second(cached)
            assert torch.equal(found, expected)
            rates.append((slow, quick))
        total = written.paths[0].stat().st_size / 1e6
    slow, quick = np.median(rates, axis=0)
    print(
        f"{arguments.images:,} JPEGs of {size:.0f} kB at {RESOLUTION}, {arguments.workers} workers; medians of {ROUNDS}"
    )
    print(f"  folder          {slow:9,.0f} images a second")
    print(f"  cache           {quick:9,.0f} images a second, the same pixels")
    print(f"  cache / folder  {np.median([second / first for first, second in rates]):9.1f} times")
    print(f"  cache-imagenet  {seconds:9.1f} s to write {total:,.0f} MB once")


if __name__ == "__main__":
    main()
