"""The records of a block: seven columns of canonical JSON, written by Polars.

Flat objects are `struct.json_encode` over name-sorted columns; lists are joined from texts, since a list of structs
takes fourteen times longer. `self_test` compares the writer with the rfc8785 package on a fixed sample; a Polars
release that writes JSON in another way must not produce records.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from functools import cache

import polars as pl
import rfc8785

from meanscheck.contracts.units import ROW_REF
from meanscheck.decisions.disputes import block_entries
from meanscheck.decisions.record import (
    GROUPS,
    Provenance,
    canonical,
    provenance_group,
    shown_variables,
    tests_of,
)
from meanscheck.errors import InternalError
from meanscheck.law.law import Law, Programme
from meanscheck.law.vector_causes import causes_of
from meanscheck.law.vectors import VectorRun

NULL = pl.lit("null")
_NEAR = 32_768


def text_json(name: str) -> pl.Expr:
    """A text column as JSON text, null as ``null``."""
    wrapped = pl.struct(pl.col(name).cast(pl.String).alias("x")).struct.json_encode()
    return wrapped.str.slice(5).str.head(-1)


def plain_json(e: pl.Expr) -> pl.Expr:
    """A number or yes/no as JSON text, null as ``null``."""
    return e.cast(pl.String).fill_null("null")


def object_json(frame: pl.DataFrame, columns: dict[str, str]) -> pl.Series:
    """One flat object a row; `columns` maps member names to columns."""
    if not columns:
        return pl.Series("json", ["{}"] * frame.height, dtype=pl.String)
    # Polars makes the schema of a frame of some hundred columns anew each time it is asked for.
    schema = frame.schema
    cells: list[pl.Expr] = []
    for name, column in sorted(columns.items()):
        cell = pl.col(column)
        if schema[column] == pl.Date:
            cell = cell.dt.to_string("iso")
        elif isinstance(schema[column], pl.Enum):
            cell = cell.cast(pl.String)
        cells.append(cell.alias(name))
    # In parts that stay near the processor: a third faster.
    encoded = pl.struct(cells).struct.json_encode().alias("json")
    parts = list(frame.iter_slices(_NEAR)) or [frame]
    return pl.concat([part.select(encoded) for part in parts]).to_series()


def joined(frame: pl.DataFrame, text: pl.Expr, units: int) -> pl.Series:
    """Texts of consecutive rows joined by commas per `unit_row`; empty where a unit has none."""
    parts = frame.select("unit_row", text.alias("text")).filter(pl.col("text").is_not_null())
    # Lists first: joining inside the groups takes four times longer.
    lists = parts.group_by("unit_row", maintain_order=True).agg("text").with_columns(pl.col("text").list.join(","))
    every = pl.DataFrame({"unit_row": pl.arange(units, eager=True)})
    found = every.join(lists, on="unit_row", how="left", maintain_order="left")
    return found["text"].fill_null("").alias("json")


class BlockRecords:
    """Encodes the block of one run."""

    def __init__(self, run: VectorRun, *, provenance: Provenance) -> None:
        self.run, self.law, self.provenance = run, run.law, provenance
        self.units = run.households.height
        homes, members = causes_of(run, only_asked=True)
        self.causes = {"household": homes, "member": members}
        self.members = run.persons.with_row_index("person_row").filter(pl.col("role") == "member")
        self.homes = run.households

    def frame(
        self, *, household_tokens: pl.Series, person_tokens: pl.Series, supersedes: pl.Series | None = None
    ) -> pl.DataFrame:
        """The block's records.

        Args:
            household_tokens: String, one a household row.
            person_tokens: String, one a person row of the block.
            supersedes: Int64, one a household row: index of the decision whose place is taken. None: of none, and
                the provenance group is one text for the whole block.

        Returns:
            case_id String, then the seven groups as String columns, in the block's order.
        """
        persons = self.members.with_columns(person_tokens.gather(self.members["person_row"]).alias("token"))
        tokens = joined(persons, text_json("token"), self.units)
        homes = self.homes.with_columns(household_tokens.alias("household"), tokens.alias("persons"))
        subject = homes.select(
            pl.concat_str(
                pl.lit('{"case":'),
                text_json("case_id"),
                pl.lit(',"household":'),
                text_json("household"),
                pl.lit(',"persons":['),
                pl.col("persons"),
                pl.lit("]}"),
            )
        ).to_series()
        provenance = pl.Series([canonical(provenance_group(self.law, self.provenance)).decode()])
        provenance = provenance.new_from_index(0, self.units)
        if supersedes is not None:
            # The last member by name; `self.provenance` supersedes nothing, so the text ends in null and a brace.
            parts = provenance.str.head(-len("null}")), plain_json(pl.lit(supersedes)), pl.lit("}")
            provenance = pl.select(pl.concat_str(*parts)).to_series()
        evidence = homes.select(pl.concat_str(pl.lit('{"input":'), text_json("input_digest"), pl.lit("}"))).to_series()
        groups = [subject, self.household(), self.means(), *self.result_and_reasons()]
        groups += [provenance, evidence]
        return pl.DataFrame([self.homes["case_id"], *(g.alias(n) for g, n in zip(groups, GROUPS, strict=True))])

    def household(self) -> pl.Series:
        """The household group."""
        listed = pl.concat_str(
            pl.lit('{"id":'), text_json("id"), pl.lit(',"relation":'), text_json("relation"), pl.lit("}")
        )
        homes = self.homes.with_columns(joined(self.members, listed, self.units).alias("members"))
        names = ("accepting_place", "application_no", "applied_on", "division")
        parts: list[pl.Expr] = []
        for name in names:
            parts += [pl.lit(f'{"," if parts else "{"}"{name}":'), self._day_or_text(name)]
        parts += [pl.lit(',"members":['), pl.col("members"), pl.lit('],"reference_day":')]
        parts += [self._day_or_text("reference_day"), pl.lit(',"residence":'), text_json("residence")]
        parts += [pl.lit(',"size":'), plain_json(pl.col("v:size")), pl.lit("}")]
        return homes.select(pl.concat_str(parts)).to_series()

    def _day_or_text(self, name: str) -> pl.Expr:
        if self.homes.schema[name] == pl.Date:
            return pl.concat_str(pl.lit('"'), pl.col(name).dt.to_string("iso"), pl.lit('"')).fill_null("null")
        return text_json(name)

    def means(self) -> pl.Series:
        """The means group: every variable."""
        home = object_json(self.homes, {v: f"v:{v}" for v in shown_variables(self.law, "household")})
        member = self._people(self.members, "member", "id")
        edges = self.run.edges
        ids = self.run.persons["id"].gather(edges["supporter_row"])
        edges = edges.with_columns(ids.alias("supporter_id_shown")).filter(pl.col("first")).sort("supporter_row")
        supporter = self._people(edges, "supporter", "supporter_id_shown")
        frame = pl.DataFrame({"h": home, "m": member, "s": supporter})
        return frame.select(
            pl.concat_str(
                pl.lit('{"household":'),
                pl.col("h"),
                pl.lit(',"members":['),
                pl.col("m"),
                pl.lit('],"supporters":['),
                pl.col("s"),
                pl.lit("]}"),
            )
        ).to_series()

    def _people(self, frame: pl.DataFrame, entity: str, id_column: str) -> pl.Series:
        values = object_json(frame, {v: f"v:{v}" for v in shown_variables(self.law, entity)})
        text = pl.concat_str(
            pl.lit('{"id":'), text_json(id_column), pl.lit(',"values":'), pl.col("values"), pl.lit("}")
        )
        return joined(frame.with_columns(values.alias("values")), text, self.units)

    def result_and_reasons(self) -> tuple[pl.Series, pl.Series]:
        """The result and reasons groups."""
        asked = self.run.asked
        programmes = [p for p in self.run.programmes if asked[p.id].any()]
        home = [p for p in programmes if p.entity == "household"]
        own = [p for p in programmes if p.entity == "member"]
        homes = self._with_causes(self.homes, home, None)
        members = self._with_causes(self.members, own, self.members["person_row"])
        of_member = self.members["unit_row"]
        homes = homes.with_columns(asked[p.id].alias(f"wanted:{p.id}") for p in home)
        members = members.with_columns(asked[p.id].gather(of_member).alias(f"wanted:{p.id}") for p in own)
        # What many entries ask is reckoned once, as a column.
        members = members.with_columns(self._fails(p) for p in own)
        day = self.law.on.isoformat()
        frame = pl.DataFrame(
            {
                "result": homes.select(self._listed([self._outcome(p) for p in home])).to_series(),
                "reasons": homes.select(self._listed([e for p in home for e in self._tests(p)])).to_series(),
                "member_result": self._of_members(members, "outcomes", [self._outcome(p) for p in own]),
                "member_reasons": self._of_members(members, "tests", [e for p in own for e in self._tests(p)]),
            }
        )
        frame = frame.with_columns(disputes=self.disputes())
        columns = frame.select(
            result=pl.concat_str(
                pl.lit('{"household":['),
                pl.col("result"),
                pl.lit('],"members":['),
                pl.col("member_result"),
                pl.lit(f'],"on":"{day}"}}'),
            ),
            reasons=pl.concat_str(
                pl.col("disputes"),
                pl.lit('"household":['),
                pl.col("reasons"),
                pl.lit('],"members":['),
                pl.col("member_reasons"),
                pl.lit("]}"),
            ),
        )
        return columns["result"], columns["reasons"]

    def disputes(self) -> pl.Series:
        """The beginning of the reasons group: contradictions between feeds, where the law knows any."""
        if not self.law.conflicts:
            return pl.Series(["{"]).new_from_index(0, self.units)
        entries = block_entries(self.run.disputes, self.units)
        return (
            pl.DataFrame({"e": entries}).select(pl.concat_str(pl.lit('{"conflicts":['), "e", pl.lit("],"))).to_series()
        )

    def _of_members(self, members: pl.DataFrame, name: str, entries: Sequence[pl.Expr]) -> pl.Series:
        text = pl.concat_str(
            pl.lit('{"id":'), text_json("id"), pl.lit(f',"{name}":['), self._listed(entries), pl.lit("]}")
        )
        return joined(members, text, self.units)

    @staticmethod
    def _listed(entries: Sequence[pl.Expr]) -> pl.Expr:
        """Those of the texts that are not null, with commas between."""
        if not entries:
            return pl.repeat("", pl.len(), dtype=pl.String)
        return pl.concat_str(list(entries), separator=",", ignore_nulls=True)

    def _with_causes(
        self, frame: pl.DataFrame, programmes: Sequence[Programme], rows: pl.Series | None
    ) -> pl.DataFrame:
        """Adds per programme its causes as a JSON list."""
        columns = []
        for p in programmes:
            causes = self.causes[p.entity].get(p.id)
            name = f"why:{p.id}"
            if causes is None:
                columns.append(pl.Series(name, ["[]"]).new_from_index(0, frame.height))
                continue
            lists = causes if rows is None else causes.gather(rows)
            text = pl.DataFrame({"c": lists}).select(
                pl.when(pl.col("c").list.len() > 0)
                .then(pl.concat_str(pl.lit('["'), pl.col("c").list.join('","'), pl.lit('"]')))
                .otherwise(pl.lit("[]"))
                .fill_null("[]")
                .alias(name)
            )
            columns.append(text.to_series())
        return frame.with_columns(columns)

    def _fails(self, p: Programme) -> pl.Expr:
        """Whether a test of a programme fails."""
        tests = [pl.col(f"t:{p.id}:{name}").eq_missing(False) for name, _, _ in tests_of(self.law, p)]
        return pl.any_horizontal(tests).alias(f"fails:{p.id}")

    def yielding(self, p: Programme) -> list[tuple[str, pl.Expr]]:
        """Each programme that takes precedence, as a cause, with where it does and nothing else decided; the first rule
        last."""
        columns = self.run.frame(p.entity).columns
        rules = [(f"yields:{r.programme}", f"y:{p.id}:{r.programme}") for r in reversed(p.yields_to)]
        held = ~pl.col(f"own:{p.id}").eq_missing(False)
        return [(cause, pl.col(gives).eq_missing(True) & held) for cause, gives in rules if gives in columns]

    def _outcome(self, p: Programme) -> pl.Expr:
        eligible = pl.col(f"o:{p.id}")
        award = plain_json(pl.col(f"w:{p.id}")) if p.award is not None else NULL
        causes = pl.col(f"why:{p.id}")
        for cause, gone in self.yielding(p):
            causes = pl.when(gone).then(pl.lit(f'["{cause}"]')).otherwise(causes)
        word = (
            pl.when(eligible)
            .then(pl.lit("eligible"))
            .when(~eligible)
            .then(pl.lit("ineligible"))
            .otherwise(pl.lit("refer"))
        )
        text = pl.concat_str(
            pl.lit('{"award":'),
            award,
            pl.lit(',"causes":'),
            causes,
            pl.lit(',"outcome":"'),
            word,
            pl.lit(f'","programme":"{p.id}"}}'),
        )
        return pl.when(f"wanted:{p.id}").then(text)

    def _tests(self, p: Programme) -> list[pl.Expr]:
        tests = tests_of(self.law, p)
        shown = pl.col(f"wanted:{p.id}")
        entries: list[pl.Expr] = []
        columns = set(self.run.frame(p.entity).columns)
        for name, cite, _ in tests:
            holds = pl.col(f"t:{p.id}:{name}")
            after_bounds = f'"cite":{json.dumps(list(cite), ensure_ascii=False, separators=(",", ":"))},"holds":'
            before: pl.Expr = pl.lit("{" + after_bounds)
            if f"b:{p.id}:{name}" in columns:
                before = pl.when(f"b:{p.id}:{name}").then(self._bounds(p, name) + after_bounds).otherwise(before)
            if f"m:{p.id}:{name}" in columns:
                limit, margin, value = (plain_json(pl.col(f"{k}:{p.id}:{name}")) for k in ("l", "m", "x"))
                text = pl.concat_str(
                    before,
                    plain_json(holds),
                    pl.lit(f',"id":"{name}","limit":'),
                    limit,
                    pl.lit(',"margin":'),
                    margin,
                    pl.lit(f',"programme":"{p.id}","value":'),
                    value,
                    pl.lit("}"),
                )
            else:
                # Only the verdict varies, so there are three texts and nothing to write a row.
                after = f',"id":"{name}","limit":null,"margin":null,"programme":"{p.id}","value":null}}'
                yes, no, unknown = (before + f"{word}{after}" for word in ("true", "false", "null"))
                text = pl.when(holds).then(yes).when(~holds).then(no).otherwise(unknown)
            needed = shown & (~pl.col(f"fails:{p.id}") | holds.eq_missing(False)) if p.entity == "member" else shown
            entries.append(pl.when(needed).then(text))
        return entries

    def _bounds(self, p: Programme, name: str) -> pl.Expr:
        """The beginning of a test's entry that bounds decided: bounds of limit and value, as of one comparison."""
        if f"x-:{p.id}:{name}" not in self.run.frame(p.entity).columns:
            return pl.lit('{"bounds":{"limit":null,"value":null},')
        limit, value = ([plain_json(pl.col(f"{which}{end}:{p.id}:{name}")) for end in "-+"] for which in ("l", "x"))
        parts = ('{"bounds":{"limit":[', limit[0], ",", limit[1], '],"value":[', value[0], ",", value[1], "]},")
        return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


