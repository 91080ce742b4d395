"""Devices that torch can run networks on."""

import torch

from blockprof.foundation.errors import Argument, InputError


def find_device(name: str) -> torch.device:
    """The device that torch calls ``name``: ``cpu``, ``cuda:0``.

    Raises:
        InputError: torch cannot use it here.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    # NotImplementedError is a RuntimeError; torch asserts that it was built for a device.
    except (RuntimeError, AssertionError) as error:
        why = " ".join(str(error).split("\n")[0].split())
        raise InputError(
            f"torch cannot use it here ({why})",
            where=Argument("device", name),
            remedy="write cpu, or cuda:0",
            code="device-unusable",
        ) from None
    return device
