import threading

import pytest

from splitpose.inference.prefetch import prefetch


def test_items_are_yielded_in_order():
    assert list(prefetch(iter(range(100)), 3)) == list(range(100))
    assert list(prefetch(iter([]), 3)) == []


def test_as_many_items_as_the_depth_are_computed_ahead():
    computed, changed = [], threading.Condition()

    def items():
        for number in range(20):
            with changed:
                computed.append(number)
                changed.notify()
            yield number

    prefetched = prefetch(items(), 4)
    assert next(prefetched) == 0
    with changed:
        assert changed.wait_for(lambda: len(computed) == 5, timeout=10)
        assert not changed.wait_for(lambda: len(computed) > 5, timeout=0.1)
    prefetched.close()


def test_an_error_is_raised_in_place_of_its_item():
    def items():
        yield 1
        yield 2
        raise ValueError("third")

    prefetched = prefetch(items(), 8)
    assert [next(prefetched), next(prefetched)] == [1, 2]
    with pytest.raises(ValueError, match="third"):
        next(prefetched)


def test_closing_ends_the_thread():
    before = threading.active_count()
    prefetched = prefetch(iter(range(1000)), 2)
    next(prefetched)
    prefetched.close()
    assert threading.active_count() == before
