"""each_call.py SKV SOURCE STAND_IN FOLDER [OPTION...]: one call after another fails, in tiny runs.

A scenario is run once calm, while STAND_IN (failing_calls.c) notes each call; then once for each
call that is chosen, which fails, or instead of which the process is killed. Where a call fails the
program must end with status 1 and one sentence, on stderr and in the run's log, or with 0 and the
calm run's bytes; it may neither crash nor hang. Then the same command must end with the calm run's
bytes, and compute no group a second time that was done. A case that goes wrong is printed with all
that the program said, and kept in FOLDER/bad. Takes root, for disks of a few KiB.
"""

import argparse
import concurrent.futures
import errno
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time

import h5py
import numpy

KINDS = ("write read open close fsync rename mkdir truncate unlink look stream system socket h5"
         " mpi malloc library_malloc").split()
KILL = -1
# What a call of a kind fails with, in turn; 0: half of the bytes are read or written.
ERRORS = {
    "write": [errno.ENOSPC, errno.EIO, errno.EDQUOT, 0],
    "read": [errno.ESTALE, errno.EIO, 0, errno.EINTR],
    "open": [errno.EMFILE, errno.EIO], "fsync": [errno.EIO, errno.ENOSPC],
    "rename": [errno.EIO, errno.ENOSPC], "mkdir": [errno.ENOSPC, errno.EIO],
    "truncate": [errno.ENOSPC], "system": [errno.EAGAIN], "socket": [errno.ECONNRESET],
    "mpi": [16], "malloc": [errno.ENOMEM], "library_malloc": [errno.ENOMEM],
}
# How libraries end a program that is out of memory: HDF5 by exit(-1), others by a crash or abort.
LIBRARY_ENDS = {255, -signal.SIGSEGV, -signal.SIGABRT, 128 + signal.SIGSEGV, 128 + signal.SIGABRT}
KILLED = {-signal.SIGKILL, 128 + signal.SIGKILL}  # mpirun says 137
RECORD = struct.Struct("iIq")  # kind, whence, which of its kind
DISK_KIB = 256
ENOUGH_KIB = 1 << 16
CHANGES = "write open close fsync rename mkdir unlink".split()  # before which a kill may matter


class Scenario:
    """A command that ends with a complete run. `base`: a folder that it begins with a copy of;
    `few`: cases of a kind in CI; `beside`: another job does the same at the same time; `voices`:
    ranks that cannot tell one another which of them speaks; `impatient`: options where a call
    fails."""

    def __init__(self, name, command, base=None, few=1, kinds=KINDS, start=(), environment=None,
                 beside=False, voices=1, impatient=()):
        self.name, self.command, self.base, self.few, self.kinds = name, command, base, few, kinds
        self.start, self.environment, self.beside = list(start), environment or {}, beside
        self.voices, self.impatient = voices, list(impatient)


class Outcome:
    def __init__(self, status, said):
        self.status, self.said = status, said
        # (rank, sentence): the last word, not that of a rank that leaves its work to the others
        self.sentences = [
            (int(rank or 0), sentence) for rank, sentence in re.findall(
                r"^(?:\[(\d+)/\S+ \S+\] )?error: (?!this rank cannot go on)(.*)$", said, re.M)]


def run_command(command, folder, environment, limit):
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment},
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        said = process.communicate(timeout=limit)[1]
        status = process.returncode
    except subprocess.TimeoutExpired:
        status = "hangs"
        os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()[1]
    return Outcome(status, said.decode(errors="replace"))


def contents(run):
    """What a run says: every dataset but the seconds, and every picture."""
    found = {}
    for file in filter(pathlib.Path.exists, (run / "run.h5", run / "metrics.h5")):

        def visit(name, what, of=file.name):
            if isinstance(what, h5py.Dataset) and not name.endswith("/seconds"):
                found[f"{of}: {name}"] = what[()]

        with h5py.File(file, "r") as f:
            f.visititems(visit)
    for picture in sorted((run / "images").rglob("*.png")):
        found[str(picture.relative_to(run))] = numpy.frombuffer(picture.read_bytes(), "u1")
    return found


