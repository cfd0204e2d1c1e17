"""Waits for connections on every address, says so, and goes on until there is a file ``enough``."""

import os
import socket
import time

servers = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    try:
        servers.append(socket.create_server((address, 4444), family=family, dualstack_ipv6=False))
    except OSError as error:
        print("contained: cannot listen on", address, error.strerror, flush=True)
name = socket.socket(socket.AF_UNIX)
name.bind("\0neighbour")
name.listen()
print("contained: listening", flush=True)
for server in (*servers, name):
    server.setblocking(False)
while not os.path.exists("enough"):
    for server in (*servers, name):
        try:
            server.accept()
        except BlockingIOError:
            continue
        print("ESCAPED: somebody connected", flush=True)
    time.sleep(0.02)
