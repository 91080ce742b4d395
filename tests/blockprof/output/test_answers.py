"""The sentences of an answer, of profiles whose stories are known."""

import blockprof
from blockprof.output.answers import profile_answers


def said(*metrics: str, **options: object) -> dict[str, tuple[str, ...]]:
    answers = profile_answers(blockprof.profile("pn", list(metrics), **options))
    return {answer.heading: answer.lines for answer in answers}


def test_a_cost_and_a_gain_and_what_is_not_worth_it():
    npu, accuracy, both = said("npu", "accuracy").items()
    assert npu[0] == "npu (ms), reference; random networks: 12.42 ms"
    assert npu[1][0] == "kernel size: 7 x 7 costs 1.83 ms more than 3 x 3 at the same place, on average"
    assert (
        npu[1][2] == "avoid u6.l1.e6k7 (+5.63 ms against the mean block there), u5.l3.e6k7 (+5.57), u5.l4.e6k7 (+5.57)"
    )
    assert accuracy[1][0] == "expansion ratio: 6 gains 0.150 points over 3 at the same place, on average"
    assert both[0] == "accuracy against npu"
    assert both[1][0].startswith("not worth it: u5.l4.e6k7 costs 6.82 ms more than u5.l4.e6k5 and loses 0.0159 points")


def test_choices_that_do_not_matter_are_said():
    (lines,) = said("gpu").values()
    assert lines[0] == "which block stands at any place makes no difference (under 0.0256 ms)"
    assert lines[1].startswith("depth: having ")


def test_of_a_few_placements_only_the_level_is_said():
    assert said("npu", blocks=["u1.l1.e6k7"]) == {"npu (ms), reference; random networks: 12.42 ms": ()}