def difference(run, calm):
    """The first thing in which a run differs from the calm one, or ""."""
    try:
        now = contents(run)
    except OSError as e:
        return f"no run to read: {e}"
    for name in sorted(set(now) | set(calm)):
        if name not in now or name not in calm:
            return f"{name} is in one run only"
        if not numpy.array_equal(now[name], calm[name]):
            return f"{name} differs"
    return ""


def finished(run):
    return {p: p.stat().st_ino for p in run.glob("groups/**/*.h5")}


def logs_of(run):
    """{rank: text}. A rank opens its log when it enters the run."""
    return {int(p.stem): p.read_text(errors="replace") for p in run.glob("log/*.txt")}


class Tester:
    def __init__(self, options):
        self.skv, self.stand_in = options.skv, options.stand_in
        self.folder = pathlib.Path(options.folder)
        self.limit = options.limit
        self.calm = {}  # scenario: contents
        self.plain = {"OMP_NUM_THREADS": "1"}

    def words(self, scenario, preload):
        # the stand-in is for the ranks alone, not for what starts them
        return scenario.start + ["env", *preload, self.skv, *scenario.command]

    def prepare(self, scenario, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(self.folder / "prompts.txt", folder)
        if scenario.base:
            shutil.copytree(self.folder / scenario.base, folder / "run", symlinks=True)
        return folder

    def run(self, scenario, folder, **fail):
        preload = [f"LD_PRELOAD={self.stand_in}"] if fail else []
        preload += [f"SKV_FAIL{key}={value}" for key, value in fail.items()]
        preload += [f"{key}={value}" for key, value in scenario.environment.items() if fail]
        words = self.words(scenario, preload) + (scenario.impatient if fail else [])
        return run_command(words, folder, self.plain, self.limit)

    def calls(self, scenario):
        """The calm run: {kind: [(n, whence)]}."""
        folder = self.prepare(scenario, f"calm-{scenario.name}")
        outcome = self.run(scenario, folder, _SITES=folder / "sites")
        if outcome.status != 0:
            sys.exit(f"{scenario.name}: the calm run failed: {outcome.said}")
        self.calm[scenario.name] = contents(folder / "run")
        found = {kind: [] for kind in KINDS}
        for kind, whence, n in RECORD.iter_unpack((folder / "sites").read_bytes()):
            found[KINDS[kind]].append((n, whence))
        return found

    @staticmethod
    def came(folder, kind, n):
        counts = (folder / "counts").read_bytes()
        return struct.unpack_from("q", counts, 8 * KINDS.index(kind))[0] >= n

    def judge(self, scenario, kind, n, how, outcome, folder, logs_before):
        """What is wrong with the run in which a call failed, and how it ended other than by a
        sentence: it "survived", a library "ended" the program, or there was "no such call"."""
        run = folder / "run"
        if kind != "disk" and not self.came(folder, kind, n):
            return f"exit status {outcome.status}" if outcome.status else "", "no such call"
        if how == KILL and scenario.name != "probe":
            return "" if outcome.status in KILLED else f"exit status {outcome.status}", ""
        if outcome.status == 0:
            return difference(run, self.calm[scenario.name]), "survived"
        if kind == "library_malloc" and outcome.status in LIBRARY_ENDS:
            return "", "ended"
        if outcome.status != 1:
            return f"exit status {outcome.status}", ""
        if not 1 <= len(outcome.sentences) <= scenario.voices:
            return f"{len(outcome.sentences)} sentences", ""
        rank, sentence = outcome.sentences[0]
        log = logs_of(run).get(rank, "")[len(logs_before.get(rank, "")):]
        if log and not scenario.beside and sentence not in log:
            return f"the log of rank {rank} does not have the sentence", ""
        return "", ""

    def small_disk(self, folder, kib):
        """The run's folder on a disk of its own, as root; of kib KiB."""
        run = folder / "run"
        how = f"remount,size={kib}k" if run.is_mount() else f"size={kib}k"
        run.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", how, "none", run], check=True)

    def resume(self, scenario, folder):
        run = folder / "run"
        before = finished(run)
        outcome = self.run(scenario, folder)
        if outcome.status != 0:
            return f"resumed: exit status {outcome.status}: {outcome.said[-300:]}"
        if any(not p.exists() or p.stat().st_ino != inode for p, inode in before.items()):
            return "resumed: a finished group was written a second time"
        left = [str(p.relative_to(run)) for p in [*run.rglob("*.tmp"), *run.glob("claims")]]
        if left:
            return f"resumed: left behind: {left}"
        wrong = difference(run, self.calm[scenario.name])
        return f"resumed: {wrong}" if wrong else ""

    def case(self, scenario, kind, n, how):
        name = f"{scenario.name}-{kind}-{n}-{errno.errorcode.get(how, how)}"
        folder = self.prepare(scenario, name)
        logs_before = logs_of(folder / "run")
        beside = subprocess.Popen(
            self.words(scenario, []), cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **self.plain}) if scenario.beside else None
        if kind == "disk":
            self.small_disk(folder, n)
            outcome = self.run(scenario, folder)
            self.small_disk(folder, ENOUGH_KIB)
        else:
            outcome = self.run(scenario, folder, **{"": f"{kind} {n} {how}",
                                                    "_COUNTS": folder / "counts"})
        beside_status = beside.wait(self.limit) if beside else 0
        wrong, how_ended = self.judge(scenario, kind, n, how, outcome, folder, logs_before)
        if beside_status != 0:
            wrong = wrong or f"the other job: exit status {beside_status}"
        wrong = wrong or self.resume(scenario, folder)
        if kind == "disk":
            subprocess.run(["umount", folder / "run"], check=True)
        if wrong:
            (folder / "said").write_text(outcome.said)
            (self.folder / "bad").mkdir(exist_ok=True)
            shutil.rmtree(self.folder / "bad" / name, ignore_errors=True)
            folder.rename(self.folder / "bad" / name)
        else:
            shutil.rmtree(folder)
        return name, wrong, how_ended, outcome.said


