"""A handler that keeps the processor busy, in two processes of its own, and a service in two."""

import os
import signal

import maas


@maas.endpoint("/count_primes", workers=2, idempotent=True)
def count_primes(below: int) -> int:
    """How many primes there are below a number: pure Python, which threads could not share."""
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in range(2, below))


@maas.service(name="greeter", workers=2)
class Greeter:
    """Each of the two processes makes an instance of its own."""

    def setup(self) -> None:
        self.made_in = os.getpid()

    @maas.endpoint("/greet")
    def greet(self, name: str) -> dict[str, str | int]:
        """A greeting, and the process that it comes from."""
        return {"text": f"Hello, {name}", "process": self.made_in}

    @maas.endpoint("/crash")
    def crash(self, signal_number: int = signal.SIGSEGV) -> None:
        """Ends its process, as a bug in native code would: only this request fails."""
        os.kill(os.getpid(), signal_number)
