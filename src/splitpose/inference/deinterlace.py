"""Deinterlacing of video frames with FFmpeg's filter bwdif."""

from collections.abc import Iterator

import av
from av.error import BlockingIOError, EOFError
from av.filter import Graph

FILTER, OPTIONS = "bwdif", "mode=send_frame:deint=interlaced"
"""One frame for each frame; frames that are not flagged as interlaced are passed on unchanged."""


class Deinterlacer:
    """Passes frames on, those that are flagged as interlaced deinterlaced, in the same number and order.

    The filter is used from the first interlaced frame on. From then on it holds one frame back.
    """

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._input: tuple[int, int, str] | None = None

    def push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Yield the frames that are complete after this one."""
        layout = (frame.width, frame.height, frame.format.name)
        if self._graph and layout != self._input:
            yield from self.flush()
        if self._graph is None and frame.interlaced_frame:
            self._graph, self._input = _create_graph(frame), layout
        if self._graph is None:
            yield frame
            return
        self._graph.vpush(frame)
        yield from _pull(self._graph)

    def flush(self) -> Iterator[av.VideoFrame]:
        """Yield the frame that is held back."""
        if self._graph:
            self._graph.vpush(None)
            yield from _pull(self._graph)
        self._graph = None


def _create_graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add(FILTER, OPTIONS), graph.add("buffersink")).configure()
    return graph


def _pull(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):  # the filter waits for the next frame, or has no more
            return
