"""Array work of a few milliseconds and more, on threads of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class Background:
    """Two threads for what the window draws: pyramids, outlines, thumbnails. Models run in the engine."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(2, "background")

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What the function answers, computed beside the window."""
        return await self._loop.run_in_executor(self._pool, function, *arguments)

    def close(self) -> None:
        """Let what runs finish."""
        self._pool.shutdown(cancel_futures=True)
