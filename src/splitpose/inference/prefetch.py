"""Work that goes on in a thread while what it has made before is used."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
END: Any = object()


def prefetch(items: Iterator[Item], depth: int) -> Iterator[Item]:
    """The items in order, of which up to `depth` are made in a thread of their own before they are asked for.

    An error in making one is raised where it would have come.
    """
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Item]] = deque(pool.submit(next, items, END) for _ in range(depth))
        try:
            while (item := waiting.popleft().result()) is not END:
                waiting.append(pool.submit(next, items, END))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)
