# SPDX-License-Identifier: Apache-2.0
"""Sends the requests of tests/data/http_cases to a real server, byte by byte as they stand there.

A case is an object:

    row, name   the row of the list it belongs to, and what it is
    request     its bytes, one character each (or request_base64; or pieces, each a text and how
                many times it comes); {port} is the server's port
    send        "bytes": one write for each byte
    then        "end": the client ends its side behind it; "reset": it resets the connection
    later       further bytes, sent when the first answer has come
    server      the settings it needs, a key of SERVERS
    quiet_s     how long the server has to be silent at the end
    expect      status: any of these, none for a connection that closes without an answer; or
                answers: such a list for each answer
                close: the server closes behind the last answer; gone: nobody looks
                headers: of the last answer, null for one that must not be there
                bodies: a text that each answer's body holds, in order; absent: texts that none has
                runs: how many requests reach the application; without it none does when all
                answers are errors
                counts: a metric that goes up by one
                parser: what is left of the request for tests of the parser: "ready" (all is read),
                "refuse" or "wait"
"""

import base64
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import maas

FOLDER = Path(__file__).resolve().parents[1] / "data" / "http_cases"
PATIENCE_S = 20.0
# A connection that stays open is not waited for longer than this.
QUIET_S = 0.02
SERVERS: dict[str, dict[str, Any]] = {
    "default": {},
    "brief": {"header_timeout_s": 0.3, "idle_timeout_s": 0.3, "body_grace_s": 0.3},
    "small": {"max_body_bytes": 1000},
    "few": {"max_requests_per_connection": 2},
    "cors": {"cors_origins": "https://app.example"},
}
Case = dict[str, Any]
Message = MutableMapping[str, Any]


def load(name: str) -> list[Case]:
    """The cases of one file; `name` has no extension."""
    cases: list[Case] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return cases


def names() -> list[str]:
    """The files there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def label(case: Case) -> str:
    """How a test calls the case."""
    return f"{case['row']}-{case['name']}"


def request_of(case: Case, port: int = 0) -> bytes:
    """The bytes of its request."""
    if "request_base64" in case:
        return base64.b64decode(case["request_base64"])
    pieces = case.get("pieces") or [{"text": case["request"]}]
    text = "".join(piece["text"] * piece.get("times", 1) for piece in pieces)
    return text.replace("{port}", str(port)).encode("latin-1")


@dataclass
class Answer:
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Outcome:
    """What a client saw."""

    answers: list[Answer] = field(default_factory=list)
    closed: bool = False


class Echo:
    """An ASGI application that answers with what it was asked, and counts."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        assert scope["type"] == "http"
        self.runs += 1
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        seen = {
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "client": scope["client"][0],
            "scheme": scope["scheme"],
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        answer = json.dumps(seen).encode()
        length = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": answer})


def exchange(case: Case, port: int, host: str = "127.0.0.1") -> Outcome:
    """Sends the request; the answers that it expects, and one more if it comes."""
    with socket.create_connection((host, port), PATIENCE_S) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _send(client, case, port)
        if case["expect"].get("gone"):
            return Outcome()
        return _Reader(client, case).outcome()


def _send(client: socket.socket, case: Case, port: int) -> None:
    request = request_of(case, port)
    try:
        if case.get("send") == "bytes":
            for at in range(len(request)):
                client.sendall(request[at : at + 1])
        else:
            client.sendall(request)
    except (ConnectionError, TimeoutError):
        return  # the server has refused what came before
    if case.get("then") == "end":
        client.shutdown(socket.SHUT_WR)
    elif case.get("then") == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Reader:
    """Answers out of a socket, until all that are expected are there and the server is silent."""

    def __init__(self, client: socket.socket, case: Case) -> None:
        self._client = client
        self._case = case
        self._bytes = b""
        self._ended = False
        self._quiet_s = case.get("quiet_s", QUIET_S)
        self._heads = case.get("request", "").startswith("HEAD ")

    def outcome(self) -> Outcome:
        expect = self._case["expect"]
        wanted = len(expected_answers(expect))
        found = Outcome()
        while True:
            owed = len(found.answers) < wanted
            answer = self._answer(len(found.answers), owed or bool(expect.get("close")))
            if answer is None:
                break
            found.answers.append(answer)
            if "later" in self._case and answer.status < 200:
                self._client.sendall(self._case["later"].encode("latin-1"))
        found.closed = self._ended
        return found

    def _answer(self, index: int, patient: bool) -> Answer | None:
        while b"\r\n\r\n" not in self._bytes:
            if not self._receive(PATIENCE_S if patient else self._quiet_s):
                return None
        head, self._bytes = self._bytes.split(b"\r\n\r\n", 1)
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (f.split(": ", 1) for f in fields)}
        status = int(line.split()[1])
        bare = status < 200 or status in (204, 304) or (self._heads and index == 0)
        body = b"" if bare else self._body(headers)
        return Answer(status, headers, body)

    def _body(self, headers: dict[str, str]) -> bytes:
        length = int(headers.get("content-length", "0"))
        while len(self._bytes) < length and self._receive(PATIENCE_S):
            pass
        body, self._bytes = self._bytes[:length], self._bytes[length:]
        return body

    def _receive(self, patience_s: float) -> bool:
        self._client.settimeout(patience_s)
        try:
            chunk = self._client.recv(1 << 16)
        except TimeoutError:
            return False
        except ConnectionError:
            chunk = b""
        self._ended = not chunk
        self._bytes += chunk
        return bool(chunk)


