"""Bytes become characters wherever they are cut, the encoding is told, and what is damaged is counted."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.text.decoding import UTF_8, BinaryError, Damage, decide, decoded, named

ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\r\t"))

LEGACY = {
    "cp1252": "Die Größe der Straße überrascht die Gäste, fürs Frühstück gibt es Brötchen.\nÄpfel und Öl sind schön.\n",
    "cp1250": "Příliš žluťoučký kůň úpěl ďábelské ódy. Žádný učený z nebe nespadl, říká se v Čechách.\n",
    "cp1251": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n",
    "koi8_r": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\n",
    "cp1253": "Η Ελλάδα είναι μια χώρα της νοτιοανατολικής Ευρώπης, στο νοτιότερο άκρο της Βαλκανικής.\n",
    "cp932": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "gb18030": "道可道,非常道。名可名,非常名。无名天地之始;有名万物之母。\n",
}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(borders)]


def read(portions: list[bytes]) -> tuple[str, str, int]:
    damage = Damage()
    encoding = decide(portions)
    return "".join(decoded(portions, encoding, damage)), encoding.words, damage.bytes


@given(ANY_TEXT, st.lists(st.integers(0, 1000), max_size=8), st.sampled_from(["utf-8", "utf-8-sig"]))
def test_any_text_in_utf_8_comes_back_wherever_it_is_cut(text: str, places: list[int], codec: str) -> None:
    found = read(cut(text.encode(codec), places))
    without_mark = text if codec == "utf-8-sig" else text.removeprefix("\ufeff")
    assert found == (without_mark.replace("\r\n", "\n").replace("\r", "\n"), "UTF-8", 0)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff")), st.lists(st.integers(0, 1000), max_size=8))
@pytest.mark.parametrize("codec", ["utf-16", "utf-32"])
def test_a_byte_order_mark_decides(codec: str, text: str, places: list[int]) -> None:
    assume(not text.startswith("\0"))  # a NUL after the mark of UTF-16 makes the one of UTF-32
    data = text.encode(codec)
    encoding = decide([data])
    assert encoding.words == f"{codec.upper()} by its byte order mark"
    damage = Damage()
    assert "".join(decoded(cut(data, places), encoding, damage)) == text
    assert damage.bytes == 0


@pytest.mark.parametrize("codec", LEGACY)
def test_a_legacy_encoding_is_found_by_its_looks_also_deep_in_a_text(codec: str) -> None:
    text = "plain as it can be\n" * 200_000 + LEGACY[codec] * 3
    data = text.encode(codec)
    portions = [data[at : at + 100_003] for at in range(0, len(data), 100_003)]
    found, words, damaged = read(portions)
    assert found == text
    assert "--encoding overrules" in words
    assert damaged == 0


def test_little_damage_does_not_make_utf_8_another_encoding() -> None:
    data = "Grüße aus Köln, schöne Wörter überall. ".encode() * 20
    found, words, damaged = read([data[:300] + b"\xff\xfe\xc3" + data[300:]])
    assert words == "UTF-8 with damage"
    assert damaged == 3
    assert found.count("\ufffd") == 3
    assert found.replace("\ufffd", "").startswith("Grüße aus Köln")


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=5))
def test_every_byte_is_decoded_or_counted(data: bytes, places: list[int]) -> None:
    damage = Damage()
    text = "".join(decoded(cut(data, places), named("utf-8"), damage))
    whole = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    assert text == whole
    assert damage.bytes == len(data) - len(data.decode("utf-8", "ignore").encode())


def test_a_sequence_that_the_end_cuts_off_is_counted() -> None:
    assert read([("schön, über, für, Grüße; " * 4).encode() + b"\xe2\x82"])[1:] == ("UTF-8 with damage", 2)


@pytest.mark.parametrize(
    ("data", "reason"), [(b"text\0text", "a NUL at byte 4"), (bytes(range(1, 256)) * 40, "control characters")]
)
def test_binary_bytes_are_told_from_text(data: bytes, reason: str) -> None:
    with pytest.raises(BinaryError, match=reason):
        decide([data[:3], data[3:]])


def test_an_old_macintosh_is_thought_of_only_where_lines_end_as_on_one() -> None:
    line = "Le cœur a ses raisons que la raison ne connaît point ; ça vaut 5 euros déjà."
    assert decide([f"{line}\r".encode("mac_roman") * 40]).codec == "mac_roman"
    assert decide([f"{line}\n".encode("cp1252") * 40]).codec == "cp1252"


@pytest.mark.parametrize("name", ["latin1", "UTF-16-LE", "shift_jis", "cp1252"])
def test_a_named_encoding_is_taken_at_its_word(name: str) -> None:
    encoding = named(name)
    assert "".join(decoded(["Grsse, ½"[:5].encode(name)], encoding, Damage())) == "Grsse"
    assert encoding.words.endswith("as asked")


@pytest.mark.parametrize("name", ["klingon", "hex", "rot13", "", "utf\0-8", "a b"])
def test_an_encoding_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UsageError, match=r"no encoding .*latin-1"):
        named(name)


def test_plain_ascii_is_utf_8() -> None:
    assert decide([b"plain"]) is UTF_8
    assert decide([]) is UTF_8
