"""Names are drawn with letters that a font has, and never as signs for what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval
from PIL import features

from segeval.pictures import fonts, lettering
from segeval.pictures.caption import Caption
from segeval.pictures.fonts import OWN, Piece, missing_letters, packages_for, split_pieces
from segeval.pictures.palettes import class_palette

NAMES = ("köln", "肝", "حالة")
CACHES = (
    *(fonts.split_pieces, fonts.font_of, fonts.font_files, fonts._opens, fonts._ranges),
    *(lettering._word_width, lettering._ink),
)


@pytest.fixture
def afresh() -> Iterator[None]:
    """Forget which fonts were found, before and after."""
    for cache in CACHES:
        cache.cache_clear()
    yield
    for cache in CACHES:
        cache.cache_clear()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, afresh: None) -> None:
    """Take away all fonts but that of Pillow."""
    del afresh
    monkeypatch.setattr(fonts, "FOLDERS", ())
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


def make_font(path: Path, letters: str, *, together: bool = False) -> Path:
    """Write a font whose letters are all the same block, alone or in a collection."""
    builder: Any = pytest.importorskip("fontTools.fontBuilder").FontBuilder(1000, isTTF=True)
    pen: Any = pytest.importorskip("fontTools.pens.ttGlyphPen").TTGlyphPen(None)
    pen.moveTo((100, 0))
    for corner in ((100, 700), (900, 700), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder.setupGlyphOrder([".notdef", "block"])
    builder.setupCharacterMap(dict.fromkeys(map(ord, letters), "block"))
    block = pen.glyph()
    builder.setupGlyf({".notdef": block, "block": block})
    builder.setupHorizontalMetrics({".notdef": (1000, 100), "block": (1000, 100)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    builder.setupPost()
    if together:
        collection: Any = pytest.importorskip("fontTools.ttLib").TTCollection()
        collection.fonts = [builder.font]
        collection.save(path)
    else:
        builder.save(path)
    return path


def written(monkeypatch: pytest.MonkeyPatch, card: Caption) -> list[str]:
    """Return the texts that are written below a picture."""
    texts: list[str] = []
    monkeypatch.setattr(lettering, "write_text", lambda _codes, text, *_: texts.append(text))
    lettering.draw_strip(card, 480, class_palette())
    return texts


@pytest.mark.usefixtures("bare")
def test_what_pictures_say_themselves_needs_no_other_font(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = Caption(
        name="a long name " * 9,
        subject="",
        note="no prediction: all missed",
        scores=(("IoU", float("nan")), ("Dice", 0.5)),
        legend=((3, "true positive", 12345), (4, "void", 1)),
    )
    texts = written(monkeypatch, card)
    assert "IoU -" in texts
    assert any("…" in text for text in texts)
    for text in texts:
        assert split_pieces(text) == (Piece(text, OWN, leftward=False),)


@pytest.mark.usefixtures("bare")
def test_without_a_font_names_are_written_as_code_points() -> None:
    assert "".join(piece.text for piece in split_pieces("köln")) == r"k\xf6ln"
    assert np.array_equal(lettering._ink("肝", 20), lettering._ink(r"\u809d", 20))
    assert missing_letters(["肝 köln", "肝", "plain"]) == ["肝", "ö"]
    assert packages_for(["肝", "ö"]) == ["fonts-noto-cjk", "fonts-noto-core"]
    joined = [piece for word in fonts.split_words("a حالة") for piece in split_pieces(word)]
    assert joined[1] == Piece(r"\u062d\u0627\u0644\u0629", OWN, leftward=False)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("end", ["ttf", "ttc"])
def test_a_font_that_has_the_letters_draws_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    (tmp_path / "AAA.ttf").write_bytes(b"no font")
    (tmp_path / "AAB.otf").write_bytes(b"")
    (tmp_path / "AAC.ttf").write_bytes(b"ttcf\0\1")
    make_font(tmp_path / "Emoji.ttf", "肝")
    made = str(make_font(tmp_path / f"Made.{end}", "k肝\U00020000öln", together=end == "ttc"))
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    assert split_pieces("köln") == (Piece("köln", made, leftward=False),)
    assert split_pieces("ko\u0308ln"[:1]) == (Piece("k", OWN, leftward=False),)
    assert fonts.split_words("ko\u0308ln") == ["köln"]
    assert split_pieces("a肝\U00020000") == (
        Piece("a", OWN, leftward=False),
        Piece("肝\U00020000", made, leftward=False),
    )
    assert split_pieces("é") == (Piece(r"\xe9", OWN, leftward=False),)
    ink = lettering._ink("肝", 20)
    assert (ink[8:14, 4:14] == 15).all()
    assert ink.shape[1] == lettering._word_width("肝", 20) + 2 == 22


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("name", NAMES)
def test_the_fonts_of_this_machine_draw_names_right(name: str) -> None:
    if missing_letters([name]):
        pytest.skip(f"no font of this machine draws {name}")
    (piece,) = split_pieces(name)
    assert (piece.text, piece.leftward) == (name, name == "حالة")
    tofu = fonts.font(piece.path, 24).getmask(fonts.NOWHERE)
    for letter in name:
        assert bytes(fonts.font(piece.path, 24).getmask(letter)) != bytes(tofu)
    drawn = lettering._ink(name, 24)
    assert drawn.any()
    assert not drawn[:, -1].any()
    if piece.leftward:
        alone = sum(lettering._word_width(letter, 24) for letter in name)
        assert lettering._word_width(name, 24) < alone


@pytest.mark.usefixtures("afresh")
def test_what_cannot_be_shaped_is_not_drawn_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _: False)
    for letter in ("ح", "א", "कि", "x\u0301"):
        assert fonts.font_of(letter) is None
        assert "libfribidi0" in packages_for([letter])
    assert fonts.font_of("x") == OWN


def test_text_from_right_to_left_keeps_its_order() -> None:
    one, other = "\u05d0\u05d1", "\u05d2\u05d3"
    blank = fonts.BLANK
    assert fonts.split_words(f"a {one} {other} 12 b") == ["a", f"{one}{blank}{other}{blank}12", "b"]
    assert fonts.split_words(f"12 {one}-{other} - c") == ["12", f"{one}-{other}", "-", "c"]


@pytest.mark.usefixtures("bare")
def test_letters_that_no_font_has_are_said_once(tmp_path: Path) -> None:
    masks = ([[0, 1]], [[0, 1]])
    folders = data_set(tmp_path, {"肝": masks, "köln 肝": masks})
    done = segeval("overlay", *folders, "--workers", 1, "-o", tmp_path / "out")
    assert done.stderr.splitlines()[0] == (
        r"notice: no font draws ö, 肝: they are written as code points, like \xf6; install "
        "fonts-noto-cjk and fonts-noto-core (Debian, Ubuntu) or another font that has them"
    )
    done = segeval("overlay", *folders, "--plain", "--workers", 1, "-o", tmp_path / "plain")
    assert "no font" not in done.stderr
