"""Which contradictions between feeds can be found, and what does the law of a day make of each?

A *kind* (`KINDS`) is fixed: its definition stands in the docstring of the package, the finders find it. What follows
from it is law and stands in a pack's conflicts.toml (`Conflict`): which feeds it puts in doubt, from which difference
it counts, which side holds, and by which article.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEMBERSHIP = "membership"
"""Stands among `doubts` for whether the persons concerned are members of the household."""
RULES = ("person", "higher", "source", "law")
"""Who says what holds: `person`, no rule was found; `higher`, of two figures the higher counts, and formulas take it;
`source`, the feed `holds` holds and the rows of the other feeds in doubt drop out; `law`, an article says what follows,
and formulas or clocks apply it."""
WINDOW = "income.window_months"
"""The parameter with the months over which a declared income is told."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What finders look for. `feeds` are its sides in order; `columns` what they read of each.

    `has_figures`: both sides are amounts, which differ.
    """

    id: str
    feeds: tuple[str, ...]
    columns: Mapping[str, frozenset[str]]
    has_figures: bool = False


def _kind(name: str, *, figures: bool = False, **feeds: str) -> Kind:
    columns = {feed: frozenset(names.split()) for feed, names in feeds.items()}
    return Kind(name, tuple(feeds), columns, figures)


DECLARED: Mapping[str, tuple[str, str]] = {
    "declared_deposits": ("bank_deposits", "balance"),
    "declared_securities": ("securities", "value"),
    "declared_insurance": ("insurance_policies", "cash_value"),
    "declared_wallets": ("wallets", "balance"),
}
"""Kind → feed and money column that one declared item names."""
_DECLARATION = "item amount"

KINDS: Mapping[str, Kind] = {
    kind.id: kind
    for kind in (
        _kind("wages_against_base", figures=True, tax_income="month item amount", social_insurance="month payer base"),
        _kind("declared_wages", figures=True, declaration=_DECLARATION, tax_income="month item amount"),
        *(
            _kind(name, figures=True, **{"declaration": _DECLARATION, feed: column})
            for name, (feed, column) in DECLARED.items()
        ),
        _kind("duplicate_vehicle", vehicles="vehicle_token"),
        _kind("duplicate_account", bank_deposits="bank_code account_token"),
        _kind("duplicate_right", real_estate="right_token share status"),
        _kind("owner_outside", real_estate="right_token status registered_on transferred_on"),
        _kind("dead_pensioner", deaths="died_on", pensions_paid="month"),
        _kind("dead_relief", deaths="died_on", relief_paid="month"),
        _kind("dead_applicant", deaths="died_on"),
        _kind("married_without_spouse", marriages="status spouse_id registered_on"),
        _kind("unregistered_marriage", marriages="status spouse_id registered_on"),
        _kind("divorced_together", marriages="status spouse_id registered_on"),
        _kind("member_not_registered", household_register="status"),
        _kind("lives_elsewhere", household_register="status division_code"),
        _kind("several_families", household_register="status household_no"),
        _kind("double_register", household_register="status household_no"),
    )
}
"""Every kind by its stable name."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the law of a day makes of one kind.

    `doubts` names feeds of the kind, or `MEMBERSHIP`. A difference counts from `least_fen`, and from `least_share`
    (millionths) of the greater figure. `status` is that of the rule, `threshold_status` that of the two bounds.
    """

    id: str
    label: str
    label_zh: str
    doubts: tuple[str, ...]
    rule: str
    holds: str
    least_fen: int
    least_share: int
    status: str
    threshold_status: str
    note: str
    cite: tuple[str, ...]

    @property
    def kind(self) -> Kind:
        """What is looked for."""
        return KINDS[self.id]

    @property
    def doubted_feeds(self) -> tuple[str, ...]:
        """Feeds whose rows cannot be relied on while it is open."""
        return tuple(d for d in self.doubts if d != MEMBERSHIP)

    @property
    def dropped_feeds(self) -> tuple[str, ...]:
        """Feeds whose rows drop out because another source holds."""
        return tuple(f for f in self.doubted_feeds if f != self.holds) if self.rule == "source" else ()

    def to_json(self) -> dict[str, Any]:
        """The recorded form."""
        return {
            "id": self.id,
            "label": self.label,
            "label_zh": self.label_zh,
            "doubts": list(self.doubts),
            "rule": self.rule,
            "holds": self.holds,
            "least_fen": self.least_fen,
            "least_share": self.least_share,
            "status": self.status,
            "threshold_status": self.threshold_status,
            "note": self.note,
            "cite": list(self.cite),
        }


def conflict_of(recorded: Mapping[str, Any]) -> Conflict:
    """The conflict of a recorded form; KeyError or TypeError if it is damaged or of a kind that is not known here."""
    KINDS[recorded["id"]]
    return Conflict(**{**recorded, "doubts": tuple(recorded["doubts"]), "cite": tuple(recorded["cite"])})
