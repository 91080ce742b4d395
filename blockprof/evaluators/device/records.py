"""What a journal's rows say: the header, the environment of each process, the visits."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from blockprof.evaluators.device.environment import Environment, Machine
from blockprof.evaluators.device.spec import MeasureSpec
from blockprof.evaluators.device.timing import Timing
from blockprof.foundation.journal import Kind
from blockprof.foundation.latencies import are_latencies

JOURNAL = Kind("measurement", "measured", "measures", format_1="blockprof journal 1")

_EXTENDED = "extended"


@dataclass(frozen=True)
class Header:
    """What a journal holds the measurements of, as it says itself.

    ``networks`` is the SHA-256 of the networks' names, in order.
    """

    networks: str
    num_networks: int
    spec: MeasureSpec
    machine: Machine


@dataclass(frozen=True)
class Subject:
    """What is to be measured: networks by their names, how, on which machine, and of which space they are, where known.

    A journal of it may be of the first networks only, and then is extended by the others.
    """

    names: tuple[str, ...]
    spec: MeasureSpec
    machine: Machine
    space: str | None = None

    def header(self, num_networks: int | None = None) -> Header:
        """The header of a journal of the first so many networks, of all of them where None."""
        first = self.names[:num_networks]
        return Header(sha256("\n".join(first).encode()).hexdigest(), len(first), self.spec, self.machine)

    def differences(self, found: Header) -> list[str]:
        """Why a journal of that header cannot be resumed, for a message: ``threads 1 (now 2)``; else empty."""
        settings = {**asdict(found.spec), **asdict(found.machine)}
        now = {**asdict(self.spec), **asdict(self.machine)}
        if found.num_networks > len(self.names):
            settings = {"number of networks": found.num_networks, **settings}
            now["number of networks"] = len(self.names)
        changed = [f"{name} {value} (now {now[name]})" for name, value in settings.items() if value != now[name]]
        if not changed and found.networks != self.header(found.num_networks).networks:
            changed.append("other networks, or another order of them")
        return changed


@dataclass(frozen=True, eq=False)
class Visit:
    """One network, measured once.

    ``network`` is its index, ``round`` counts from 1, ``anchor`` marks visits of the anchor, ``started_s`` is in
    seconds since 1970.
    """

    network: int
    round: int
    anchor: bool
    started_s: float
    timing: Timing

    @property
    def middle_s(self) -> float:
        """When half of the repeating was done, in seconds since 1970."""
        return self.started_s + float(self.timing.times_ns.sum()) / 2e9

    @property
    def median_ms(self) -> float:
        """The median of the network's own times, in ms."""
        return float(np.median(self.timing.own_ms))


def encode_header(header: Header, space: str | None) -> dict[str, Any]:
    """What a journal is of, its space among it."""
    return {"space": space, **asdict(header)}


def encode_extension(header: Header) -> dict[str, Any]:
    """The row from which on a journal is of more networks: those of the header."""
    return {_EXTENDED: {"networks": header.networks, "num_networks": header.num_networks}}


def is_extension(row: Mapping[str, Any]) -> bool:
    """Whether a row is one of :func:`encode_extension`."""
    return _EXTENDED in row


def encode_environment(environment: Environment) -> dict[str, Any]:
    """The row that a process begins with."""
    return {"environment": asdict(environment)}


def encode_visit(visit: Visit) -> dict[str, Any]:
    """The row of a visit."""
    timing = visit.timing
    return {
        "visit": {
            "network": visit.network,
            "round": visit.round,
            "anchor": visit.anchor,
            "started_s": visit.started_s,
            "warm_up_runs": timing.warm_up_runs,
            "times_ns": timing.times_ns.tolist(),
            "waits_ns": timing.waits_ns.tolist(),
        }
    }


def decode_header(content: Mapping[str, Any]) -> Header:
    """The inverse of :func:`encode_header`; raises ValueError, KeyError or TypeError where it is no header."""
    spec, machine = MeasureSpec(**content["spec"]), _decode_machine(content["machine"])
    header = Header(content["networks"], content["num_networks"], spec, machine)
    if not isinstance(header.num_networks, int) or header.num_networks < 1:
        raise ValueError("no networks")
    return header


def decode_extension(row: Mapping[str, Any], header: Header) -> Header:
    """The inverse of :func:`encode_extension`, after ``header``; raises ValueError, KeyError or TypeError where it is
    damaged.
    """
    extended = replace(header, **row[_EXTENDED])
    if not isinstance(extended.num_networks, int) or extended.num_networks <= header.num_networks:
        raise ValueError("not more networks")
    return extended


def decode_record(row: Mapping[str, Any], header: Header) -> Environment | Visit:
    """A row of another kind; raises ValueError, KeyError or TypeError where it is damaged."""
    if "environment" in row:
        return decode_environment(row["environment"])
    visit = row["visit"]
    times_ns, waits_ns = np.array(visit["times_ns"]), np.array(visit["waits_ns"])
    if times_ns.ndim != 1 or times_ns.dtype != np.int64 or waits_ns.dtype != np.int64:
        raise ValueError("times that are no numbers")
    if len(times_ns) < header.spec.min_runs:
        raise ValueError("too few times")
    if waits_ns.shape != times_ns.shape or waits_ns.min() < 0 or (times_ns <= waits_ns).any():
        raise ValueError("times that no run takes")
    if visit["network"] not in range(header.num_networks) or visit["round"] not in range(1, header.spec.rounds + 1):
        raise ValueError("a network or round that is not there")
    if not are_latencies((times_ns - waits_ns) / 1e6):
        raise ValueError("times that no clock gives")
    timing = Timing(times_ns, waits_ns, int(visit["warm_up_runs"]))
    return Visit(int(visit["network"]), int(visit["round"]), bool(visit["anchor"]), float(visit["started_s"]), timing)


def decode_environment(content: Mapping[str, Any]) -> Environment:
    """An environment as ``dataclasses.asdict`` gives it; raises ValueError, KeyError or TypeError where it is none."""
    named = dict(content)
    return Environment(machine=_decode_machine(named.pop("machine")), **named)


def _decode_machine(content: Mapping[str, Any]) -> Machine:
    """A machine as journals say it; older ones knew ONNX Runtime only."""
    named = dict(content)
    if "onnxruntime" in named:
        named["version"] = named.pop("onnxruntime")
    return Machine(**named)
