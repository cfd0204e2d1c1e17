"""The corpus: every case, and what is expected of it under each level of isolation.

What ``runsc`` does is told as it was measured with the gVisor of Debian 12 (December 2022) on the ptrace platform: its
kernel is a process of the host, so that the limits of memory and processes end the sandbox as a whole.
"""

from domain.command import Verdict
from tests.sandbox.hostile.case import (
    BOMBED,
    KILLED,
    LOST,
    OK,
    OOM,
    OOM_AND_GONE,
    OUTPUT_LIMIT,
    REFUSED,
    REPORTED,
    TIMEOUT,
    Case,
    Category,
    Expect,
)

R, L, K, N = Category.RESOURCES, Category.LIFECYCLE, Category.KERNEL, Category.NETWORK
C, E, T, H, S = Category.CHANNEL, Category.EXPORT, Category.OUTPUT, Category.HONESTY, Category.SUPPLY_CHAIN
SHORT = 2.0
"""Seconds for programs that do not end by themselves."""
HELD_AS_A_WHOLE = Expect(
    verdicts=(Verdict.OK, Verdict.TIMEOUT, Verdict.OOM, Verdict.INFRASTRUCTURE),
    survives=False,
    note="held by the limit of memory alone",
)
"""What gVisor has no limit of its own for. Its kernel may go before anybody has seen that memory ran out."""

KILLED_OR_GONE = BOMBED.model_copy(update={"verdicts": (Verdict.KILLED, Verdict.INFRASTRUCTURE)})
LATE = BOMBED.model_copy(update={"verdicts": (Verdict.OK, Verdict.INFRASTRUCTURE, Verdict.OOM)})
"""What goes off after the program, which may have ended well; on a busy machine before the runner ends it."""

SLOW_FLOOD = Expect(verdicts=(Verdict.TIMEOUT, Verdict.OUTPUT_LIMIT))
"""Which limit is reached first depends on the machine."""
INSIDE = REPORTED.inside_gvisor
LEFT_BEHIND = HELD_AS_A_WHOLE.model_copy(update={"inside": ("160 MiB",)})


def case(
    category: Category,
    name: str,
    tries: str,
    runc: Expect = REPORTED,
    runsc: Expect | None = None,
    timeout_s: float = 30.0,
    output_limit: int = 1 << 20,
) -> Case:
    """A case that is expected to end alike everywhere unless ``runsc`` says otherwise."""
    return Case(
        category=category,
        name=name,
        tries=tries,
        runc=runc,
        runsc=runsc or runc,
        timeout_s=timeout_s,
        output_limit=output_limit,
    )


RESOURCES = (
    case(R, "fork_bomb", "forks for ever", TIMEOUT, BOMBED, SHORT),
    case(R, "session_bomb", "forks for ever, each copy in a session of its own", TIMEOUT, BOMBED, SHORT),
    case(R, "thread_bomb", "starts threads for ever", TIMEOUT, BOMBED, SHORT),
    case(R, "memory_bomb", "takes memory for ever", OOM, OOM_AND_GONE),
    case(R, "memory_bomb_in_a_child", "lets a child run out of memory and exits with 0", OOM, OOM_AND_GONE),
    case(R, "memory_file_bomb", "fills anonymous memory files", OOM, OOM_AND_GONE),
    case(R, "shared_memory_fill", "fills /dev/shm"),
    case(R, "disk_fill", "fills the workspace and the scratch space"),
    case(R, "inode_bomb", "makes empty files until there are no more", REPORTED, HELD_AS_A_WHOLE, 8.0),
    case(R, "sparse_terabyte", "makes a file that claims to hold a terabyte"),
    case(R, "root_write", "looks for a folder of the image that takes files"),
    case(R, "output_flood", "writes 10 GB to both streams", OUTPUT_LIMIT),
    case(R, "endless_line", "writes a gigabyte without a newline", OUTPUT_LIMIT),
    case(R, "single_bytes", "writes single bytes to both streams for ever", SLOW_FLOOD, timeout_s=SHORT),
    case(R, "spin", "spins past its deadline", TIMEOUT, timeout_s=SHORT),
    case(R, "descriptors", "opens files until there are no more descriptors"),
    case(R, "core_dumps", "crashes again and again with core files allowed"),
    case(R, "locked_memory", "locks memory and asks for huge pages", REPORTED, INSIDE("huge pages")),
    case(R, "message_queues", "leaves memory in SysV message queues", REPORTED, OOM_AND_GONE),
    case(R, "shared_segments", "leaves memory in SysV shared memory", REPORTED, LEFT_BEHIND),
    case(R, "semaphores", "leaves memory in SysV semaphores", REPORTED, OK.inside_gvisor("5000 sets")),
    case(R, "posix_queues", "leaves memory in POSIX message queues"),
    case(R, "pipe_buffers", "fills as many and as large pipes as it can", REPORTED, OOM_AND_GONE),
    case(R, "socket_buffers", "fills sockets with data and descriptors in flight", OOM, OOM_AND_GONE),
    case(R, "watches", "takes inotify watches, epoll entries and timers", REPORTED, HELD_AS_A_WHOLE),
    case(R, "file_locks", "locks single bytes of a file for ever"),
    case(R, "extended_attributes", "fills memory with extended attributes", REPORTED, OOM_AND_GONE),
    case(R, "signal_queue", "queues signals for ever"),
    case(
        R,
        "asynchronous_io",
        "takes the machine's allowance of asynchronous I/O",
        REPORTED,
        OK.inside_gvisor("io_setup"),
    ),
    case(R, "machine_sync", "makes the machine write its caches without end", REPORTED, OK.inside_gvisor("syncfs")),
)

