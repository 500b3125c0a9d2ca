"""Measure how much load the gate can send, and whether its latencies are those that hey measures.

    python tools/bench_load.py

nginx answers a few bytes on one core, each loader sends from another, one loader after the other, three times; the
medians count. The goals: 1,500 requests a second and more, and at that rate a P50 and P99 that differ from hey's by no
more than 15 % or 2 ms, whichever is more. Exits 1 if a goal is missed, 0 if it is met or a tool is missing.

hey's workers keep time together, so that 50 of them at 30 a second send 50 requests at the same moment and then none:
its latencies are then those of its own queue. Compared is what 10 of them at 150 a second measure.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".build" / "bench"
PACKAGES = {"nginx": "nginx-light", "hey": "hey", "taskset": "util-linux"}  # program → its package in Debian
LOADER_CORE, SERVER_CORE = "0", "1"
ROUNDS = 3
MOST = 30_000.0  # requests a second, more than any loader reaches on one core
GOAL_RATE = 1500.0
TOLERANCE, TOLERANCE_MS = 0.15, 2.0

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/tmp;
  proxy_temp_path {folder}/tmp;
  fastcgi_temp_path {folder}/tmp;
  uwsgi_temp_path {folder}/tmp;
  scgi_temp_path {folder}/tmp;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 "ok"; }}
  }}
}}
"""


@dataclass(frozen=True)
class Figures:
    """What one loader reached: requests a second, latencies in ms, and its share of the core's time."""

    rate: float
    p50: float
    p99: float
    core: float


@dataclass(frozen=True)
class Loader:
    """One row of the table. `arguments`: hey's, or what `send` is called with, in a process of its own."""

    name: str
    program: str
    arguments: tuple[str, ...]


def ours(name: str, rate: float, seconds: float, concurrency: int) -> Loader:
    """Our loader."""
    return Loader(name, "send", ("send_load", str(seconds), str(concurrency), str(rate)))


LOADERS = (
    Loader("requests, closed loop, 8 threads", "send", ("requests", "2", "8", "0")),
    Loader("http.client, closed loop, 8 threads", "send", ("http.client", "2", "8", "0")),
    ours("send_load, as many as it can", MOST, 2, 16),
    Loader("hey, as many as it can", "hey", ("-z", "2s", "-c", "50")),
    Loader("hey, 1,500/s: 10 x 150", "hey", ("-z", "3s", "-c", "10", "-q", "150")),
    ours("send_load, 1,500/s", GOAL_RATE, 3, 10),
)
MAXIMUM, HEY, COMPARED = LOADERS[2].name, LOADERS[4].name, LOADERS[5].name


def missing_tools() -> list[str]:
    """The programs that are not installed."""
    # Debian has nginx where only root looks.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    return [program for program in PACKAGES if not shutil.which(program)]


def pinned(core: str) -> list[str]:
    """What starts a program on one core, where that can be done."""
    return ["taskset", "-c", core] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@contextlib.contextmanager
def web_server() -> Iterator[str]:
    """Run nginx; yield its address."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    (FOLDER / "nginx.conf").write_text(NGINX.format(folder=FOLDER, port=port), encoding="utf-8")
    command = [*pinned(SERVER_CORE), "nginx", "-p", str(FOLDER), "-c", str(FOLDER / "nginx.conf")]
    with (FOLDER / "output.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"error: nginx does not answer: see {FOLDER}/output.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def measure(loader: Loader, url: str) -> Figures:
    """Run one loader once, in a process of its own on its core."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    program = ["hey"] if loader.program == "hey" else [sys.executable, __file__, "send"]
    command = [*pinned(LOADER_CORE), *program, *loader.arguments, *([f"{url}/"] if loader.program == "hey" else [url])]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if loader.program != "hey":
        return Figures(**json.loads(output))
    core = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / seconds
    found = [re.search(pattern, output) for pattern in (r"Requests/sec:\s+(\S+)", r"50% in (\S+)", r"99% in (\S+)")]
    rate, p50, p99 = (float(match[1]) if match else float("nan") for match in found)
    return Figures(rate, p50 * 1000, p99 * 1000, core)


