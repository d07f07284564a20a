"""A client that asks a Streamlit server for runs, as a browser does, and waits for the end of each."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120
END_OF_HEAD = b"\r\n\r\n"
EXTENDED = 126
"""The length byte of a frame from which on the length stands behind it."""
SHORT = 200
"""The message that ends a run is shorter than this: longer ones are looked at once the stopwatch has stopped."""


@dataclass(frozen=True)
class Server:
    """A server under the stopwatch."""

    port: int
    pid: int

    def cpu_ms(self) -> float:
        """Return the processor time it took so far, in steps of the kernel's tick: read it around many runs."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(ticks) for ticks in fields[11:13]) * 1000 / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(script: str, environment: dict[str, str]) -> Iterator[Server]:
    """Serve a script on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script), "--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    msg = "the server did not start"
    raise TimeoutError(msg)


class Tab:
    """One browser tab on a server."""

    def __init__(self, port: int, cookie: str = "") -> None:
        uri = parse_uri(f"ws://127.0.0.1:{port}/_stcore/stream")
        protocol = ClientProtocol(uri, subprotocols=[Subprotocol("streamlit")], max_size=None)
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = protocol.connect()
        if cookie:
            request.headers["Cookie"] = cookie
        protocol.send_request(request)
        self.socket.sendall(b"".join(protocol.data_to_send()))
        self.buffer, self.at = b"", 0
        while END_OF_HEAD not in self.buffer:
            self.buffer += self.socket.recv(1 << 16)
        head, self.buffer = self.buffer.split(END_OF_HEAD, 1)
        protocol.receive_data(head + END_OF_HEAD)
        if protocol.handshake_exc is not None:
            raise protocol.handshake_exc
        self.widgets: dict[str, Any] = {}
        self.fragments: dict[str, str] = {}
        self.flipped: dict[str, bool] = {}

    def run(self, page: str, query: str, *, click: str | None = None, flip: str | None = None) -> float:
        """Ask for a run of a page, with a click on a button or a flip of a toggle if one is named, and return its milliseconds.

        What lies in a fragment, such as a drawer, reruns that fragment alone: so a browser does it.
        """
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = query, page
        named = click or flip
        if named is not None:
            widget = state.widget_states.widgets.add()
            widget.id = named
            state.fragment_id = self.fragments.get(named, "")
            if click is not None:
                widget.trigger_value = True
            else:
                self.flipped[named] = not self.flipped.get(named, False)
                widget.bool_value = self.flipped[named]
        data = message.SerializeToString()
        start = time.perf_counter()
        self._send(Opcode.BINARY, data)
        answers, finished = [], False
        while not finished:
            answers.append(self._next())
            finished = len(answers[-1]) < SHORT and _parsed(answers[-1]).WhichOneof("type") == "script_finished"
        took = (time.perf_counter() - start) * 1000
        for answer in map(_parsed, answers):
            if answer.WhichOneof("type") == "delta":
                self._note(answer)
        return took

    def _send(self, opcode: Opcode, data: bytes) -> None:
        frame = Frame(opcode, data)
        self.socket.sendall(frame.serialize(mask=True))

    def _next(self) -> bytes:
        """Return the next message. Frames are taken apart here, in a few lines, so that the stopwatch costs the server as little as it can."""
        while True:
            first, second = self._take(2)
            size = second & 0x7F
            if size >= EXTENDED:
                size = int.from_bytes(self._take(2 if size == EXTENDED else 8), "big")
            data = self._take(size)
            if first & 0x0F == Opcode.BINARY:
                return data
            if first & 0x0F == Opcode.PING:
                self._send(Opcode.PONG, data)

    def _take(self, size: int) -> bytes:
        while len(self.buffer) - self.at < size:
            self.buffer, self.at = self.buffer[self.at :] + self.socket.recv(1 << 20), 0
        self.at += size
        return self.buffer[self.at - size : self.at]

    def _note(self, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        kind = element.WhichOneof("type")
        if kind in {"button", "checkbox"}:
            found = getattr(element, kind)
            self.widgets[found.id] = found
            self.fragments[found.id] = answer.delta.fragment_id
            self.flipped[found.id] = bool(getattr(found, "value", False))

    def widget(self, part: str) -> str:
        """Return the id of the widget whose key holds a text."""
        return next(identifier for identifier in self.widgets if part in identifier)

    def close(self) -> None:
        """Close the tab."""
        self.socket.close()


def _parsed(data: bytes) -> ForwardMsg:
    message = ForwardMsg()
    message.ParseFromString(data)
    return message
