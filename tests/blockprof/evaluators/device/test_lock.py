import os
import stat

import pytest
from codes import coded

from blockprof.evaluators.device.lock import lock_path, machine_lock
from blockprof.foundation.errors import BlockprofError

SPEC = {"rounds": 1, "time_limit_s": 0.1}


def test_only_one_holds_it_and_it_is_free_afterwards():
    with machine_lock():
        assert stat.S_IMODE(lock_path().stat().st_mode) == 0o666
        message = rf"another measurement runs on this machine \(process {os.getpid()}\)"
        with pytest.raises(BlockprofError, match=message), machine_lock():
            pass
    with machine_lock():
        pass


def test_it_is_released_after_an_error():
    with pytest.raises(RuntimeError, match="no"), machine_lock():
        raise RuntimeError("no")
    with machine_lock():
        pass


def test_another_process_is_named_and_its_end_by_kill_releases(start_worker, model_folder, tmp_path):
    worker = start_worker(model_folder, tmp_path / "a.jsonl", "--turns", spec=SPEC)
    assert worker.take_turn() == 1
    with pytest.raises(BlockprofError, match=f"process {worker.process.pid}\\)"), machine_lock():
        pass
    refused = start_worker(model_folder, tmp_path / "b.jsonl", spec=SPEC)
    counted, error = refused.finish()
    assert (refused.process.returncode, counted) == (1, [])
    assert f"another measurement runs on this machine (process {worker.process.pid})" in error
    assert not (tmp_path / "b.jsonl").exists()
    worker.process.kill()
    worker.process.wait()
    with machine_lock():
        pass


def test_a_lock_that_cannot_be_used(temporary_folder):
    lock_path().symlink_to(temporary_folder / "elsewhere")
    with pytest.raises(BlockprofError, match=r"blockprof-measure\.lock", check=coded("lock-unusable")), machine_lock():
        pass