LIFECYCLE = (
    case(L, "zombies", "leaves zombies", runsc=LATE),
    case(L, "daemon", "leaves a daemon, twice forked in a session of its own"),
    case(L, "hang_up", "leaves shells that ignore hang-ups"),
    case(L, "deaf", "ignores every signal in many sessions", TIMEOUT, BOMBED, SHORT),
    case(L, "closes_its_streams", "closes its streams and goes on", TIMEOUT, timeout_s=SHORT),
    case(L, "reads_its_input", "blocks on its input"),
    case(L, "delayed_bomb", "leaves bombs that go off after its end", runsc=LATE),
    case(L, "kills_everybody", "kills every process that it may"),
    case(L, "stops_everybody", "stops every process that it may", TIMEOUT, timeout_s=SHORT),
    case(L, "orphan_storm", "makes orphans as fast as it can"),
    case(L, "subreaper", "adopts its orphans and makes siblings that signal the runner"),
    case(L, "leader_ends_first", "ends its first thread and goes on in another", TIMEOUT, timeout_s=SHORT),
    case(L, "pipes_kept_open", "leaves its output open in a daemon and in flight"),
)

KERNEL = (
    case(K, "mount", "mounts file systems in the old and the new way"),
    case(K, "pivot_root", "changes the root directory"),
    case(K, "namespaces", "makes namespaces in which it would be root", runsc=INSIDE("unshare", "clone")),
    case(K, "ptrace", "debugs a child and the runner", runsc=INSIDE("attach to the child", "seize the child")),
    case(K, "keyrings", "reads and adds keys"),
    case(K, "bpf", "loads programs into the kernel"),
    case(K, "perf_events", "watches the processor's counters"),
    case(K, "io_uring", "uses io_uring", runsc=INSIDE("io_uring_setup")),
    case(K, "userfaultfd", "stops the kernel in the middle of a copy"),
    case(K, "vsock", "opens a socket to the hypervisor"),
    case(K, "raw_sockets", "opens raw sockets"),
    case(K, "packet_sockets", "opens packet sockets"),
    case(K, "rare_sockets", "opens sockets that load rare modules", runsc=INSIDE("netlink 15")),
    case(K, "setuid", "becomes root by setuid programs and system calls"),
    case(K, "modules", "loads and unloads modules"),
    case(K, "kexec", "starts another kernel"),
    case(K, "log", "reads the kernel's log and memory", runsc=INSIDE("syslog", note="gVisor's own log")),
    case(K, "core_pattern", "has the kernel run a program for every crash"),
    case(K, "sysrq", "presses the magic key"),
    case(K, "settings", "writes to every setting of the kernel"),
    case(K, "cgroups", "lifts its limits, and release_agent"),
    case(K, "docker_socket", "looks for an engine's socket, and any other way out"),
    case(K, "forbidden_calls", "makes every system call that nobody needs", runsc=INSIDE(
        "add_key", "io_uring_", "keyctl", "mbind", "migrate_pages", "move_pages", "name_to_handle_at",
        "open_by_handle_at", "perf_event_open", "process_vm_", "ptrace", "request_key", "set_mempolicy",
        "setns", "unshare",
    )),
    case(K, "compatible_calls", "makes 32-bit and x32 system calls"),
    case(K, "memory_program", "runs a program that is in no file system"),
    case(K, "devices", "makes device nodes and uses those that are there", runsc=INSIDE(
        "mknod", "devices beyond the usual: ['fuse']", "/dev/net/tun",
    )),
    case(K, "links_to_foreign_files", "makes hard links to others' files, and file capabilities"),
    case(K, "scheduling", "takes real-time priority and higher limits", runsc=INSIDE("nice -20")),
    case(K, "names_and_clocks", "changes the machine's name and clocks"),
    case(K, "host_files", "reads and writes a file of the host by every way round"),
    case(K, "host_processes", "looks for and signals processes of the host"),
)  # fmt: skip

