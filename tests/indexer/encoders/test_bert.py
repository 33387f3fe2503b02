from typing import Any

import pytest
import torch

from indexer.encoders.bert import assemble_bert
from indexer.encoders.torchvision_shim import ensure_torchvision
from tests.indexer.encoders.tiny_models import bert_config


@pytest.fixture(scope="module")
def reference() -> Any:
    ensure_torchvision()
    from transformers import BertModel

    torch.manual_seed(1)
    return BertModel(bert_config(50), add_pooling_layer=False).eval()


def test_it_computes_what_transformers_computes(reference: Any) -> None:
    ours = assemble_bert(reference.state_dict(), heads=4, norm_epsilon=1e-12)
    tokens = torch.randint(1, 50, (3, 16))
    lengths = torch.tensor([16, 9, 1])
    mask = torch.arange(16) < lengths[:, None]
    with torch.inference_mode():
        states = reference(input_ids=tokens, attention_mask=mask.long()).last_hidden_state
        expected = (states * mask[:, :, None]).sum(1) / lengths[:, None]
        torch.testing.assert_close(ours.pooled(tokens, lengths), expected, atol=1e-5, rtol=1e-5)


def test_what_stands_behind_a_sequence_does_not_matter(reference: Any) -> None:
    ours = assemble_bert(reference.state_dict(), heads=4, norm_epsilon=1e-12)
    tokens = torch.randint(1, 50, (1, 16))
    changed = tokens.clone()
    changed[:, 9:] = 7
    lengths = torch.tensor([9])
    assert torch.equal(ours.pooled(tokens, lengths), ours.pooled(changed, lengths))


def test_in_bfloat16_every_weight_is_turned_and_the_result_is_float32(
    reference: Any,
) -> None:
    ours = assemble_bert(reference.state_dict(), heads=4, norm_epsilon=1e-12)
    lowered = ours.to_bfloat16()
    assert lowered.words.dtype == lowered.positions.dtype == torch.bfloat16
    assert {tensor.dtype for pair in (lowered.norm,) for tensor in pair} == {torch.bfloat16}
    assert lowered.layers[1].feed_out[0].dtype == torch.bfloat16
    pooled = lowered.pooled(torch.randint(1, 50, (2, 16)), torch.tensor([16, 4]))
    assert pooled.dtype == torch.float32
    assert ours.words.dtype == torch.float32


def test_a_missing_weight_is_named(reference: Any) -> None:
    state = dict(reference.state_dict())
    del state["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        assemble_bert(state, heads=4, norm_epsilon=1e-12)
