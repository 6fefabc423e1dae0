"""The records of a block: seven columns of canonical JSON, written by Polars.

Flat objects are `struct.json_encode` over name-sorted columns; lists are joined from texts, since a list of structs
takes fourteen times longer. `self_test` compares the writer with the rfc8785 package on a fixed sample; a Polars
release that writes JSON in another way must not produce records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from types import MappingProxyType

import polars as pl
import rfc8785

from meanscheck.contracts.units import ROW_REF
from meanscheck.decisions.disputes import block_entries
from meanscheck.decisions.entries import entries, plain_json
from meanscheck.decisions.record import (
    GROUPS,
    Provenance,
    canonical,
    provenance_group,
    shown_variables,
    tests_of,
)
from meanscheck.errors import InternalError
from meanscheck.law.keeping import kept_with_law
from meanscheck.law.law import Law, Programme
from meanscheck.law.vector_causes import causes_of
from meanscheck.law.vectors import VectorRun

NULL = pl.lit("null")
_NEAR = 32_768


def text_json(name: str) -> pl.Expr:
    """A text column as JSON text, null as ``null``."""
    wrapped = pl.struct(pl.col(name).cast(pl.String).alias("x")).struct.json_encode()
    return wrapped.str.slice(5).str.head(-1)


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


def joined(frame: pl.DataFrame, units: int) -> pl.DataFrame:
    """Texts of consecutive rows joined by commas per `unit_row`, a column each; empty where a unit has none.

    Args:
        frame: ``unit_row``, rising, and columns of texts without nulls.
        units: how many rows come out.

    Raises:
        InternalError: a text is null, which would leave somebody out, or rows are not in the order of their units.
    """
    names = frame.columns[1:]
    if not frame["unit_row"].is_sorted() or any(frame[name].null_count() for name in names):
        raise InternalError("what a record lists was not written for everybody, or not in order")
    # Lists first: joining inside the groups takes four times longer.
    lists = frame.with_columns(pl.col("unit_row").set_sorted()).group_by("unit_row", maintain_order=True).agg(pl.all())
    texts = lists.select("unit_row", pl.col(names).list.join(","))
    if texts.height == units:
        return texts.select(names)
    every = pl.DataFrame({"unit_row": pl.arange(units, eager=True)})
    found = every.join(texts, on="unit_row", how="left", maintain_order="left")
    return found.select(pl.col(names).fill_null(""))


_TOLD = frozenset({"v", "o", "own", "w", "y", "t", "b", "m", "l", "l-", "l+", "x", "x-", "x+"})
"""What columns begin with of which a record tells (see `law.vectors`): values, outcomes, awards, tests and margins."""


def _for_records(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that records are written from: those above, and whatever a household, person or edge has itself."""
    return frame.select([name for name in frame.columns if ":" not in name or name.split(":", 1)[0] in _TOLD])


