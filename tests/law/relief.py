"""A small pack whose cases show everything it says: the one in which faults are planted.

household_income   wages of the window of 12 months, at most a ceiling per person counted
dibao              income per head below 900.00 a month; savings at most 24 months of it, per head
award              standard × members − income over the window, rounded once, at least a floor of 50.00
tekun_line         1.6 × the standard, rounded up to a yuan: 1 440.00
"""

from __future__ import annotations

from pathlib import Path

PACK = """
code = "000000"
name = "Test"
first_day = 2020-01-01
[[instrument]]
id = "act"
title = "The Act"
issued_on = 2020-01-01
"""
CITE = 'in_force_on = 2020-01-01\n  cite = ["act#1"]'
PARAMETERS = f"""
[[parameter]]
id = "standard"
unit = "money/month"
by = "residence"
  [[parameter.revision]]
  value = {{ urban = "900.00", rural = "650.25" }}
  {CITE}
[[parameter]]
id = "multiple"
unit = "ratio"
  [[parameter.revision]]
  value = "1.6"
  {CITE}
[[parameter]]
id = "tekun_line"
unit = "money/month"
by = "residence"
  [[parameter.revision]]
  formula = 'round_to(standard[residence] * multiple, "yuan", "up")'
  {CITE}
[[parameter]]
id = "window"
unit = "month"
  [[parameter.revision]]
  value = "12"
  {CITE}
[[parameter]]
id = "months"
unit = "month"
  [[parameter.revision]]
  value = "24"
  {CITE}
[[parameter]]
id = "most"
unit = "money/month"
  [[parameter.revision]]
  value = "1500.00"
  {CITE}
"""
RULES = f"""
[[variable]]
id = "is_member"
entity = "member"
unit = "bool"
  [[variable.revision]]
  formula = 'lives_together'
  {CITE}
[[variable]]
id = "wages"
entity = "member"
unit = "money"
  [[variable.revision]]
  formula = 'sum(t.amount for t in tax_income if within(t.month, window, before=household.applied_on))'
  {CITE}
[[variable]]
id = "savings"
entity = "member"
unit = "money"
  [[variable.revision]]
  formula = 'sum(b.balance for b in bank_deposits)'
  {CITE}
[[variable]]
id = "income"
entity = "household"
unit = "money"
  [[variable.revision]]
  formula = 'sum(m.wages for m in members)'
  {CITE}
[[programme]]
id = "dibao"
entity = "household"
in_force_on = 2020-01-01
  [[programme.test]]
  id = "income"
  quote = "低于"
    [[programme.test.revision]]
    formula = 'income / (window * size) < standard[residence]'
    {CITE}
  [[programme.test]]
  id = "savings"
  quote = "不超过"
    [[programme.test.revision]]
    formula = 'sum(m.savings for m in members) <= months * size * standard[residence]'
    {CITE}
  [programme.award]
  unit = "money/month"
    [[programme.award.revision]]
    formula = 'round_to(least(most, size * standard[residence] - income / window), "fen", "half_up")'
    {CITE}
[[programme]]
id = "tekun"
entity = "member"
in_force_on = 2020-01-01
  [[programme.test]]
  id = "alone"
    [[programme.test.revision]]
    formula = 'household.size == 1 and household.income == 0'
    {CITE}
  [programme.award]
  unit = "money/month"
    [[programme.award.revision]]
    formula = 'tekun_line[household.residence]'
    {CITE}
"""


def case(
    name: str,
    expect: str,
    *members: str,
    residence: str = "urban",
    applied_on: str = "2020-06-10",
) -> str:
    """One case; a member is the text of his feeds."""
    people = "".join(f'  [[case.member]]\n  id = "{"ABCD"[i]}"\n  {m}\n' for i, m in enumerate(members))
    return (
        f'[[case]]\nid = "{name}"\non = 2020-06-30\n  [case.household]\n  residence = "{residence}"\n'
        f"  applied_on = {applied_on}\n{people}{expect}\n"
    )