def expected_answers(expect: dict[str, Any]) -> list[list[int]]:
    """The statuses that each answer may have."""
    if "answers" in expect:
        answers: list[list[int]] = expect["answers"]
        return answers
    return [expect["status"]] if expect.get("status") else []


def check(case: Case, outcome: Outcome) -> None:
    """Fails unless the client saw what the case expects."""
    expect = case["expect"]
    if expect.get("gone"):
        return
    wanted = expected_answers(expect)
    statuses = [answer.status for answer in outcome.answers]
    assert len(statuses) == len(wanted), statuses
    for status, allowed in zip(statuses, wanted, strict=True):
        assert status in allowed, statuses
    if "close" in expect:
        assert outcome.closed == expect["close"]
    for answer, text in zip(outcome.answers, expect.get("bodies", []), strict=False):
        assert text in answer.body.decode("latin-1")
    for text in expect.get("absent", []):
        assert not any(text in answer.body.decode("latin-1") for answer in outcome.answers)
    for name, value in expect.get("headers", {}).items():
        assert outcome.answers[-1].headers.get(name.lower()) == value
    for answer in outcome.answers:
        if answer.status >= 400 and answer.body:
            assert next(iter(json.loads(answer.body))) in ("error", "detail")
            assert len(answer.body) < 600


class Target:
    """A real server of the echo at /app, with the settings of one of SERVERS."""

    def __init__(self, settings: dict[str, Any], target: object = None) -> None:
        from maas import config

        self.echo = Echo()
        self.server = maas.Server(port=0, settings=config.Settings(**settings))
        self.server.publish(target if target is not None else [maas.mount("/app", self.echo)])
        self.server.start()

    def run(self, case: Case) -> Outcome:
        """Sends the case, checks what comes of it, and that the server is none the worse."""
        expect = case["expect"]
        before = self.echo.runs
        counted = self.metric(expect["counts"]) if "counts" in expect else 0.0
        outcome = exchange(case, self.server.port)
        check(case, outcome)
        errors = all(min(allowed) >= 400 for allowed in expected_answers(expect))
        runs = expect.get("runs", 0 if errors and not expect.get("gone") else None)
        assert runs is None or self.echo.runs - before == runs
        if "counts" in expect:
            self.wait_for(lambda: self.metric(expect["counts"]) == counted + 1)
        status, _, _ = self.ask("/livez")
        assert status == 200
        return outcome

    def ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """One ordinary request on a connection of its own."""
        case = {"request": f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"}
        outcome = exchange({**case, "expect": {"status": [200]}}, self.server.port)
        answer = outcome.answers[0]
        return answer.status, answer.headers, answer.body

    def metric(self, name: str) -> float:
        """The value of one line of /metrics."""
        for line in self.ask("/metrics")[2].decode().splitlines():
            if line.startswith((f"{name} ", f"{name}{{")):
                return float(line.rsplit(" ", 1)[1])
        raise AssertionError(f"there is no metric {name}")

    @staticmethod
    def wait_for(condition: Callable[[], bool]) -> None:
        """Until it holds."""
        until = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < until, "it never came to hold"
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the server."""
        self.server.stop()
