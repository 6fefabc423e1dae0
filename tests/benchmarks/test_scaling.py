"""The picture shows every row where its figures belong, and rows that cannot be drawn are refused by name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks import scaling
from benchmarks.scaling import PANEL, Across, Panel, Row

SVG = "{http://www.w3.org/2000/svg}"
SIZES = (10_000, 100_000, 1_000_000, 22_000_000)


def row(households: int, label: str = "one process", **changed: Any) -> dict[str, Any]:
    """Invented: 100 µs a household by the wall clock, 150 of CPU."""
    given = {"households": households, "seconds": households / 1e4, "cpu_seconds": households * 1.5e-4}
    return given | {"peak_mib": 500.0, "label": label} | changed


def drawn(folder: Path, rows: Any) -> ElementTree.Element:
    """What the command draws from rows."""
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    assert scaling.main(["--from", str(folder / "rows.json"), "--to", str(folder / "out.svg")]) == 0
    return ElementTree.parse(folder / "out.svg").getroot()


def words(picture: ElementTree.Element) -> list[str]:
    return [t.text or "" for t in picture.iter(f"{SVG}text")]


def marks(picture: ElementTree.Element) -> list[tuple[float, float, str]]:
    """Middle of each mark, and its filling; those of the legend first."""
    found = []
    for path in picture.iter(f"{SVG}path"):
        if path.attrib["d"].endswith("Z"):
            numbers = [float(n) for n in re.findall(r"[\d.]+", path.attrib["d"])]
            x, y = numbers[::2], numbers[1::2]
            found.append((sum(x) / len(x), sum(y) / len(y), path.attrib["fill"]))
    return found


def test_every_row_has_its_three_marks_and_stands_in_words(tmp_path: Path) -> None:
    rows = [row(n, label) for label in ("one process", "two & <more>") for n in SIZES]
    picture = drawn(tmp_path, rows)
    assert len(marks(picture)) == 2 + 3 * len(rows)
    assert sum(fill == "white" for _, _, fill in marks(picture)) == len(rows)
    described = picture.findtext(f"{SVG}desc") or ""
    for given in rows:
        assert f"{given['label']}, {given['households']} households: 100.0 µs, 150.0 µs of CPU, 500 MiB" in described
    assert {"one process", "two & <more>", "10 k", "1 M", "peak memory, MiB"} <= set(words(picture))


def test_twice_as_much_is_twice_as_high_and_ten_times_as_many_a_step_to_the_right(tmp_path: Path) -> None:
    each = ((1_000, 50), (10_000, 100), (100_000, 200))
    rows = [row(n, seconds=n * us / 1e6, cpu_seconds=n * us * 1.5 / 1e6, peak_mib=us * 2.5) for n, us in each]
    shown = marks(drawn(tmp_path, rows))[1:]
    cpu, wall, memory = shown[:3], shown[3:6], shown[6:]
    assert {fill for _, _, fill in cpu} == {"white"}
    for line, full in ((cpu, 300), (wall, 200), (memory, 500)):
        (x1, y1, _), (x2, y2, _), (x3, y3, _) = line
        assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
        # Axes end at 300 µs, the most CPU, and at 500 MiB.
        height = PANEL * full / (500 if line is memory else 300)
        assert y1 - y3 == pytest.approx(height * 3 / 4, abs=0.2)
        assert y2 - y3 == pytest.approx(height / 2, abs=0.2)


def test_all_is_within_the_picture(tmp_path: Path) -> None:
    many = [row(n, f"line {i}", peak_mib=10.0**i) for i in range(6) for n in SIZES]
    picture = drawn(tmp_path, many)
    width, height = (float(picture.attrib[name]) for name in ("width", "height"))
    assert all(0 < x < width and 0 < y < height for x, y, _ in marks(picture))
    for t in picture.iter(f"{SVG}text"):
        assert 0 < float(t.attrib["x"]) < width and 0 < float(t.attrib["y"]) < height


@pytest.mark.parametrize("highest, step", [(200, 50), (199, 20), (1, 0.2), (4_140, 1_000), (0.03, 0.005), (9, 2)])
def test_steps_of_an_axis_are_round(highest: float, step: float) -> None:
    assert scaling.nice_step(highest) == pytest.approx(step)
    panel = Panel.of("", 0, [highest])
    assert highest <= panel.highest < highest + step * 1.001
    assert panel.at(0) == PANEL


def test_ticks_are_round_numbers_of_households() -> None:
    rows = [Row(**row(n)) for n in SIZES]
    assert [scaling.short(t) for t in Across.of(rows).ticks()] == [
        *("10 k", "20 k", "50 k", "100 k", "200 k", "500 k"),
        *("1 M", "2 M", "5 M", "10 M", "20 M"),
    ]
    assert Across(1, 10_000_000).ticks() == [10**p for p in range(8)]


def test_the_order_of_rows_in_the_file_does_not_matter(tmp_path: Path) -> None:
    rows = [row(n) for n in SIZES]
    pictures = [ElementTree.tostring(drawn(tmp_path, given)) for given in (rows, rows[::-1])]
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    "rows, said",
    [
        ([], "no rows"),
        ({}, "the file"),
        ([row(10), {"households": 5}], "row 2, seconds"),
        ([row(10, seconds=-1)], "row 1, seconds"),
        ([row(10, peak_mib=float("inf"))], "row 1, peak_mib"),
        ([row(10, note="x")], "row 1, note"),
        ([row(10), row(10)], "two rows of 'one process' at 10 households"),
        ([row(10, f"line {i}") for i in range(7)], "7 labels, 6 can be told apart"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused_by_name(
    rows: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    assert scaling.main(["--from", str(tmp_path / "rows.json"), "--to", str(tmp_path / "out.svg")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.svg").exists()


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert scaling.main(["--from", str(tmp_path / "none.json"), "--to", str(tmp_path / "out.svg")]) == 2
    assert capsys.readouterr().err.startswith("none.json: no such file")