def wages(amount: str, first: str = "2019-06", last: str = "2020-05") -> str:
    """Wages of a window of twelve months."""
    return f'tax_income = [{{ months = ["{first}", "{last}"], item = "wages", amount = "{amount}", tax = "0.00" }}]'


def saved(amount: str) -> str:
    """A balance."""
    return f'bank_deposits = [{{ bank_code = "X", account_token = "a", balance = "{amount}" }}]'


def dibao(outcome: str, award: str = "", failed: str = "") -> str:
    lines = ["  [case.expect.dibao]", f'  outcome = "{outcome}"']
    lines += [f'  award = "{award}"'] if award else []
    lines += [f'  failed = ["{failed}"]'] if failed else []
    return "\n".join(lines)


def tekun(outcome: str, award: str = "") -> str:
    return f'\n  [case.expect.tekun.A]\n  outcome = "{outcome}"' + (f'\n  award = "{award}"' if award else "")


ONE_ROW = 'tax_income = [{ month = "MONTH", item = "wages", amount = "AMOUNT", tax = "0.00" }]'


def row(month: str, amount: str) -> str:
    """Wages of one month."""
    return ONE_ROW.replace("MONTH", month).replace("AMOUNT", amount)


CASES = "\n".join(
    [
        # 900.00 a month is not below 900.00
        case("on the line", dibao("ineligible", failed="income"), wages("900.00")),
        # 899.99 is; 900.00 − 899.99
        case("just below", dibao("eligible", "0.01"), wages("899.99")),
        # 899.995 a month: 10 799.94 over 12; 900.00 − 899.995 = 0.005 → 0.01
        case("half a fen", dibao("eligible", "0.01"), row("2020-05", "10799.94")),
        # 10 799.90 over 12: 900.00 − 899.99166… = 0.00833… → 0.01;  10 799.98: 900.00 − 899.99833… = 0.00166… → 0.00
        case("less than half a fen", dibao("eligible", "0.00"), row("2020-05", "10799.98")),
        case("above", dibao("ineligible", failed="income"), wages("900.01")),
        # the window is 2019-06 to 2020-05: May 2019 and June 2020 do not count, though `on` is in June
        case("before the window", dibao("eligible", "900.00"), row("2019-05", "20000.00")),
        case("after the window", dibao("eligible", "900.00"), row("2020-06", "20000.00")),
        case("first month", dibao("ineligible", failed="income"), row("2019-06", "20000.00")),
        # applied for in May: the window ends with April, and the wages of May do not count
        case("another month", dibao("eligible", "900.00"), row("2020-05", "20000.00"), applied_on="2020-05-10"),
        # three persons, 1 000.00 a month of income: 2 700.00 − 1 000.00 = 1 700.00, at most 1 500.00
        case("ceiling", dibao("eligible", "1500.00"), wages("1000.00"), "", ""),
        # 24 × 650.25 = 15 606.00 each; two persons, rural: 31 212.00; 1 300.50 − 0.00
        case("savings on the line", dibao("eligible", "1300.50"), saved("31212.00"), "", residence="rural"),
        case("savings above", dibao("ineligible", failed="savings"), saved("31212.01"), "", residence="rural"),
        # one not living there does not count: 650.25 × 1; tekun: 1.6 × 650.25 = 1 040.40 → 1 041.00
        case(
            "not a member",
            dibao("eligible", "650.25") + tekun("eligible", "1041.00"),
            "",
            "lives_together = false\n  " + wages("9.00"),
            residence="rural",
        ),
        # 1.6 × 900.00 = 1 440.00
        case("alone", tekun("eligible", "1440.00"), ""),
        case("two", tekun("ineligible"), "", ""),
        case("with income", tekun("ineligible"), wages("0.01")),
    ]
)


def write(folder: Path, *, rules: str = RULES, parameters: str = PARAMETERS, cases: str = CASES) -> Path:
    """The pack in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("pack", PACK), ("parameters", parameters), ("rules", rules), ("cases", cases)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder
