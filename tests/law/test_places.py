"""A figure at another place: the packs beside one's own, the longest prefix, and a law that replays without them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from shutil import rmtree

import pytest

from meanscheck.contracts.units import CaseUnit, PersonFacts, Value
from meanscheck.decisions.explain import cause_text
from meanscheck.decisions.tracing import Tracer
from meanscheck.errors import PackError
from meanscheck.law import Law, RulePack
from meanscheck.law.amendment import changes, with_change
from meanscheck.law.plain import PlainRun, Result
from meanscheck.law.reach import Reach
from meanscheck.law.show import law_of

from .comparing import differences
from .laws import ON, PACK
from .packs import PackText

STANDARD = '[[parameter]]\nid = "standard"\nunit = "money/month"\nby = "residence"\n'
LIMIT = '[[parameter]]\nid = "limit"\nunit = "money"\nby = "band:number"\n'


def revision(value: str, more: str = "", day: str = "2010-01-01", cite: str = "inst#1") -> str:
    return f'[[parameter.revision]]\nin_force_on = {day}\nvalue = {value}\ncite = ["{cite}"]\n{more}\n'


def pack_toml(code: str, more: str = "") -> str:
    return PACK.replace('"000000"', f'"{code}"').replace("[[instrument]]", f"{more}\n[[instrument]]", 1)


@pytest.fixture
def files() -> dict[str, str]:
    """A nation, a province, one city of it with one county, and another city."""
    text = PackText()
    text.variable("line", "supporter", "money/month", "at(division_code, standard[residence])")
    text.variable("room", "supporter", "money", "at(division_code, limit[household.size])")
    known = "all(s.line > 0 and s.room > 0 for s in supporters)"
    text.programme("relief", "member", known)
    unknown = revision("0").replace("value = 0", 'unknown = "set by the locality"')
    home = '{ urban = "900.00", rural = "800.00" }'
    return {
        "pack.toml": text.pack,
        "rules.toml": "\n".join(text.rules),
        "parameters.toml": STANDARD + unknown + LIMIT + revision('{ "1" = "5.00", "3" = "7.00" }'),
        "gd/pack.toml": pack_toml("440000"),
        "gd/parameters.toml": STANDARD + revision('{ urban = "700.00", rural = "600.00" }'),
        "gd/jm/pack.toml": pack_toml("440700"),
        "gd/jm/parameters.toml": STANDARD + revision(home),
        "gd/jm/xh/pack.toml": pack_toml("440705"),
        "gd/jm/xh/parameters.toml": LIMIT + revision('{ "2" = "6.00" }'),
        "gd/sz/pack.toml": pack_toml("440300"),
        "gd/sz/parameters.toml": STANDARD + revision('{ urban = "1300.00" }'),
    }


def pack_at(files: Mapping[str, str], folder: Path, place: str = "gd/jm") -> RulePack:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return RulePack.load(folder / place)


def unit_of(place: str | None, residence: str | None = "urban", people: int = 1) -> CaseUnit:
    here: dict[str, Value] = {"id": "A", "lives_together": True}
    members = [PersonFacts("member", {**here, "id": n}, {"supporters": PackText.answered(())}) for n in "ABC"[:people]]
    support: dict[str, Value] = {"division_code": place, "residence": residence}
    return CaseUnit("home", {}, (*members, PersonFacts("supporter", {"id": "S"}, {}, ("A",), support)))


def there(law: Law, unit: CaseUnit, name: str) -> tuple[Result, list[str]]:
    """A variable of the supporter and why it is unknown, which both executors must say alike."""
    assert differences(law, [unit]) == []
    run = PlainRun(law, unit)
    person = len(unit.persons) - 1
    return run.variable(name, person), sorted(run.why(name, person))


@pytest.mark.parametrize(
    ("place", "residence", "figure", "causes"),
    [
        ("440700", "urban", 90_000, []),
        ("440705", "rural", 80_000, []),  # the county says nothing else than its city
        ("440703", "urban", 90_000, []),  # a county without a pack: its city's
        ("440703001002", "urban", 90_000, []),  # a village of it
        ("440304", "urban", 130_000, []),
        ("440304", "rural", None, ["no_place:standard"]),  # the province's does not stand in
        ("445102", "urban", 70_000, []),  # a city without a pack: its province's
        ("110105", "urban", None, ["no_place:standard"]),  # the nation leaves it to the locality
        ("44070", "urban", None, ["no_place:standard"]),
        ("elsewhere", "urban", None, ["no_place:standard"]),
        (None, "urban", None, ["unknown:division_code"]),
        ("440700", None, None, ["unknown:residence"]),
    ],
)
def test_the_nearest_pack_speaks_for_a_place(
    files: dict[str, str],
    place: str | None,
    residence: str | None,
    figure: int | None,
    causes: list[str],
    tmp_path: Path,
) -> None:
    law = pack_at(files, tmp_path).on(ON)
    assert there(law, unit_of(place, residence), "line") == (figure, causes)


@pytest.mark.parametrize(
    ("place", "people", "figure"),
    [("440300", 1, 500), ("440300", 3, 700), ("440705", 1, None), ("440705", 2, 600), ("110105", 2, 500)],
)
def test_a_band_is_looked_up_at_the_place(
    files: dict[str, str], place: str, people: int, figure: int | None, tmp_path: Path
) -> None:
    law = pack_at(files, tmp_path).on(ON)
    causes = [] if figure else ["no_place:limit"]
    assert there(law, unit_of(place, people=people), "room") == (figure, causes)


@pytest.mark.parametrize("place", [".", "gd", "gd/jm", "gd/jm/xh", "gd/sz"])
def test_a_place_has_one_figure_whoever_asks(files: dict[str, str], place: str, tmp_path: Path) -> None:
    law = pack_at(files, tmp_path, place).on(ON)
    found = [there(law, unit_of(code), "line")[0] for code in ("440700", "440304", "445102", "110105")]
    assert found == [90_000, 130_000, 70_000, None]


def test_a_replay_needs_no_pack(files: dict[str, str], tmp_path: Path) -> None:
    law = pack_at(files, tmp_path).on(ON)
    recorded, digest = law.canonical, law.digest
    rmtree(tmp_path / "gd")
    again = Law.from_json(recorded)
    assert again.digest == digest
    assert there(again, unit_of("440304"), "line") == (130_000, [])
    assert sorted(again.places["standard"]) == ["000000", "440000", "440300", "440700"]


def test_a_law_that_asks_about_no_other_place_reads_and_records_none(files: dict[str, str], tmp_path: Path) -> None:
    files["rules.toml"] = files["rules.toml"].replace("at(division_code, standard[residence])", "standard[residence]")
    files["rules.toml"] = files["rules.toml"].replace(
        "at(division_code, limit[household.size])", "limit[household.size]"
    )
    files["gd/sz/parameters.toml"] = "not TOML"
    law = pack_at(files, tmp_path).on(ON)
    assert "places" not in law.to_json()
    assert there(law, unit_of("440304"), "line") == (90_000, [])


def test_a_figure_elsewhere_counts_from_its_own_day_and_publication(files: dict[str, str], tmp_path: Path) -> None:
    late = "published_on = 2020-07-15"
    files["gd/sz/parameters.toml"] += revision('{ urban = "1365.00" }', late, "2020-06-01")
    pack = pack_at(files, tmp_path)
    assert there(pack.on(ON), unit_of("440300"), "line") == (130_000, [])
    assert there(pack.on(ON, known_by=date(2020, 7, 15)), unit_of("440300"), "line") == (136_500, [])


def test_an_unsure_figure_elsewhere_refers_unless_accepted(files: dict[str, str], tmp_path: Path) -> None:
    files["gd/sz/parameters.toml"] = STANDARD + revision('{ urban = "1300.00" }', 'status = "unsure"')
    pack = pack_at(files, tmp_path)
    assert there(pack.on(ON), unit_of("440300"), "line") == (None, ["no_place:standard"])
    assert there(pack.on(ON, accept={"standard"}), unit_of("440300"), "line") == (130_000, [])


def test_what_if_holds_at_ones_own_place_only(files: dict[str, str], tmp_path: Path) -> None:
    law = pack_at(files, tmp_path).on(ON, overlay={"standard": "1000.00"})
    found = [there(law, unit_of(code), "line")[0] for code in ("440703", "440300")]
    assert found == [100_000, 130_000]


def test_texts_of_two_packs_with_one_id_are_both_cited(files: dict[str, str], tmp_path: Path) -> None:
    for folder, title in (("gd/jm", "Of Jiangmen"), ("gd/sz", "Of Shenzhen")):
        text = f'[[instrument]]\nid = "notice"\ntitle = "{title}"\nissued_on = 2010-01-01\n'
        files[f"{folder}/pack.toml"] = pack_toml(files[f"{folder}/pack.toml"].split('"')[1], text)
        files[f"{folder}/parameters.toml"] = files[f"{folder}/parameters.toml"].replace("inst#1", "notice#2")
    law = pack_at(files, tmp_path).on(ON)
    assert law.parameters["standard"].cite == ("notice#2",)
    assert law.places["standard"]["440300"].cite == ("440300:notice#2",)
    assert law.instruments["notice"].title == "Of Jiangmen"
    assert law.instruments["440300:notice"].title == "Of Shenzhen"


def test_what_is_missing_elsewhere_is_seen_before_any_case(files: dict[str, str], tmp_path: Path) -> None:
    law = pack_at(files, tmp_path).on(ON)
    assert "refer" in Reach(law).outcomes(law.programme("relief"))
    assert Reach(law).missing(law.programme("relief")) == ("limit", "standard")
    (shown,) = (p for p in law_of(law)["parameters"] if p["id"] == "standard")
    assert shown["places"]["440300"] == "1300.00 urban"
    assert "没有" not in cause_text("no_place:standard", "en", law)


@pytest.mark.parametrize(
    ("file", "text", "where", "reason"),
    [
        ("gd/sz/parameters.toml", "not TOML", "gd/sz/parameters.toml", "not valid TOML"),
        ("gd/sz/pack.toml", pack_toml("440700"), "gd/sz/pack.toml", "two packs speak for division 440700"),
        (
            "gd/sz/parameters.toml",
            STANDARD.replace("money/month", "money") + revision('{ urban = "1" }'),
            "gd/sz: parameter standard",
            "unit and keys differ from those of 440700",
        ),
    ],
)
def test_a_faulty_neighbour_is_named(
    files: dict[str, str], file: str, text: str, where: str, reason: str, tmp_path: Path
) -> None:
    files[file] = text
    with pytest.raises(PackError) as refused:
        pack_at(files, tmp_path / "rules")
    assert where in str(refused.value)
    assert reason in str(refused.value)


def test_a_trace_cites_the_text_of_the_place_and_every_month_of_a_streak(files: dict[str, str], tmp_path: Path) -> None:
    files["gd/sz/parameters.toml"] = files["gd/sz/parameters.toml"].replace("inst#1", "inst#9")
    files["parameters.toml"] += PackText.figure("cpi", "ratio", '{ 2020-04 = "0.1" }', more='by = "month"')
    rose = "streak((cpi[m] > 0 for m in months), 2)"
    files["rules.toml"] += PackText().variable("rose", "household", "bool", rose).rules[-1]
    law = pack_at(files, tmp_path).on(ON)
    tracer = Tracer(law, unit_of("440300"))
    line = tracer.figure("line", None, 1)
    (figure,) = (s for s in line.walk() if s.kind == "figure")
    assert (figure.name, figure.value) == ("standard", 130_000)
    assert [(c.instrument, c.article) for c in figure.cite] == [("inst", "9")]
    (months,) = (s for s in tracer.figure("rose", None, None).walk() if s.name == "streak")
    assert [(p.holds, p.parts[0].parts[0].value) for p in months.parts] == [
        (None, date(2020, 5, 1)),
        (True, date(2020, 4, 1)),
    ]
    assert months.causes == ("no_month:cpi",)


def test_a_neighbours_rules_are_none_of_this_places_business(files: dict[str, str], tmp_path: Path) -> None:
    files["gd/sz/rules.toml"] = "not TOML"
    law = pack_at(files, tmp_path).on(ON)
    assert there(law, unit_of("440300"), "line") == (130_000, [])


def test_what_if_law_on_top_of_a_place_is_none_of_those_below_it(files: dict[str, str], tmp_path: Path) -> None:
    pack_at(files, tmp_path)
    overlay = tmp_path / "what-if.toml"
    overlay.write_text('[overlay]\nname = "more"\n[figures]\nstandard = "1000.00"\n', encoding="utf-8")
    law = RulePack.load(tmp_path / "gd", overlay=overlay).on(ON)
    found = [there(law, unit_of(code), "line")[0] for code in ("445102", "440703", "440300")]
    assert found == [100_000, 90_000, 130_000]


def test_one_change_of_a_figure_is_seen_at_its_own_place_too(files: dict[str, str], tmp_path: Path) -> None:
    pack = pack_at(files, tmp_path)
    old, new = pack.on(ON), pack.on(ON, overlay={"standard": "1000.00"})
    (change,) = changes(old, new)
    law = with_change(old, new, change)
    assert law is not None
    assert there(law, unit_of("440703"), "line") == (100_000, [])


def test_a_neighbours_other_figure_is_a_change_of_the_law(files: dict[str, str], tmp_path: Path) -> None:
    old = pack_at(files, tmp_path / "old").on(ON)
    files["gd/sz/parameters.toml"] = files["gd/sz/parameters.toml"].replace("1300.00", "1400.00")
    new = pack_at(files, tmp_path / "new").on(ON)
    (change,) = changes(old, new)
    assert change.name == "standard"
    assert change.before is not None and "440300: " in change.before and "1300.00" in change.before
    law = with_change(old, new, change)
    assert law is not None and there(law, unit_of("440300"), "line") == (140_000, [])
