# SPDX-License-Identifier: Apache-2.0
"""What oip_image.py measures against: python bare_image.py model MODEL.pt N | socket PORT BYTES.

`model` calls the module N times on one image and prints the CPU seconds of one call. `socket` reads
BYTES again and again from one connection into one buffer, and answers each time with one byte.
"""

import resource
import socket
import sys


def model(path: str, count: int) -> None:
    """The bare model call."""
    import torch

    torch.set_num_threads(1)
    net = torch.jit.load(path).eval()
    image = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        for _ in range(20):
            net(image)
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _ in range(count):
            net(image)
        after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(used / count)


def read_socket(port: int, size: int) -> None:
    """The same bytes from a socket into a buffer."""
    buffer = memoryview(bytearray(size))
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                while read_all(connection, buffer):
                    connection.sendall(b".")


def read_all(connection: socket.socket, buffer: memoryview) -> bool:
    """Fills the buffer; False at the end."""
    done = 0
    while done < len(buffer):
        count = connection.recv_into(buffer[done:])
        if count == 0:
            return False
        done += count
    return True


if __name__ == "__main__":
    if sys.argv[1] == "model":
        model(sys.argv[2], int(sys.argv[3]))
    else:
        read_socket(int(sys.argv[2]), int(sys.argv[3]))
