"""Networks that a file has several measurements of: kept within the noise, refused beyond it."""

import numpy as np
import pytest

from blockprof.foundation.errors import DataFileError, DataNote
from blockprof.latency_data import parse_latency_csv
from blockprof.spaces import load_space
from blockprof.spaces.sampling import sample_architectures

PN = load_space("pn")
NETS = sample_architectures(PN, 8, np.random.default_rng(0)).to_strings()
HEADER = "net_id,net_str,device,resolution,lat unit,end-to-end lat"


def row(net=NETS[0], latency="10.5"):
    return f"0,{net},npu,224,ms,{latency}"


def content(*rows):
    return "\n".join([HEADER, *rows, ""]).encode()


def message_of(data):
    with pytest.raises(DataFileError) as caught:
        parse_latency_csv(data, PN, "lat.csv")
    return str(caught.value)


def repeated(ratio, noise=1.01):
    """Eight networks, measured twice a factor ``noise`` apart, the last one a factor ``ratio``."""
    rows = [row(net, latency=str(10.0 + 3.1415 * number)) for number, net in enumerate(NETS)]
    again = [(10.0 + 3.1415 * number) * (ratio if number == 7 else noise) for number in range(8)]
    return content(*rows, *(row(net, latency=str(latency)) for net, latency in zip(NETS, again, strict=True)))


@pytest.mark.parametrize("ratio", [1.01, 0.98, 1.2])
def test_repeats_are_kept_and_told(ratio):
    with pytest.warns(DataNote, match=r"^lat\.csv: 8 networks are measured several times, 1\.0 % apart in the median"):
        data = parse_latency_csv(repeated(ratio), PN, "lat.csv")
    assert (len(data), data.num_networks) == (16, 8)


@pytest.mark.parametrize("ratio", [1.3, 0.7, 1000])
def test_repeats_that_contradict_beyond_the_noise_of_the_others(ratio):
    message = message_of(repeated(ratio))
    assert message.startswith("lat.csv: row 17, column 'end-to-end lat': ")
    assert "contradicts row 9" in message
    assert "may differ by a factor of 1.25" in message


def test_noisy_repeats_allow_more():
    with pytest.warns(DataNote, match="several times"):
        parse_latency_csv(repeated(1.6, noise=1.1), PN, "lat.csv")
    assert "contradicts row 9" in message_of(repeated(2.0, noise=1.1))


def test_a_coarse_clock_gives_the_same_latency_twice():
    with pytest.warns(DataNote, match=r"1 network is measured several times, 0\.0 % apart"):
        assert len(parse_latency_csv(content(row(latency="12"), row(latency="12")), PN, "lat.csv")) == 2