NETWORK = (
    case(N, "metadata_service", "asks 169.254.169.254 for keys"),
    case(N, "host_loopback", "connects to a listener on the host's loopback"),
    case(N, "bridge_gateway", "connects to a listener on the bridge's address"),
    case(N, "names", "carries data out in the names it asks for"),
    case(N, "abstract_socket", "connects to an abstract socket of the host"),
    case(N, "own_interfaces", "makes interfaces, addresses and routes"),
)

CHANNEL = (
    case(C, "reads_the_runner", "reads the runner's memory and descriptors", runsc=INSIDE(
        "/proc/1/environ", "/proc/1/maps", "/proc/1/smaps", "/proc/1/auxv", "/proc/1/fd:", "/proc/1/fdinfo",
        note="sees the runner's variables and the numbers of its descriptors, and can open none",
    )),
    case(C, "signals_the_runner", "signals, slows and limits the runner", runsc=INSIDE(
        "nice", "affinity", note="may renice the runner, without effect",
    )),
    case(C, "renices", "takes processor and disk away with the system's tools", runsc=INSIDE(
        "renice", "taskset", "nice", note="may renice the runner, without effect",
    )),
    case(C, "forges_frames", "writes forged results into all that can be written", REFUSED),
    case(C, "steals_its_own_pipes", "opens the runner's ends of its own pipes"),
    case(C, "floods_everything", "floods both streams and the report from many processes", OUTPUT_LIMIT),
    case(C, "spinning", "starves the runner with spinning processes", TIMEOUT, BOMBED, SHORT),
    case(C, "out_of_processes", "ends while as many processes as may be are dying", REPORTED, BOMBED),
    case(C, "out_of_processes_for_ever", "keeps the number of processes at its limit", TIMEOUT, BOMBED, SHORT),
    case(C, "out_of_memory", "takes all memory in files and processes", OOM, OOM_AND_GONE),
)  # fmt: skip

PROGRAM_CASES = (*RESOURCES, *LIFECYCLE, *KERNEL, *NETWORK, *CHANNEL)

NEIGHBOUR = case(N, "another_container", "connects to a neighbour's listeners and looks for its files")
CLIENT_DIES = case(L, "client_dies", "goes on when the service is killed in the middle of a command", LOST)
ENDED_OUTSIDE = case(L, "ended_from_outside", "is killed from outside in the middle of a command", LOST)
CANCELLED = case(C, "cancelled_under_load", "starves the runner while its client cancels", KILLED, KILLED_OR_GONE)
CANARY = case(S, "canary", "looks for the service's keys", timeout_s=60.0)

