"""Folding to ASCII is the same wherever the text is cut."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.folding import fold_chunks, fold_to_ascii


@given(st.lists(st.text(st.sampled_from(" \n—éa\u00a0…中\u200b")), max_size=12))
def test_any_cut_folds_to_the_same(chunks: list[str]) -> None:
    folded = list(fold_chunks(chunks))
    assert "".join(folded) == fold_to_ascii("".join(chunks))
    assert "" not in folded
    assert "  " not in "".join(folded)


def test_a_large_text_folds_fast() -> None:
    before = time.process_time()
    length = sum(map(len, fold_chunks(["Grüße,  naïve café — as  it was\n" * 30_000] * 5)))
    assert length == len("Grusse, naive cafe -- as it was\n") * 150_000
    assert time.process_time() - before < 10  # 5 MB: about 1 s where it was written