@cache
def self_test() -> None:
    """Compare the bulk writer with the rfc8785 package; InternalError on any difference."""
    texts = ["", "低保", 'a"b\\c/', "x\u007f\u2028é", "𠮷", None]
    frame = pl.DataFrame(
        {
            "t": pl.Series(texts, dtype=pl.String),
            "n": pl.Series([0, -1, 2**53 - 1, -(2**53 - 1), None, 7], dtype=pl.Int64),
            "b": pl.Series([True, False, None, True, False, None]),
            "d": pl.Series([date(2020, 2, 29), date(9999, 12, 31), date(1900, 1, 1), None, None, None], dtype=pl.Date),
        }
    )
    flat = object_json(frame, {"n": "n", "b": "b", "d": "d", "t": "t"}).to_list()
    lone = frame.select(text_json("t")).to_series().to_list()
    for row, text, one in zip(frame.to_dicts(), flat, lone, strict=True):
        value = {k: v.isoformat() if isinstance(v, date) else v for k, v in row.items()}
        if rfc8785.dumps(value).decode() != text or rfc8785.dumps(row["t"]).decode() != one:
            raise InternalError("this release of Polars writes JSON in another way; records were not written")


def input_needs(law: Law) -> dict[str, frozenset[str]]:
    """Feed → columns that a block must carry for this law, supporters' columns included."""
    from meanscheck.law.names import source_columns

    needs = {feed: source_columns(feed, columns) for feed, columns in law.needs.items()}
    own = {
        str(node.args[1])
        for tree in law.trees
        for node in tree.walk()
        if node.op == "attr" and node.args[0] == "supporter" and node.args[1] != "id"
    }
    needs["supporters"] = frozenset(own)
    # A conflict names its rows as a finding would.
    for feed in {f for conflict in law.conflicts.values() for f in conflict.kind.feeds}:
        needs[feed] |= {ROW_REF}
    return needs
