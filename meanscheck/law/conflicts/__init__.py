"""Contradictions between feeds (数据冲突): what is found, who says what holds, and what follows for the figures.

    kinds   what can be found, and what the law of a day makes of it (conflicts.toml)
    rows    rows of a block with owner and finding; work, assets, people: the finders of each kind, vectorised
    found   which hold, which are settled, and the block that the law then runs over
    plain   the same for one case (plain_finders), written to be read against the definitions

Only rows in a feed that has been answered are looked at. A feed without rows of a person contradicts nothing, nor does
a cell that nobody stated: a sum with an unknown amount is no sum, and a row of an unknown month or item is in none.
"The day" is the reference day. Per kind, of the persons of one case unit:

    wages_against_base      a month in which an employer paid contributions on a base (the highest of the month's rows)
                            that is not the sum of the wages the tax office knows of that month, where its answer covers
                            the month
    declared_wages          wages declared, and another sum of wages found in the months of the window before the
                            application; not looked for where the window is unknown
    declared_deposits       an amount declared, and another sum found in that feed; likewise declared_securities,
                            declared_insurance, declared_wallets
    duplicate_vehicle       one vehicle_token in two rows
    duplicate_account       one bank_code and account_token in two rows
    duplicate_right         one right_token in two rows that are not marked as transferred, whose shares exceed the
                            whole or are not all known
    owner_outside           a member's right that is not marked as transferred, registered after the day or transferred
                            on or before it, while nobody of the unit holds it by its days
    dead_pensioner          a pension paid for a month that begins after the death;  dead_relief: relief so paid
    dead_applicant          a member who had died by the day of application (by the day where that is not stated)
    married_without_spouse  the member's latest marriage row says married, to somebody who is not a member or a
                            register co-resident of the unit
    unregistered_marriage   a member with the relation spouse who has rows of marriages, of which none says married, nor
                            divorced from somebody of the unit
    divorced_together       the latest row says divorced, from a member or register co-resident of the unit
    member_not_registered   a member who has rows in the household register, none of them active
    lives_elsewhere         a member's active row in another division than the household's, neither being a part of the
                            other (人户分离)
    several_families        one household_no with active rows of a member and of a register co-resident
    double_register         two active rows of one person under different household numbers

*Latest* is the highest `registered_on`, a row without one being the earliest; of several equal ones each counts.

A conflict is settled by *findings* where it is no longer there without the rows that they drop, or where they confirm
every row that is left of one side; by a *rule* where the law has one; otherwise it is *open*: a person decides, and
until then the feeds in doubt are conflicting for the persons concerned, and so is their membership where the law says
so. All of it stays within one case unit: what another household's evidence says would make a decision depend on who
else is decided with it.
"""

from __future__ import annotations

from meanscheck.law.conflicts.kinds import KINDS, MEMBERSHIP, RULES, Conflict, Kind, conflict_of

__all__ = ["KINDS", "MEMBERSHIP", "RULES", "Conflict", "Kind", "conflict_of"]
