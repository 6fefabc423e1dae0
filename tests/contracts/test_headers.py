"""Headers as departments write them: recognised, told apart between feeds, or refused with the remedy."""

from __future__ import annotations

import pytest

from meanscheck.contracts import feed, feed_names
from meanscheck.contracts.headers import match_headers, units_of
from meanscheck.contracts.spelling import header_key, header_unit
from meanscheck.errors import FeedError


@pytest.mark.parametrize("name", feed_names())
def test_chinese_titles_are_recognised_as_this_feed_and_as_no_other(name: str) -> None:
    titles = [column.title_zh for column in feed(name).columns]
    assert tuple(match_headers(feed(name), titles).values()) == feed(name).column_names
    for other in feed_names():
        if other != name:
            with pytest.raises(FeedError, match=rf"those of {name} "):
                match_headers(feed(other), titles)


def test_english_names_stored_names_and_aliases_are_recognised() -> None:
    headers = ["公民身份号码", "month", "所得项目", "amount_fen", "应纳税额(万元)"]
    matched = match_headers(feed("tax_income"), headers)
    assert list(matched.values()) == ["id_number", "month", "item", "amount", "tax"]
    assert units_of(feed("tax_income"), matched) == {"amount": "fen", "tax": "wan_yuan"}


def test_width_case_spaces_and_brackets_do_not_matter() -> None:
    assert header_key(" 账户余额（元） ") == header_key("账户余额")
    assert header_unit("金额（万元）") == "wan_yuan"
    assert header_unit("金额（含税）") is None
    assert header_key("ＡＭＯＵＮＴ") == "amount"


def test_a_missing_column_is_named_in_both_languages() -> None:
    with pytest.raises(FeedError, match=r"missing column balance \(账户余额\).*template bank_deposits") as caught:
        match_headers(feed("bank_deposits"), ["身份证号", "姓名", "开户行"], where="icbc.csv")
    assert caught.value.where == "icbc.csv: headers"


def test_two_headers_for_one_column_are_refused_by_position() -> None:
    with pytest.raises(FeedError, match="two headers mean balance") as caught:
        match_headers(feed("bank_deposits"), ["身份证号", "余额", "账户余额"])
    assert caught.value.where == "header 3"


def test_unknown_headers_are_left_out() -> None:
    matched = match_headers(feed("wallets"), ["身份证号", "支付账户余额", "备注"])
    assert "备注" not in matched


def test_further_columns_of_a_sender_do_not_make_it_another_feed() -> None:
    headers = ["纳税人识别号", "纳税人姓名", "所属期", "所得项目", "收入额", "性别", "出生日期", "户口性质"]
    assert set(match_headers(feed("tax_income"), headers).values()) >= {"month", "item", "amount"}


def test_a_unit_that_does_not_fit_is_refused() -> None:
    matched = match_headers(feed("wallets"), ["身份证号", "支付账户余额(亩)"])
    with pytest.raises(FeedError, match="unit in the header"):
        units_of(feed("wallets"), matched)


def test_a_header_of_megabytes_is_looked_at_no_longer_than_a_header_can_be() -> None:
    assert header_key("9" * 10_000_000) == header_key("9" * 401)
    assert header_key("余额" + " " * 50 + "（万元）") == "余额"