class BlockRecords:
    """Encodes the block of one run; of the run nothing is held but what its records tell.

    Attributes:
        programmes: those that the run decided.
        asked: programme → whether each household asks for it.
        causes: entity → programme → causes of each of its rows.
        homes: a row a household, with the columns that records are written from.
        members: a row a member, with those and ``person_row``, its place among the persons of the block.
    """

    def __init__(self, run: VectorRun, *, provenance: Provenance) -> None:
        self.law, self.provenance = run.law, provenance
        self.programmes, self.asked = run.programmes, run.asked
        self.units = run.households.height
        homes, members = causes_of(run, only_asked=True)
        self.causes = {"household": homes, "member": members}
        self.homes = _for_records(run.households)
        self.members = _for_records(run.persons).with_row_index("person_row").filter(pl.col("role") == "member")
        ids = run.persons["id"].gather(run.edges["supporter_row"])
        edges = run.edges.with_columns(ids.alias("shown")).filter(pl.col("first")).sort("supporter_row")
        self.edges = _for_records(edges)
        self.conflicts = block_entries(run.disputes, self.units) if self.law.conflicts else None

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
        people = self.people(person_tokens)
        homes = self.homes.with_columns(household_tokens.alias("household"), people["token"].alias("persons"))
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
        groups = [subject, self.household(people), self.means(people), *self.result_and_reasons(people)]
        groups += [provenance, evidence]
        return pl.DataFrame([self.homes["case_id"], *(g.alias(n) for g, n in zip(groups, GROUPS, strict=True))])

    def people(self, tokens: pl.Series) -> pl.DataFrame:
        """What groups say of each member, joined a household: token, related, valued, outcomes, tests String.

        Args:
            tokens: String, one a person row of the block.
        """
        own = [p for p in self.programmes if p.entity == "member" and self.asked[p.id].any()]
        rows, of_member = self.members["person_row"], self.members["unit_row"]
        members = self._with_causes(self.members, own, rows).with_columns(
            tokens.gather(rows).alias("token"),
            *(self.asked[p.id].gather(of_member).alias(f"wanted:{p.id}") for p in own),
        )
        # What many entries ask is reckoned once, as a column.
        members = members.with_columns(
            *(self._fails(p) for p in own),
            text_json("id").alias("shown"),
            self._values(self.members, "member").alias("values"),
        )
        begin = pl.concat_str(pl.lit('{"id":'), "shown")
        texts = {
            "token": text_json("token"),
            "related": pl.concat_str(begin, pl.lit(',"relation":'), text_json("relation"), pl.lit("}")),
            "valued": pl.concat_str(begin, pl.lit(',"values":'), "values", pl.lit("}")),
        }
        listed = {
            "outcomes": [self._outcome(p) for p in own],
            "tests": [e for p in own for e in entries(self.law, p, members)],
        }
        for name, each in listed.items():
            texts[name] = pl.concat_str(begin, pl.lit(f',"{name}":['), self._listed(each), pl.lit("]}"))
        return joined(members.select("unit_row", **texts), self.units)

    def household(self, people: pl.DataFrame) -> pl.Series:
        """The household group."""
        homes = self.homes.with_columns(people["related"].alias("members"))
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

    def means(self, people: pl.DataFrame) -> pl.Series:
        """The means group: every variable."""
        home = self._values(self.homes, "household")
        edges = self.edges.with_columns(self._values(self.edges, "supporter").alias("values"))
        text = pl.concat_str(pl.lit('{"id":'), text_json("shown"), pl.lit(',"values":'), "values", pl.lit("}"))
        supporters = joined(edges.select("unit_row", text=text), self.units)["text"]
        frame = pl.DataFrame({"h": home, "m": people["valued"], "s": supporters})
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

    def _values(self, frame: pl.DataFrame, entity: str) -> pl.Series:
        return object_json(frame, {v: f"v:{v}" for v in shown_variables(self.law, entity)})

    def result_and_reasons(self, people: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """The result and reasons groups."""
        asked = self.asked
        home = [p for p in self.programmes if p.entity == "household" and asked[p.id].any()]
        homes = self._with_causes(self.homes, home, None)
        homes = homes.with_columns(asked[p.id].alias(f"wanted:{p.id}") for p in home)
        day = self.law.on.isoformat()
        listed = homes.select(
            result=self._listed([self._outcome(p) for p in home]),
            reasons=self._listed([e for p in home for e in entries(self.law, p, homes)]),
        )
        frame = pl.DataFrame([*listed, people["outcomes"], people["tests"], self.disputes().alias("disputes")])
        columns = frame.select(
            result=pl.concat_str(
                pl.lit('{"household":['),
                pl.col("result"),
                pl.lit('],"members":['),
                pl.col("outcomes"),
                pl.lit(f'],"on":"{day}"}}'),
            ),
            reasons=pl.concat_str(
                pl.col("disputes"),
                pl.lit('"household":['),
                pl.col("reasons"),
                pl.lit('],"members":['),
                pl.col("tests"),
                pl.lit("]}"),
            ),
        )
        return columns["result"], columns["reasons"]

    def disputes(self) -> pl.Series:
        """The beginning of the reasons group: contradictions between feeds, where the law knows any."""
        if self.conflicts is None:
            return pl.Series(["{"]).new_from_index(0, self.units)
        lists = pl.DataFrame({"e": self.conflicts})
        return lists.select(pl.concat_str(pl.lit('{"conflicts":['), "e", pl.lit("],"))).to_series()

    @staticmethod
    def _listed(texts: Sequence[pl.Expr]) -> pl.Expr:
        """Those of the texts that are not null, with commas between."""
        if not texts:
            return pl.repeat("", pl.len(), dtype=pl.String)
        return pl.concat_str(list(texts), separator=",", ignore_nulls=True)

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
        columns = (self.homes if p.entity == "household" else self.members).columns
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


@kept_with_law
def input_needs(law: Law) -> Mapping[str, frozenset[str]]:
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
    return MappingProxyType(needs)
