import threading

import pytest

from splitpose.inference.prefetch import prefetch


def test_items_come_in_order():
    assert list(prefetch(iter(range(100)), 3)) == list(range(100))
    assert list(prefetch(iter([]), 3)) == []


def test_so_many_are_made_before_they_are_asked_for_and_no_more():
    made, changed = [], threading.Condition()

    def items():
        for number in range(20):
            with changed:
                made.append(number)
                changed.notify()
            yield number

    coming = prefetch(items(), 4)
    assert next(coming) == 0
    with changed:
        assert changed.wait_for(lambda: len(made) == 5, timeout=10)
        assert not changed.wait_for(lambda: len(made) > 5, timeout=0.1)
    coming.close()


def test_an_error_comes_where_its_item_would_have():
    def items():
        yield 1
        yield 2
        raise ValueError("third")

    coming = prefetch(items(), 8)
    assert [next(coming), next(coming)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(coming)


def test_whoever_stops_asking_stops_the_making():
    before = threading.active_count()
    coming = prefetch(iter(range(1000)), 2)
    next(coming)
    coming.close()
    assert threading.active_count() == before
