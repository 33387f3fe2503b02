import numpy as np
import pytest

from indexer.encoders.catalogue import get_spec
from service.evaluation.audit import Audit
from service.evaluation.evaluation import Evaluation, compare, manners
from service.evaluation.results import Ranked, TaskResult


def result(
    values: list[float], task: str = "caption -> image", ids: str = "abcd", **changes: object
) -> TaskResult:
    count = len(values)
    stated: dict[str, object] = {
        "task": task,
        "subset": "all",
        "pool": 10,
        "values": {"R@10": np.array(values, float)},
        "chances": {"R@10": 0.1},
        "query_texts": tuple(f"words of {name}" for name in ids[:count]),
        "ranked": Ranked(
            query_ids=tuple(ids[:count]),
            candidate_ids=["x", "y"],
            rows=np.tile([1, 0], (count, 1)),
            scores=np.tile(np.array([0.9, 0.1], np.float32), (count, 1)),
            judged=[(np.array([0, 1]), np.array([1, 0]))] * count,
        ),
        "facets": {},
    }
    return TaskResult(**(stated | changes))


def evaluation(*results: TaskResult, key: str = "minilm", **changes: object) -> Evaluation:
    stated: dict[str, object] = {
        "pool": "films", "kind": "image", "records": 10, "cases": 8, "encoder": get_spec(key),
        "space": "abcd", "build_id": "b1", "results": results,
    }  # fmt: skip
    return Evaluation(**(stated | changes))


def test_two_encoders_are_compared_query_by_query() -> None:
    ours = evaluation(result([1, 1, 0, 1]))
    theirs = evaluation(result([0, 0, 1], ids="dab"), key="bge-m3")
    [difference] = compare([ours], [theirs])
    # a: 1 - 0, b: 1 - 1, d: 1 - 0; c was not asked of both.
    assert difference.figure.queries == 3
    assert difference.figure.mean == pytest.approx(2 / 3)
    assert (difference.first, difference.second) == ("minilm", "bge-m3")
    assert not difference.clear


def test_what_only_one_of_them_ran_is_not_compared() -> None:
    ours = evaluation(result([1]), result([1], task="other"))
    theirs = [evaluation(result([1], subset="part")), evaluation(result([1]), pool="elsewhere")]
    assert not list(compare([ours], theirs))


def test_hybrid_search_is_held_against_both_its_legs() -> None:
    found = [
        result([0, 0, 0, 0], "q -> q, dense"),
        result([1, 1, 1, 1], "q -> q, lexical"),
        result([1, 1, 1, 1], "q -> q, hybrid"),
    ]
    ahead, equal = manners(evaluation(*found))
    assert (ahead.second, ahead.figure.mean, ahead.clear) == ("dense", 1, True)
    assert (equal.second, equal.figure.mean, equal.clear) == ("lexical", 0, False)


def training_audit(near: int) -> Audit:
    return Audit(
        kind="training", against="x", pool=9, compared_with=9, exact=0, near=near, examples=()
    )


def test_an_encoder_is_marked_by_its_card_or_by_the_audit() -> None:
    assert not evaluation().contaminated
    assert evaluation(key="builtin").contaminated
    assert not evaluation(key="builtin", audits=(training_audit(0),)).contaminated
    assert evaluation(audits=(training_audit(1),)).contaminated


def test_a_breakdown_leaves_small_groups_out() -> None:
    facets = {"modality": ("CT", "CT", "MR", "")}
    one = result([1, 0, 1, 1], facets=facets, clusters=("p", "p", "q", "r"))
    assert {group: figure.mean for group, figure in one.breakdown("modality", 2).items()} == {
        "CT": 0.5
    }
    assert one.breakdown("modality", 1)["MR"].queries == 1
    assert one.breakdown("sex", 1) == {}


def test_a_run_says_nothing_of_empty_places() -> None:
    ranked = Ranked(
        query_ids=("q",), candidate_ids=["a", "b"], rows=np.array([[1, -1]]),
        scores=np.array([[0.5, -np.inf]], np.float32), judged=[(np.array([1]), np.array([2]))],
    )  # fmt: skip
    assert ranked.run() == {"q": {"b": 0.5}}
    assert ranked.qrels() == {"q": {"b": 2}}
