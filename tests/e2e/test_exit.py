"""A script that serves ends when it is over, whatever its handlers do."""

import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import json, threading, urllib.request
import maas

entered = threading.Event()

@maas.endpoint("/spin", timeout_s=600)
def spin() -> str:
    entered.set()
    while True:
        pass

server = maas.serve(spin, port=0, blocking=False)

def ask() -> None:
    request = urllib.request.Request(
        server.url + "/spin", b"{}", {"Content-Type": "application/json"}, method="POST"
    )
    try:
        urllib.request.urlopen(request)
    except OSError:
        pass

threading.Thread(target=ask, daemon=True).start()
entered.wait()
"""


def test_a_handler_that_never_returns_does_not_keep_a_script_from_ending(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - started < 30
    assert done.returncode == 1
    assert "a handler still runs" in done.stderr
    assert "terminate" not in done.stderr


def test_a_script_whose_handlers_are_done_ends_with_0(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import maas\n"
        '@maas.endpoint("/one")\n'
        "def one() -> int:\n"
        "    return 1\n"
        "server = maas.serve(one, port=0, blocking=False)\n"
        'assert maas.Client(server.url).call("/one") == 1\n'
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
