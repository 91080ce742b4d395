"""Files as people have them, through the commands that read them."""

import json
from pathlib import Path

import numpy as np

from blockprof.networks.modules import subnet_settings
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

HEADER = "NET_ID;Net_Str;DEVICE;Resolution;LAT UNIT;End-to-End Lat"


def test_repeats_and_decimal_commas_are_told_in_notes(process, folder: Path, rows: list[str]) -> None:
    lines = []
    for number, row in enumerate([*rows, *rows[:10]]):
        *cells, latency = row.split(",")
        again = float(latency) * (1.013 if number >= len(rows) else 1.0)
        lines.append(";".join([*cells[:3], "224,0", "MS", f"{again:.5f}".replace(".", ",")]))
    (folder / "phone.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8-sig")
    # As a process of its own: here pytest takes the warnings that notes are.
    running = process("train-predictor", "-s", "pn", "-m", "phone", "phone.csv", "--no-log")
    shown, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    assert said.count("note: phone.csv: commas in the latencies are taken for decimal points") == 1
    assert said.count("note: phone.csv: 10 networks are measured several times, 1.3 % apart in the median") == 1
    assert "trained on" in shown


def test_ofas_settings_name_a_network(cli, folder: Path) -> None:
    archs = sample_architectures(load_space("mbv3"), 1, np.random.default_rng(0))
    settings = json.dumps(subnet_settings(archs) | {"r": 128})
    (folder / "net.json").write_text(settings)
    for number, given in enumerate((settings, "net.json")):
        outcome = cli("export", "network", given, "-s", "mbv3", "-o", f"{number}.onnx", "--no-check")
        assert outcome.returncode == 0, outcome.stderr
        assert "(1, 3, 128, 128)" in outcome.stdout
    assert (folder / "0.onnx").read_bytes() == (folder / "1.onnx").read_bytes()
    (folder / "two.json").write_text(f"[{settings}, {settings.replace('128', '160')}]")
    refused = cli("export", "network", "two.json", "-s", "mbv3", "-o", "2.onnx")
    assert refused.returncode == 2
    assert "2 networks where one should be: write them with export networks --nets FILE" in refused.stderr
