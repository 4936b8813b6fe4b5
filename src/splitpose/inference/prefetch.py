"""Prefetching: items are computed in a thread while earlier ones are used."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
END: Any = object()


def prefetch(items: Iterator[Item], depth: int) -> Iterator[Item]:
    """Yield the items in order, computing up to `depth` of them ahead in a thread.

    An error in computing an item is raised where the item would have been yielded.
    """
    with ThreadPoolExecutor(1) as pool:
        pending: deque[Future[Item]] = deque(pool.submit(next, items, END) for _ in range(depth))
        try:
            while (item := pending.popleft().result()) is not END:
                pending.append(pool.submit(next, items, END))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)