def chosen(calls, form, limit, share):
    """Which calls of a kind are to fail: all, one of each place, or `limit` of these; of them,
    the K-th of N shares."""
    if form != "calls":
        calls = list({whence: (n, whence) for n, whence in reversed(calls)}.values())[::-1]
    if limit and len(calls) > limit:
        calls = [calls[i * len(calls) // limit] for i in range(limit)]
    return [n for n, _ in calls[share[0] - 1::share[1]]]


def disk_sizes(n):
    """KiB, evenly from nothing to what the run takes."""
    return [round(DISK_KIB * (i + 0.5) / n) for i in range(n)]


def scenarios(tester, source):
    """The scenarios, and the folders that they begin with."""
    common = ["--config", f"{source}/configs/tiny.json", "--model", "tiny_f16",
              "--transformer", "formula:tiny_f16", "--vae", "formula:tiny_f16",
              "--t5", f"{source}/tests/data/tiny_t5", "--resolution", "0.06M", "--drafters", "0",
              "--group-size", "1", "--paths", "full,scalekv-10", "--threads", "1",
              "--prompts", "prompts.txt", "--out", "run"]
    bits = ["sample", *common, "--store", "bits"]
    pictures = ["sample", *common]
    loop = ["bash", f"{source}/tests/mpi/loop.sh", "2"]
    mpirun = ["mpirun", "-n", "2", "--oversubscribe"]

    (tester.folder / "prompts.txt").write_text("a cat\na red apple\n")
    for name, command, gone in [
            ("base-resume", bits, ["run.h5", "groups/full/000001.h5"]),
            ("base-gather", bits, ["run.h5"]),
            ("base-pictures", pictures, ["run.h5", "images"]), ("base-eval", pictures, [])]:
        folder = tester.prepare(Scenario(name, command), "made")
        outcome = tester.run(Scenario(name, command), folder)
        if outcome.status != 0:
            sys.exit(f"{name}: {outcome.said}")
        for thing in gone:
            thing = folder / "run" / thing
            shutil.rmtree(thing) if thing.is_dir() else thing.unlink()
        shutil.rmtree(tester.folder / name, ignore_errors=True)
        (folder / "run").rename(tester.folder / name)
    return [
        Scenario("fresh", bits, few=3),
        Scenario("resume", bits, base="base-resume"),
        Scenario("gather", ["gather", "run"], base="base-gather"),
        Scenario("pictures", pictures, base="base-pictures",
                 kinds=["write", "open", "rename", "stream", "malloc"]),
        Scenario("jobs", bits, beside=True,
                 kinds=["write", "open", "rename", "mkdir", "unlink", "look"]),
        Scenario("probe", bits, base="base-resume", kinds=["read", "open", "h5", "malloc"],
                 environment={"SKV_FAIL_PROBE": 1}),
        Scenario("eval", ["eval", "run", "--networks", "none"], base="base-eval",
                 kinds="write read open fsync rename look socket h5 malloc".split()),
        # longer than a rank has to wait: one that gives up speaks beside the one whose call failed
        *(Scenario(f"rank{rank}", bits, start=mpirun, impatient=["--wait-limit", "60"],
                   kinds=["mpi", "write", "open", "rename"], environment={"SKV_FAIL_RANK": rank})
          for rank in (0, 1)),
        *(Scenario(f"tcp{rank}", bits, start=loop, impatient=["--wait-limit", "5"],
                   kinds=["socket"], voices=2, environment={"SKV_FAIL_RANK": rank})
          for rank in (0, 1)),
    ]


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in "skv source stand_in folder".split():
        parser.add_argument(name, type=os.path.abspath)  # each case has a folder of its own
    parser.add_argument("--form", choices=["ci", "places", "calls"], default="ci",
                        help="a few calls, one of each place in the program, or every call")
    parser.add_argument("--scenarios", type=lambda s: s.split(","), help="only these")
    parser.add_argument("--kinds", type=lambda s: s.split(","), default=KINDS, help="only these")
    parser.add_argument("--how", choices=["fail", "kill", "both"], default="both",
                        help="the call fails, or the process is killed instead of it")
    parser.add_argument("--most", type=int, help="cases of a kind in a scenario, spread evenly")
    parser.add_argument("--share", type=lambda s: [int(i) for i in s.split("/")], default=[1, 1],
                        metavar="K/N", help="the K-th of N shares, so that machines can part them")
    parser.add_argument("--disks", type=int, default=4, help="sizes of a disk that is too small")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=120, help="seconds until a run hangs")
    return parser.parse_args()


def report(what, n_calls, results, seconds):
    """A line of the table, and each case that went wrong with its words. Returns how many."""
    ended = [r[2] for r in results]
    bad = [r for r in results if r[1]]
    print(f"{what:28} {n_calls:6} calls {len(results):5} cases {ended.count('survived'):5} survived"
          f" {ended.count('no such call'):3} did not come"
          f" {ended.count('ended'):3} ended by a library {len(bad):3} wrong {seconds:5.0f} s",
          flush=True)
    for name, wrong, _, said in bad:
        print(f"    {name}: {wrong}\n{textwrap.indent(said, ' ' * 8)}", flush=True)
    return len(bad)


def main():
    o = options()
    tester = Tester(o)
    shutil.rmtree(tester.folder, ignore_errors=True)
    tester.folder.mkdir(parents=True)
    n_cases = n_bad = 0
    for scenario in scenarios(tester, o.source):
        if o.scenarios and scenario.name not in o.scenarios:
            continue
        calls = tester.calls(scenario)
        work = [(kind, kill) for kill in (False, True) for kind in scenario.kinds
                if kind in o.kinds and o.how in ("both", "kill" if kill else "fail") and
                (kind in CHANGES or not kill)]
        if scenario.name == "fresh" and o.disks:
            work.append(("disk", False))
            calls["disk"] = [(i, i) for i in disk_sizes(o.disks)]
        for kind, kill in work:
            t = time.monotonic()
            most = o.most or (0 if o.form != "ci" else 1 if kill else scenario.few)
            n = chosen(calls[kind], o.form, most if kind != "disk" else 0, o.share)
            errors = [KILL] if kill else ERRORS.get(kind, [errno.EIO])
            with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
                results = list(pool.map(
                    lambda i: tester.case(scenario, kind, n[i], errors[i % len(errors)]),
                    range(len(n))))
            n_cases += len(n)
            n_bad += report(f"{scenario.name} {kind}{', killed' if kill else ''}",
                            len(calls[kind]), results, time.monotonic() - t)
    print(f"{n_cases} cases, {n_bad} went wrong")
    sys.exit(n_bad > 0)


if __name__ == "__main__":
    main()
