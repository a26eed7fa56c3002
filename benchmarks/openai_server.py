"""A server that speaks OpenAI's chat completions and answers at once.

`python -m benchmarks.openai_server TURNS` prints the port it listens on. The model it plays asks for one
shell command a turn and hands in after so many turns.
"""

from __future__ import annotations

import asyncio
import json
import sys

COMMAND = "head -c 2000 k8s_events_raw.tsv"
ANSWER = '{"contributing_factors": [{"name": "otel-demo/ConfigMap/flagd-config"}]}'


def tool_call(turn: int, name: str, arguments: dict[str, object]) -> dict[str, object]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": f"call_{turn}", "type": "function", "function": function}


def completion(turn: int, turns: int, model: str) -> bytes:
    if turn < turns - 1:
        call = tool_call(turn, "run_shell", {"cmd": COMMAND})
    elif turn == turns - 1:
        call = tool_call(turn, "run_shell", {"cmd": f"echo '{ANSWER}' > agent_output.json"})
    else:
        call = tool_call(turn, "finish", {"reason": "done", "paths": ["agent_output.json"]})
    message = {"role": "assistant", "content": f"Turn {turn}: looking at events.", "tool_calls": [call]}
    usage = {"prompt_tokens": 500 * turn, "completion_tokens": 60, "total_tokens": 500 * turn + 60}
    body = {
        "id": f"chatcmpl-{turn}",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": usage,
    }
    return json.dumps(body).encode()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turns: int) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            request = json.loads(await reader.readexactly(length))
            turn = 1 + sum(message["role"] == "assistant" for message in request["messages"])
            body = completion(turn, turns, request["model"])
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                + body
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(turns: int) -> None:
    server = await asyncio.start_server(lambda r, w: answer(r, w, turns), "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