EXPORT_CASES = (
    case(E, "links", "leaves links that lead out"),
    case(E, "hard_links", "leaves hard links to others' files"),
    case(E, "special_files", "leaves pipes, sockets and device nodes", runsc=INSIDE("memory", "disk")),
    case(E, "names", "leaves names with newlines, options, escapes, broken text and 4 KB"),
    case(E, "version_control", "leaves .git in every spelling, hooks, fsmonitor, a bare repository"),
    case(E, "archive_bomb", "leaves archives that unpack to gigabytes or over other files"),
    case(E, "deep_folders", "leaves folders 2,500 deep"),
    case(E, "swapping", "swaps files for links during the export"),
    case(E, "closed_files", "leaves unreadable, setuid and leased files"),
    case(E, "forged_archive", "sends an archive with ../../x, absolute paths, links, devices", OK),
)

HEAVY_CASES = (
    case(E, "sparse_files", "leaves 600 MB of files that take no room"),
    case(E, "many_files", "leaves more files than may leave", REPORTED, HELD_AS_A_WHOLE, 8.0),
    case(C, "many_names", "leaves 50,000 names of 2 KB to be listed", REPORTED, HELD_AS_A_WHOLE, 8.0),
    case(C, "many_refused_names", "leaves 30,000 pipes and links to be listed", REPORTED, HELD_AS_A_WHOLE, 8.0),
)

OUTPUT_CASES = (
    case(T, "terminal_escapes", "prints escapes for titles, clipboard, links, answers", REFUSED),
    case(T, "markup", "prints scripts and markup", REFUSED),
    case(T, "broken_text", "prints lone surrogates and other bytes that are no text", REFUSED),
)

HONESTY_CASES = (
    case(H, "early_exit", "ends the process in conftest.py", REFUSED),
    case(H, "early_exit_in_code", "ends the process in the code under test", REFUSED),
    case(H, "early_exit_at_end", "ends the process with success at its end", REFUSED),
    case(H, "exit_with_success", "raises SystemExit(0) on import", REFUSED),
    case(H, "patched_report", "paints every report green in conftest.py", REFUSED),
    case(H, "patched_report_in_code", "patches TestReport in the code under test", REFUSED),
    case(H, "patched_pytest", "patches how pytest runs a test", REFUSED),
    case(H, "patched_report_property", "patches a property of reports for known tests alone", REFUSED),
    case(H, "patched_harness", "patches the harness for known tests alone", REFUSED),
    case(H, "replaced_code", "gives a function of pytest other code in place", REFUSED),
    case(H, "replaced_tests", "puts empty functions in the place of known tests", REFUSED),
    case(H, "added_plugin", "adds a plugin that paints known tests green", REFUSED),
    case(H, "site_customization", "brings sitecustomize and .pth files", REFUSED),
    case(H, "deleted_test", "deletes the test", REFUSED),
    case(H, "renamed_test", "renames the test so that it is not found", REFUSED),
    case(H, "skipped_test", "skips the test from the code under test", REFUSED),
    case(H, "skipped_by_mark", "marks every test as skipped", REFUSED),
    case(H, "expected_to_fail", "declares the failure as expected", REFUSED),
    case(H, "deselected", "deselects the tests by configuration", REFUSED),
    case(H, "fake_pytest", "brings its own pytest, pluggy and coverage", REFUSED),
    case(H, "forged_records", "writes forged results to every descriptor", REFUSED),
    case(H, "forged_records_at_end", "writes forged results at the end of the process", REFUSED),
    case(H, "forked", "ends the run and goes on in a copy that forges", REFUSED),
    case(H, "killed", "kills the test run", REFUSED),
)
ATTACKED_REPORT = case(
    H, "goes_after_the_report", "stops the holder of the report, opens its files, forges", REFUSED,
    REFUSED.inside_gvisor("reached its pipe", "reached its /tmp/", note="opens other pipes of the harness"),
)  # fmt: skip
PATCHED_SERIALIZER = case(H, "patched_serializer", "gives all objects of Node another form as JSON", REFUSED)
WEAKENED = case(H, "weakened_test", "weakens the protected test by shell, link, folder, daemon and mapping", REFUSED)

CASES = (
    *PROGRAM_CASES, NEIGHBOUR, CLIENT_DIES, ENDED_OUTSIDE, CANCELLED, *EXPORT_CASES, *HEAVY_CASES, *OUTPUT_CASES,
    *HONESTY_CASES, ATTACKED_REPORT, PATCHED_SERIALIZER, WEAKENED, CANARY,
)  # fmt: skip
"""All of them, in the order of the table."""