def send(kind: str, seconds: float, threads: int, rate: float, url: str) -> Figures:
    """Send from this process; `rate` is for `send_load` alone, the others send one after the other in each thread."""
    used, began = time.process_time(), time.monotonic()
    if kind == "send_load":
        sys.path.insert(0, str(ROOT / "lambdas"))
        from gate.load import send_load
        from gate.options.requests import Load
        from gate.waiting import Deadline

        used, began = time.process_time(), time.monotonic()
        result = send_load(Load(rate=rate, duration=seconds, concurrency=threads), url, Deadline(60))
        core = (time.process_time() - used) / (time.monotonic() - began)
        if result.statistics.reasons or result.aborted:
            raise SystemExit(f"error: {result.statistics.reasons} {result.aborted}")
        return Figures(result.rate, result.statistics.latency("p50"), result.statistics.latency("p99"), core)
    asking = with_requests if kind == "requests" else with_http_client
    latencies: list[float] = []

    def work() -> None:
        ask = asking(url)
        while time.monotonic() < began + seconds:
            asked = time.monotonic()
            ask()
            latencies.append((time.monotonic() - asked) * 1000)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took, ranks = time.monotonic() - began, statistics.quantiles(latencies, n=100)
    return Figures(len(latencies) / took, ranks[49], ranks[98], (time.process_time() - used) / took)


def with_requests(url: str) -> Callable[[], object]:
    """What sends one request, as the gate's checks do."""
    import requests

    session = requests.Session()
    return lambda: session.get(url, timeout=5).content


def with_http_client(url: str) -> Callable[[], object]:
    """What sends one request over a connection that is kept."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)

    def ask() -> bytes:
        connection.request("GET", "/")
        return connection.getresponse().read()

    return ask


def median(figures: list[Figures]) -> Figures:
    """Each figure's median."""
    return Figures(*(statistics.median(getattr(each, name) for each in figures) for name in asdict(figures[0])))


def goals(found: dict[str, Figures]) -> Iterator[tuple[bool, str]]:
    """Each goal that could be measured, and whether it is met."""
    most = found[MAXIMUM]
    yield most.rate >= GOAL_RATE, f"send_load sends {most.rate:,.0f} requests a second, {GOAL_RATE:,.0f} wanted"
    if HEY in found:
        for word in ("p50", "p99"):
            mine, heys = getattr(found[COMPARED], word), getattr(found[HEY], word)
            allowed = max(TOLERANCE * heys, TOLERANCE_MS)
            text = f"at {GOAL_RATE:,.0f} a second send_load measures {word} {mine:.2f} ms, hey {heys:.2f} ms"
            yield abs(mine - heys) <= allowed, f"{text}, {allowed:.2f} ms apart allowed"


def main() -> int:
    """Measure and compare; return the exit status."""
    missing, busy = missing_tools(), os.getloadavg()[0]
    for program in missing:
        print(f"{program} is not installed; on Debian and Ubuntu: apt-get install {PACKAGES[program]}")
    if "nginx" in missing:
        print("Without nginx there is nothing to send a load to.")
        return 0
    if not pinned(LOADER_CORE):
        print("The loaders and nginx share their cores: they cannot be pinned to one each here.")
    loaders = [loader for loader in LOADERS if loader.program not in missing]
    if busy >= 1:
        print(
            f"Something else keeps this machine busy (load average {busy:.1f}): the figures will be worse than it can."
        )
    runs: dict[str, list[Figures]] = {loader.name: [] for loader in loaders}
    with web_server() as url:
        for _ in range(ROUNDS):
            for loader in loaders:
                runs[loader.name].append(measure(loader, url))
    found = {name: median(figures) for name, figures in runs.items()}
    print(f"{'':38}{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'core':>8}")
    for name, each in found.items():
        print(f"{name:38}{each.rate:12,.0f}{each.p50:10.2f}{each.p99:10.2f}{each.core:8.0%}")
    met = True
    for good, text in goals(found):
        print(f"{'met   ' if good else 'MISSED'}  {text}")
        met = met and good
    return 0 if met or missing else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["send"]:
        kind, seconds, threads, rate, url = sys.argv[2:]
        print(json.dumps(asdict(send(kind, float(seconds), int(threads), float(rate), url))))
    else:
        sys.exit(main())
