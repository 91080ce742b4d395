"""BlockProfile's CSV layout of latencies: ``net_id,net_str,device,resolution,lat unit,end-to-end lat``."""

NET_ID = "net_id"
NET = "net_str"
DEVICE = "device"
RESOLUTION = "resolution"
UNIT = "lat unit"
LATENCY = "end-to-end lat"

SPACE = "space"
"""Beside the layout's own columns, and optional: the name of the networks' space, the same in every row."""

FILE = "onnx_file"
"""Beside the layout's own columns, where networks are to be measured as files: the name of each one's."""

ROUND, ANCHOR, STARTED = "round", "anchor", "started_s"
VISIT_COLUMNS = (ROUND, ANCHOR, STARTED)
"""Beside the layout's own columns in a log, which has a row a visit: the round, from 1; 1 where it is a visit of the
anchor, else 0; when it began, in seconds since any moment."""

COLUMNS = (NET_ID, NET, DEVICE, RESOLUTION, UNIT, LATENCY)

REQUIRED_COLUMNS = (NET, DEVICE, RESOLUTION, UNIT, LATENCY)
"""``net_id`` only numbers the rows, so a file may lack it."""

MS_PER_UNIT = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


def unit_name(text: str) -> str:
    """A unit as ``MS_PER_UNIT`` spells it, where it has it: case does not matter, and µ is u."""
    # Casefolded, the micro sign is the Greek letter, which others write anyway.
    return text.strip().casefold().replace("μ", "u")
