"""A longer way to a server: ``python -m bench.scale_relay PORT HOST:PORT DELAY_MS`` forwards both ways, late.

It stands for the kernel's ``netem`` where that is not there.
"""

import asyncio
import contextlib
import sys

_PIECE = 1 << 16


async def main(port: int, host: str, target: int, delay_s: float) -> None:
    """Forward connections until ended."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop, due = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

        async def send() -> None:
            while True:
                at, piece = await due.get()
                await asyncio.sleep(max(0.0, at - loop.time()))
                if not piece:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()

        sending = asyncio.create_task(send())
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                due.put_nowait((loop.time() + delay_s, piece))
        due.put_nowait((loop.time() + delay_s, b""))
        with contextlib.suppress(OSError):
            await sending

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(host, target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(forward(reader, back), forward(there, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    to, at = sys.argv[2].rsplit(":", 1)
    asyncio.run(main(int(sys.argv[1]), to, int(at), float(sys.argv[3]) / 1e3))
