"""The ledger: what is appended once, what is known, what conflicts, and in which order."""

from __future__ import annotations

import pytest

from services.ledger import GapInLog, InvalidId, Outcome, check_id
from tests.services.house import STOCK, House, buy, offers, sell

NEW, KNOWN, CONFLICT = Outcome.NEW, Outcome.KNOWN, Outcome.CONFLICT
FULL_SQLITE = (
    "CREATE TRIGGER disk BEFORE INSERT ON facts WHEN NEW.originator_id LIKE '%b3' "
    "BEGIN SELECT RAISE(FAIL, 'disk full'); END",
    "DROP TRIGGER disk",
)
FULL_POSTGRES = (
    "ALTER TABLE facts ADD CONSTRAINT disk_full CHECK (right(originator_id, 2) <> 'b3')",
    "ALTER TABLE facts DROP CONSTRAINT disk_full",
)


def refs(house: House) -> list[tuple[int, str, int]]:
    return [(f.position, f.ref, f.version) for f in house.app.ledger.read(0, 1000)]


def test_a_new_fact_is_stored_once_with_its_evidence(house: House) -> None:
    assert house.append(buy("b1")) == [NEW]
    (logged,) = house.app.ledger.read(0, 10)
    assert (logged.position, logged.taxpayer, logged.ref, logged.version) == (
        1, "main", "csv:b1", 1,
    )  # fmt: skip
    assert logged.recorded.recorded_at == house.clock.text
    assert len(logged.recorded.evidence.payload_sha256) == 64


def test_redelivery_adds_nothing_and_says_so(house: House) -> None:
    house.append(buy("b1"), buy("b2"))
    house.clock.advance(days=1)
    assert house.append(buy("b1"), buy("b2")) == [KNOWN, KNOWN]
    assert house.app.ledger.head() == 2


def test_the_spelling_of_a_number_makes_no_other_payload(house: House) -> None:
    house.append(buy("b1", "1", "100"))
    assert house.append(buy("b1", "1.0", "0100.00")) == [KNOWN]


def test_the_same_id_with_another_payload_is_a_conflict_and_stores_nothing(house: House) -> None:
    house.append(buy("b1"))
    assert house.append(buy("b1", "2")) == [CONFLICT]
    assert refs(house) == [(1, "csv:b1", 1)]


def test_one_conflict_in_a_batch_leaves_the_others_in(house: House) -> None:
    house.append(buy("b1"))
    assert house.append(buy("b0"), buy("b1", "2"), buy("b2")) == [NEW, CONFLICT, NEW]
    assert refs(house) == [(1, "csv:b1", 1), (2, "csv:b0", 1), (3, "csv:b2", 1)]


def test_the_same_id_of_another_source_or_taxpayer_is_another_fact(house: House) -> None:
    assert house.append(buy("b1")) == [NEW]
    assert house.append(buy("b1", "2"), source="kraken") == [NEW]
    assert house.append(buy("b1", "3"), taxpayer="other") == [NEW]


def test_duplicates_inside_one_batch_are_seen_without_the_database(house: House) -> None:
    outcomes = house.append(buy("b1"), buy("b1"), buy("b1", "2"), buy("b2"))
    assert outcomes == [NEW, KNOWN, CONFLICT, NEW]
    assert refs(house) == [(1, "csv:b1", 1), (2, "csv:b2", 1)]


def test_a_correction_and_a_bust_are_later_versions(house: House) -> None:
    corrected = {"id": "b1", "type": "correction", "fact": buy("b1", "2")}
    bust = {"id": "b1", "type": "bust", "date": "2025-03-01"}
    house.append(buy("b1"))
    assert house.append(corrected) == [NEW]
    assert house.append(bust) == [NEW]
    assert refs(house) == [(1, "csv:b1", 1), (2, "csv:b1", 2), (3, "csv:b1", 3)]
    assert house.append(corrected, bust, buy("b1")) == [KNOWN, KNOWN, KNOWN]


def test_a_fact_and_its_amendments_may_come_in_one_batch(house: House) -> None:
    bust = {"id": "b1", "type": "bust", "date": "2025-03-01"}
    assert house.append(buy("b1"), bust, bust, buy("b1")) == [NEW, NEW, KNOWN, KNOWN]


def test_a_declaration_is_renewed_and_may_return_to_what_it_was(house: House) -> None:
    fund = STOCK | {"class": "fund"}
    assert house.append(STOCK) == [NEW]
    assert house.append(STOCK) == [KNOWN]
    assert house.append(fund) == [NEW]
    assert house.append(STOCK) == [NEW]
    assert [version for _, _, version in refs(house)] == [1, 2, 3]


def test_a_batch_is_stored_whole_or_not_at_all(house: House) -> None:
    """The third insert fails (the database refuses it): the first two are not there either."""
    house.append(buy("b0"))
    refuse, allow = FULL_POSTGRES if house.is_postgres else FULL_SQLITE
    house.sql(refuse)
    with pytest.raises(Exception, match=r"disk.full"):
        house.append(buy("b1"), buy("b2"), buy("b3"))
    house.sql(allow)
    assert house.app.ledger.head() == 1
    assert house.append(buy("b1"), buy("b2"), buy("b3")) == [NEW, NEW, NEW]
    assert [position for position, _, _ in refs(house)] == [1, 2, 3, 4]


