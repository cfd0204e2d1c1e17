"""Opens raw sockets."""

import socket

from attack import refused

for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (1, 6, 17, 58, 255):
        what = f"{family.name} raw {protocol}"
        refused(what, lambda family=family, protocol=protocol: socket.socket(family, socket.SOCK_RAW, protocol))
