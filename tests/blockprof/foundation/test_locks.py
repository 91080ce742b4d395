"""Locks: one holder at a time, however many ask, and a file that is gone afterwards."""

import threading
from pathlib import Path

from blockprof.foundation.locks import locked, try_lock


def test_one_holds_it_and_its_file_is_gone_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    release = try_lock(path)
    assert release is not None
    assert try_lock(path) is None
    release()
    assert not list(tmp_path.iterdir())
    again = try_lock(path)
    assert again is not None
    again()


def test_those_that_wait_take_turns_though_each_removes_the_file(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("0")

    def add() -> None:
        for _ in range(5):
            with locked(tmp_path / "lock"):
                count.write_text(str(int(count.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count.read_text() == "20"
    assert list(tmp_path.iterdir()) == [count]
