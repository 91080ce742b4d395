"""What is decoded from files that may hold anything."""

from io import BytesIO

import numpy as np
import pytest

from blockprof.foundation.decoding import read_arrays


@pytest.mark.parametrize("order", "<>")
def test_text_of_characters_that_do_not_exist(order: str) -> None:
    def saved(codes: list[int]) -> bytes:
        file = BytesIO()
        np.savez(file, header=np.array(codes, f"{order}u4").view(f"{order}U{len(codes)}")[0:1].reshape(()))
        return file.getvalue()

    assert str(read_arrays(saved([0x61, 0x10FFFF]))["header"]) == "a\U0010ffff"
    with pytest.raises(ValueError, match="characters that do not exist"):
        read_arrays(saved([0x61, 0x110000]))
