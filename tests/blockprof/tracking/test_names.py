"""Runs are named by what they are of, and told apart."""

from blockprof.tracking import runs
from blockprof.tracking.log import Log


def names(times: int, subject: str) -> list[str]:
    found = []
    for _ in range(times):
        with Log().run("profile", "pn", subject=subject) as record:
            record(lambda run: found.append(run.name))
    return found


def test_a_name_says_the_command_the_space_and_the_subject_and_is_unique(store) -> None:
    assert names(3, "npu,accuracy") == [f"profile pn npu,accuracy{end}" for end in ("", " 2", " 3")]
    assert names(1, "npu") == ["profile pn npu"]


def test_a_servers_runs_are_told_apart_by_time(monkeypatch) -> None:
    monkeypatch.setattr(runs, "tracking_uri", lambda: "http://127.0.0.1:9")
    assert runs._unique("profile pn npu")[:15] == "profile pn npu "
    assert len(runs._unique("profile pn npu")) == len("profile pn npu 11-27 03:40:12")
