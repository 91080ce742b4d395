"""Change one thing in the numerical core, and see whether a test fails: ``make mutants``.

A random sample of mutants, each in a copy of the repository in a temporary folder. The test file that
mirrors a mutant's module comes first, then the others of its folder, quick tests before slow ones.
"""

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

from making import Change, Mutant, change, find_mutants
from testing import QUICK_SECONDS, run_tests

REPOSITORY = Path(__file__).parents[2]
CORE = (
    "predictors",
    "blockprof/profiling",
    "blockprof/reduction",
    "blockprof/searching",
    "blockprof/evaluators/device",
)
DEVICE = "blockprof/evaluators/device"
NUMERICAL = ("statistics.py", "drift.py", "timing.py")
"""What is numerical of ``DEVICE``: the tests of the rest start processes, and say nothing of these."""
LEFT_OUT = ("__init__", "built_in", "kinds", "model_files", "onnx_blockwise", "onnx_export", "onnx_parts",
            "pyfunc_model", "saved", "serving", "by_name", "presets", "files")  # fmt: skip
"""Modules that read, write and look up; they hold no numbers of their own."""
GRU = "gru/test_network.py"
"""Of the folders below, the tests of what predictors/runtime.py computes."""
BARS = "test_accuracy.py"
"""Bars on public data: minutes, and wide."""
FIRST = {"blockwise": ("model", "intervals"), "features": ("model",), "runtime": ("model", "network"),
         "training": ("outliers",),
         "fitting": ("model", "intervals", "outliers"),
         "outlier_rows": ("outliers",), "prediction": ("model",),
         "sampled": ("profile",), "additive": ("pooled", "profile"), "statistics": ("statistics", "profile"),
         "effects": ("deriving", "explaining"), "archive": ("searching",), "nsga2": ("searching",), "guide": ("study",),
         "problem": ("searching",), "result": ("searching", "pareto"), "chain": ("exact",),
         "limits": ("exact", "searching"), "drawing": ("searching",), "evolution": ("searching",),
         "comparison": ("pareto",)}  # fmt: skip
"""The test files to try first, by module, where these are not the mirrored one."""
REST_SECONDS = 30.0
"""Of the other tests of the folder, as many as this allows, quick ones first."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("paths", nargs="*", default=CORE, help="files and folders of the core")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="blockprof-mutants-") as folder:
        root = Path(folder).resolve()
        _copy(root)
        drawn = _draw(root, [path.rstrip("/") for path in asked.paths], asked.mutants, random.Random(asked.seed))
        _try_all(root, drawn)


def _copy(root: Path) -> None:
    """Copy what git knows, laid out so that both the packages and the tests' own paths are found."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    for name in filter(lambda name: (REPOSITORY / name).is_file(), listed.stdout.splitlines()):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, root / name)
    for package in ("cli", "predictors"):
        (root / "blockprof" / package).symlink_to(root / package)
    sys.path.insert(0, str(root))
    os.environ["PYTHONPATH"] = str(root)
    os.environ.setdefault("BLOCKPROF_SHARED", str(REPOSITORY.parent / "shared" / "data"))


def _draw(root: Path, paths: list[str], size: int, rng: random.Random) -> list[tuple[Mutant, Change]]:
    files = [
        str(file.relative_to(root))
        for path in paths
        for file in ([root / path] if path.endswith(".py") else sorted((root / path).glob("*.py")))
        if (path != DEVICE or file.name in NUMERICAL) and file.stem not in LEFT_OUT
    ]
    mutants = [mutant for file in files for mutant in find_mutants(root, file)]
    print(f"{len(files)} files, {len(mutants)} mutants, a sample of {min(size, len(mutants))}", flush=True)
    rng.shuffle(mutants)
    drawn = ((mutant, found) for mutant in mutants if (found := change(root, mutant)))
    return [pair for pair, _ in zip(drawn, range(size), strict=False)]


def _try_all(root: Path, drawn: list[tuple[Mutant, Change]]) -> None:
    tests = {folder: _sound_tests(root, folder) for folder in sorted({str(Path(m.file).parent) for m, _ in drawn})}
    equivalent = {
        (one["file"], one["before"], one["after"])
        for one in tomllib.loads(Path(__file__).with_name("equivalent.toml").read_text())["mutant"]
    }
    num_killed, same, survivors = 0, 0, []
    for number, (mutant, made) in enumerate(drawn, start=1):
        start = time.monotonic()
        if (mutant.file, made.before, made.after) in equivalent:
            same, end = same + 1, "equivalent"
        elif failed := _try(root, mutant, made, tests[str(Path(mutant.file).parent)]):
            num_killed, end = num_killed + 1, f"killed by {failed[0].rpartition('/')[2]}"
        else:
            survivors.append(made.diff)
            end = "SURVIVED"
        place = f"{mutant.file}:{mutant.line} {mutant.operator}"
        print(f"{number}/{len(drawn)} {place}: {end} ({time.monotonic() - start:.1f} s)", flush=True)
    print("", *survivors, sep="\n")
    counted = len(drawn) - same
    print(f"{num_killed} of {counted} mutants killed ({num_killed / max(counted, 1):.1%}), {len(survivors)} survived")
    print(f"{same} more of the sample are equivalent: see tests/mutants/equivalent.toml")


def _sound_tests(root: Path, folder: str) -> dict[str, float]:
    """The tests for a folder's modules that pass without a mutant, and soon: seconds that each takes."""
    tests = [file for names in ("test_*.py", GRU) for file in sorted((root / "tests" / folder).glob(names))]
    if folder == DEVICE:
        tests = [file for file in tests if file.name.removeprefix("test_") in NUMERICAL]
    tests = [file for file in tests if file.name != BARS]
    taken, failed = run_tests(root, [str(file.relative_to(root)) for file in tests], None)
    sound = {name: took for name, took in taken.items() if name not in failed and took < QUICK_SECONDS}
    print(
        f"{folder}: {len(sound)} tests, {sum(sound.values()):.0f} s; left out: {sorted(set(taken) - set(sound))}",
        flush=True,
    )
    if not sound:
        sys.exit(f"no test of {folder} passes: {failed}")
    return sound


def _try(root: Path, mutant: Mutant, made: Change, tests: dict[str, float]) -> list[str]:
    """The tests that fail: one, or none."""
    module = Path(mutant.file)
    own = tuple(f"test_{name}.py" for name in (module.stem, *FIRST.get(module.stem, ())))
    file, original = root / module, root / "original.py"
    shutil.copy2(file, original)
    file.write_text(made.code)
    quick_first = sorted(tests, key=tests.__getitem__)
    first = [test for test in quick_first if Path(test.partition("::")[0]).name in own]
    rest = [test for test in quick_first if test not in first]
    sums = itertools.accumulate(tests[test] for test in rest)
    rest = [test for test, spent in zip(rest, sums, strict=True) if spent <= REST_SECONDS]
    try:
        for part in filter(None, (first, rest)):
            files = sorted({test.partition("::")[0] for test in part})
            if failed := run_tests(root, files, {test: tests[test] for test in part})[1]:
                return failed
        return []
    finally:
        original.replace(file)


if __name__ == "__main__":
    main()
