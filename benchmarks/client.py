"""A client that asks a Streamlit server for runs, as a browser does, and waits for the end of each."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 120


@contextmanager
def server(script: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve a script on a free port of this machine, and return the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / script), "--server.port", str(port), "--server.headless", "true"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield port
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
        self.protocol = ClientProtocol(uri, subprotocols=[Subprotocol("streamlit")], max_size=None)
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = self.protocol.connect()
        if cookie:
            request.headers["Cookie"] = cookie
        self.protocol.send_request(request)
        self._flush()
        self.waiting: deque[bytes] = deque()
        while not any(isinstance(event, Response) for event in self._events()):
            continue
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
        start = time.perf_counter()
        self.protocol.send_binary(message.SerializeToString())
        self._flush()
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._next())
            kind = answer.WhichOneof("type")
            if kind == "delta":
                self._note(answer)
            if kind == "script_finished":
                return (time.perf_counter() - start) * 1000

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            self.socket.sendall(data)

    def _events(self) -> list[Any]:
        """Return what the next piece from the server holds; no thread of ours stands between the server and the stopwatch."""
        self.protocol.receive_data(self.socket.recv(1 << 20))
        events = self.protocol.events_received()
        self._flush()
        self.waiting.extend(bytes(event.data) for event in events if isinstance(event, Frame) and event.opcode is Opcode.BINARY)
        return events

    def _next(self) -> bytes:
        while not self.waiting:
            self._events()
        return self.waiting.popleft()

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
