"""Worker processes of a real server: killed under load, and gone when the server is."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from server_process import ROOT, Process

import maas

APP = """
import os, time
import maas

@maas.endpoint("/once", workers=2)
def once(n: int) -> int:
    time.sleep(0.002)
    return n + 1

@maas.endpoint("/again", workers=2, idempotent=True)
def again(n: int) -> int:
    time.sleep(0.002)
    return n + 1

@maas.endpoint("/here")
def here(n: int) -> int:
    return n + 1

@maas.endpoint("/hang", workers=1, timeout_s=0.5)
def hang(n: int) -> int:
    while n:
        pass
    return n

@maas.endpoint("/spin", workers=1)
def spin(n: int, ctx: maas.Context) -> int:
    ctx.log.warning("spinning")
    while n:
        pass
    return n
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path / "app.py"


def workers_of(process: Process) -> list[int]:
    """The processes that the server has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\t{process.popen.pid}$", text, re.MULTILINE):
            found.append(int(status.parent.name))
    return found


def all_gone(pids: list[int], seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Load:
    """Threads that call an endpoint all the time, and what they got."""

    def __init__(self, url: str, path: str, threads: int = 3) -> None:
        self._url, self._path = url, path
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(threads)]
        self.right = 0
        self.failures: list[maas.Error] = []
        self.wrong: list[int] = []

    def _call(self) -> None:
        with maas.Client(self._url) as client:
            n = 0
            while not self._stop.is_set():
                n += 1
                try:
                    answer = client.call(self._path, n=n)
                except maas.Error as error:
                    self.failures.append(error)
                    continue
                if answer == n + 1:
                    self.right += 1
                else:
                    self.wrong.append(answer)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    def wait_for(self, more: int) -> None:
        """Until so many more calls were answered."""
        goal, end = self.right + more, time.monotonic() + 60
        while self.right < goal:
            assert time.monotonic() < end, f"{self.right} of {goal}: {self.failures[-3:]}"
            time.sleep(0.005)


def worker_pids(client: maas.Client, path: str) -> int:
    """How many workers of an endpoint take batches."""
    text = client.exchange("GET", "/metrics", [], b"")[2].decode()
    found = re.search(rf'^maas_workers_live\{{model="{path}".*\}} (\d+)$', text, re.MULTILINE)
    assert found
    return int(found[1])


def test_killed_workers_fail_only_what_they_held(serve: Callable[..., Process], app: Path) -> None:
    process = serve(app)
    once, again = Load(process.url, "/once"), Load(process.url, "/again")
    here = Load(process.url, "/here", 1)
    kills = 0
    with once.running(), again.running(), here.running():
        for _ in range(4):
            once.wait_for(20)
            again.wait_for(20)
            os.kill(workers_of(process)[0], signal.SIGKILL)
            kills += 1
        once.wait_for(20)
        again.wait_for(20)
    assert not once.wrong + again.wrong + here.wrong
    assert len(once.failures) <= kills
    assert all("signal 9" in error.message for error in once.failures)
    assert again.failures == []
    assert here.failures == []
    assert process.client().ready()


def test_a_hung_worker_is_replaced(serve: Callable[..., Process], app: Path) -> None:
    process = serve(app)
    client = process.client()
    with pytest.raises(maas.DeadlineExceededError):
        client.call("/hang", n=1)
    process.wait_for("did not answer before the deadline")
    end = time.monotonic() + 60
    while worker_pids(client, "/hang") == 0:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert client.call("/hang", n=0) == 0


def test_workers_finish_when_the_server_drains_and_are_gone(
    serve: Callable[..., Process], app: Path
) -> None:
    process = serve(app)
    pids = workers_of(process)
    assert len(pids) == 6
    for pid in pids:  # as a terminal or a service manager does
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
    assert process.client().call("/once", n=1) == 2
    process.send(signal.SIGTERM)
    assert process.exit_code() == 0
    assert all_gone(pids)


def test_no_worker_outlives_a_server_that_is_killed(
    serve: Callable[..., Process], app: Path
) -> None:
    process = serve(app)
    pids = workers_of(process)
    client = process.client()

    def spin() -> None:
        with pytest.raises(maas.UnavailableError):
            client.call("/spin", n=1)

    thread = threading.Thread(target=spin)
    thread.start()
    process.wait_for("spinning")
    process.send(signal.SIGKILL)
    process.exit_code()
    assert all_gone(pids)
    thread.join()


def test_a_worker_has_no_socket_of_the_server(serve: Callable[..., Process], app: Path) -> None:
    process = serve(app)
    client = process.client()
    assert client.call("/here", n=1) == 2  # the connection stays open
    for pid in workers_of(process):
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
        assert sum("socket:" in link for link in links) == 1


def test_a_script_that_serves_itself_is_served_by_workers_too(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, maas\n\n"
        "@maas.endpoint('/pid', workers=1)\ndef pid() -> int:\n    return os.getpid()\n\n"
        "if __name__ == '__main__':\n"
        "    with maas.TestClient(pid) as client:\n"
        "        assert client.call('/pid') != os.getpid()\n"
        "        print('answered')\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "answered\n", done.stderr


def test_a_script_without_that_line_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import maas\n\n@maas.endpoint('/one', workers=1)\ndef one() -> int:\n    return 1\n\n"
        "maas.TestClient(one)\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "endpoint /one cannot be served" in done.stderr
    assert 'under `if __name__ == "__main__":`' in done.stderr