def test_a_missing_row_stops_the_reader_by_name(house: House) -> None:
    house.append(*(buy(f"b{i}") for i in range(5)))
    house.lose(3)
    with pytest.raises(GapInLog, match="after 0"):
        house.app.ledger.read(0, 100)
    assert [fact.position for fact in house.app.ledger.read(0, 2)] == [1, 2]
    assert [fact.position for fact in house.app.ledger.read(3, 2)] == [4, 5]


def test_what_was_appended_just_now_is_what_is_read_back(house: House) -> None:
    ledger, other = house.app.ledger, house.beside()
    other.append(buy("theirs"))
    house.append(buy("b1"), sell("s1"), buy("b1"))
    assert ledger.just_appended(1) == ledger.read(1, 10) != []
    assert ledger.just_appended(1) == []  # it is told once
    house.append(buy("b2"))
    assert ledger.just_appended(0) == ledger.just_appended(3) == []


def test_what_was_appended_before_a_batch_of_known_facts_is_read_back(house: House) -> None:
    """Others may have appended since what makes that batch known: nobody stops before it."""
    house.append(buy("b1"))
    house.beside().append(buy("b2"))
    house.append(buy("b2"))
    assert house.app.ledger.just_appended(0) == []


def test_read_models_do_not_pass_a_gap(house: House) -> None:
    house.say(STOCK, buy("b0"))
    house.append(buy("b1"), buy("b2"), buy("b3"))
    house.lose(4)
    before = house.sql("SELECT position FROM checkpoints WHERE projection = 'read_models'")
    house = house.reopened()  # whoever appended has no need to read
    with pytest.raises(GapInLog):
        house.app.projector.catch_up(house.clock.day)
    after = house.sql("SELECT position FROM checkpoints WHERE projection = 'read_models'")
    assert before == after == [(2,)]


def test_a_position_is_never_given_twice(house: House) -> None:
    house.append(buy("b1"), buy("b2"))
    house.lose(2)
    house.append(buy("b3"))
    assert house.sql("SELECT position FROM facts ORDER BY 1") == [(1,), (3,)]


def test_facts_of_a_taxpayer_come_in_log_order_up_to_a_position(house: House) -> None:
    house.append(buy("z"), buy("a"))
    house.append(buy("x"), taxpayer="main.2")
    house.append(buy("m"))
    found = [(f.position, f.ref) for f in house.app.ledger.facts_of("main", 4)]
    assert found == [(1, "csv:z"), (2, "csv:a"), (4, "csv:m")]
    assert [f.ref for f in house.app.ledger.facts_of("main", 2)] == ["csv:z", "csv:a"]
    assert list(house.app.ledger.facts_of("mai", 4)) == []


@pytest.mark.parametrize(
    "id",
    ["a:b:c", "x'; DROP TABLE facts; --", "ümläut ✓ 火", "%_*?", 'q"', "a/b\\c", " ", "x" * 200],
)
def test_an_external_id_may_hold_any_character(house: House, id: str) -> None:
    assert house.append(buy(id)) == [NEW]
    assert house.append(buy(id), buy(id, "2")) == [KNOWN, CONFLICT]
    (logged,) = house.app.ledger.facts_of("main", 10)
    assert logged.ref == f"csv:{id}"
    (recorded,) = house.app.ledger.stream("main", f"csv:{id}")
    assert recorded == logged.recorded


@pytest.mark.parametrize("name", ["", "a:b", "a b", "ä", "x" * 65, "a\n", "../x"])
def test_a_taxpayer_or_source_name_is_plain(name: str) -> None:
    with pytest.raises(InvalidId, match="letters, digits"):
        check_id(name, "taxpayer")


def test_taxpayers_are_listed_once_each_whatever_sorts_between(house: House) -> None:
    names = ["a", "a-b", "a.b", "a@b", "a0", "ab", "z"]
    for name in names:
        house.append(buy("1"), buy("2"), taxpayer=name)
    assert sorted(house.app.ledger.taxpayers()) == sorted(names)


def test_the_streams_of_a_big_batch_are_all_compared(house: House) -> None:
    """More streams than one query asks for at a time."""
    house.append(*(buy(f"b{i}") for i in range(1200)))
    outcomes = house.append(*(buy(f"b{i}", "2" if i % 2 else "1") for i in range(1300)))
    assert outcomes == [CONFLICT if i % 2 else KNOWN for i in range(1200)] + [NEW] * 100


def test_what_was_stored_reads_back_equal(house: House) -> None:
    events = [
        STOCK,
        buy("b1", fee="0.000000000000000001"),
        sell("s1", lots=[{"lot": "b1", "qty": "1"}]),
    ]
    house.append(*events)
    assert [f.recorded.fact for f in house.app.ledger.read(0, 9)] == [
        offer.fact for offer in offers(events)
    ]
