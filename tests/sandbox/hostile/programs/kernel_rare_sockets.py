"""Opens sockets of families and protocols that make the kernel load modules nobody looks after."""

import socket

from attack import refused

FAMILIES = {
    "AX25": 3, "APPLETALK": 5, "X25": 9, "KEY": 15, "RDS": 21, "PPPOX": 24, "LLC": 26, "CAN": 29, "TIPC": 30,
    "BLUETOOTH": 31, "RXRPC": 33, "PHONET": 35, "CAIF": 37, "ALG": 38, "NFC": 39, "KCM": 41, "QIPCRTR": 42,
    "SMC": 43, "XDP": 44, "MCTP": 45,
}  # fmt: skip
for name, family in FAMILIES.items():
    refused(f"AF_{name}", lambda family=family: socket.socket(family, socket.SOCK_SEQPACKET, 0))
PROTOCOLS = {
    "DCCP": (6, 33),
    "SCTP": (5, 132),
    "SCTP stream": (1, 132),
    "UDP-Lite": (2, 136),
    "L2TP": (2, 115),
    "MPTCP": (1, 262),
}
for name, (kind, protocol) in PROTOCOLS.items():
    refused(name, lambda kind=kind, protocol=protocol: socket.socket(socket.AF_INET, kind, protocol))
for protocol in (2, 4, 6, 9, 12, 15, 16, 21):
    refused(
        f"netlink {protocol}", lambda protocol=protocol: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    )
