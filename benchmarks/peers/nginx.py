# SPDX-License-Identifier: Apache-2.0
"""nginx with one worker answering every request with the same JSON.

`return` discards the request's body after reading it from the socket (the connection stays usable
for the next request), so that a POST costs what HTTP costs and nothing else.
"""

import pathlib

from harness import need_program

_CONF = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 256; }}
http {{
  access_log off; default_type application/json; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{answer}'; }} }}
}}
"""


def nginx_command(folder: pathlib.Path, port: int, answer: bytes) -> list[str]:
    """The command line of that nginx; its files go to `folder`."""
    conf = folder / "nginx.conf"
    conf.write_text(_CONF.format(folder=folder, port=port, answer=answer.decode()))
    return [need_program("nginx"), "-p", str(folder), "-c", str(conf)]
