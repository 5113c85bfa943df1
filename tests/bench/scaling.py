"""Images a second of several GPUs of one host in one run, beside each of them alone.

Parts, in this order:
  alone     ten groups on each GPU, one GPU after the other
  mpirun    1, 2, 4, ... ranks: seconds to the first group, the rate while every rank has work, the
            share of the sum of its GPUs alone, what is left behind that (the tail), weights, host,
            disk, gather
  torchrun  the same with the most ranks, without MPI
  geneval   553 prompts of four pictures each, full cache and ScaleKV 10 %, stopped half-way by a
            signal to one rank, finished by half of the ranks; the first group of both paths is
            compared with one rank's
"""

import argparse
import calendar
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

FULL_SIZE = ["--transformer", "formula:2b", "--vae", "formula:2b", "--t5", "formula:xl",
             "--resolution", "1M", "--threads", "4"]
TINY = ["--transformer", "formula:tiny_f16", "--vae", "formula:tiny_f16", "--drafters", "0",
        "--resolution", "0.06M", "--threads", "1"]
ENVIRONMENT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
WORDS = "a the red old two small photo of cat dog house on under tree river light car night".split()
STOPPED = 75  # exit status of a run that can go on


def gpus():
    try:
        said = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        return 0
    return len(re.findall(r"^GPU \d+:", said, re.M))


def options():
    parser = argparse.ArgumentParser(prog="scaling.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("skv", help="the program")
    parser.add_argument("source", help="its source folder")
    parser.add_argument("--groups", type=int, default=40, help="groups a rank (40)")
    parser.add_argument("--group-size", type=int, default=8, help="pictures a group (8)")
    parser.add_argument("--prompts", type=int, default=553, help="prompts of the part geneval (553)")
    parser.add_argument("--ranks", type=lambda s: [int(n) for n in s.split(",")],
                        help="numbers of ranks (1, 2, 4, ... and all GPUs)")
    parser.add_argument("--parts", type=lambda s: s.split(","),
                        default="alone,mpirun,torchrun,geneval".split(","), help="only these")
    parser.add_argument("--tiny", action="store_true", help="the tiny model, which needs no GPU")
    o = parser.parse_args()
    n = gpus()
    if not o.ranks and n == 0:
        parser.error("no GPU here, so --ranks must say how many ranks there are")
    o.ranks = sorted(o.ranks or {r for r in (1, 2, 4, 8, n) if r <= n})
    o.skv, o.source = os.path.abspath(o.skv), os.path.abspath(o.source)
    return o


def write_prompts(path, n):
    """n prompts of twelve words, the same ones in every call."""
    words = random.Random(1)
    path.write_text("".join(" ".join(words.choices(WORDS, k=12)) + "\n" for _ in range(n)))


class Bench:
    def __init__(self, o, work):
        self.o, self.work = o, work
        spm = os.path.join(o.source, "tests/data/tiny_t5")
        self.common = ["--group-size", str(o.group_size)]
        self.common += [*TINY, "--t5", spm] if o.tiny else [
            *FULL_SIZE, "--spm", os.path.join(spm, "spiece.model")]

    def start(self, launcher, name, prompts, *more, gpu=None):
        """A run in RUN = work/name, with its own log; the launcher's process."""
        environment = {**ENVIRONMENT, **os.environ}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = str(gpu)
        with open(self.work / f"{name}.log", "a") as log:
            return subprocess.Popen(
                [*launcher, self.o.skv, "sample", *self.common, "--prompts", str(prompts), "--out",
                 str(self.work / name), *more], env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT)

    def sample(self, launcher, name, n_groups, ranks, gpu=None):
        """Figures of one whole run, whose folder is then removed."""
        prompts = self.work / "prompts.txt"
        write_prompts(prompts, n_groups * self.o.group_size)
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        status = self.start(launcher, name, prompts, "--paths", "scalekv-10", gpu=gpu).wait()
        after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
        if status != 0:
            sys.exit(f"{name}: exit status {status}:\n{(self.work / f'{name}.log').read_text()}")
        run = self.work / name
        figures = {**self.pace(run, ranks, began), **self.words(run, ended),
                   "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
                   "host_gib": after.ru_maxrss / (1 << 20)}
        shutil.rmtree(run)
        return figures

    def pace(self, run, ranks, began):
        """Rates by the times at which group files were finished: from the first group of each rank
        to the last moment at which each rank still has one in hand."""
        files = sorted(run.glob("groups/**/*.h5"), key=lambda p: p.stat().st_mtime_ns)
        t = [p.stat().st_mtime for p in files]
        first, last = ranks - 1, len(t) - 1 - ranks if ranks > 1 else len(t) - 1
        held = sum(p.stat().st_size for p in [*files, *run.glob("images/**/*.png")])
        if last <= first:
            sys.exit(f"{run.name}: {len(t)} groups are too few for {ranks} ranks")
        return {"first_s": t[0] - began, "tail_s": t[-1] - t[last],
                "rate": (last - first) * self.o.group_size / (t[last] - t[first]),
                "disk_mib_s": held / (1 << 20) / (t[-1] - t[0])}

    @staticmethod
    def words(run, ended):
        """What rank 0's log says: weights, and when the gather began."""
        log = (run / "log" / "0.txt").read_text()
        weights = [(float(gib), float(s)) for gib, s in re.findall(
            r"([\d.]+) GiB of weights .* in ([\d.]+) s", log)]
        gib, seconds = (sum(w) for w in zip(*weights)) if weights else (0, 0)
        gather = re.search(r"^(\S+) phase: gather", log, re.M)
        began = calendar.timegm(time.strptime(gather[1], "%Y-%m-%dT%H:%M:%SZ"))
        return {"weights_gib": gib, "weights_s": seconds, "gather_s": ended - began}


def mpirun(n):
    return ["mpirun", "-n", str(n), "--bind-to", "none", "--oversubscribe"]


def report(what, ranks, f, total):
    share = f"{100 * f['rate'] / total:6.1f} %" if total else "       -"
    print(f"| {what} | {ranks} | {f['first_s']:.1f} | {f['rate']:.3f} | {share} | "
          f"{f['tail_s']:.2f} | {f['weights_gib']:.2f} GiB in {f['weights_s']:.1f} s | "
          f"{f['cpu_s']:.0f} | {f['host_gib']:.2f} | {f['disk_mib_s']:.1f} | {f['gather_s']:.1f} |",
          flush=True)


def scaling(bench):
    o, alone = bench.o, []
    print("| launcher | ranks | s to the first group | images/s | of the sum alone | tail, s | "
          "weights | CPU s | host GiB of a rank | disk MiB/s | gather, s |\n" + "| --- " * 11 + "|")
    if "alone" in o.parts:
        for gpu in range(o.ranks[-1]):
            f = bench.sample([], f"alone{gpu}", 10, 1, gpu=gpu)
            alone.append(f["rate"])
            report(f"GPU {gpu} alone", 1, f, 0)
    for ranks in o.ranks if "mpirun" in o.parts else []:
        f = bench.sample(mpirun(ranks), f"mpirun{ranks}", o.groups * ranks, ranks)
        report("mpirun", ranks, f, sum(alone[:ranks]))
    if "torchrun" in o.parts and shutil.which("torchrun"):
        ranks = o.ranks[-1]
        f = bench.sample(["torchrun", "--standalone", f"--nproc-per-node={ranks}", "--no-python"],
                         "torchrun", o.groups * ranks, ranks)
        report("torchrun", ranks, f, sum(alone[:ranks]))
    elif "torchrun" in o.parts:
        print("no torchrun here: that part was not run")


def one_rank(run):
    """The process of a rank of this run."""
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if words[1:2] == [b"sample"] and str(run).encode() in words:
            return int(file.parent.name)
    sys.exit(f"{run}: no rank of it was found")


def pixels(path):
    """A PNG's compressed picture, without its texts, which name the run's settings."""
    data, at, found = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        found += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    return found


def geneval(bench):
    o, run, prompts = bench.o, bench.work / "geneval", bench.work / "geneval.txt"
    more = ["--paths", "full,scalekv-10", "--samples", "4", "--seed-rule", "prompt", "--seed", "0"]
    ranks, groups = o.ranks[-1], -(-o.prompts * 4 // o.group_size) * 2
    write_prompts(prompts, o.prompts)
    began = time.time()
    job = bench.start(mpirun(ranks), "geneval", prompts, *more)
    while job.poll() is None and len([*run.glob("groups/**/*.h5")]) < groups // 2:
        time.sleep(0.2)
    if job.poll() is not None:
        sys.exit(f"geneval: ended before half of its {groups} groups: see {run}.log")
    os.kill(one_rank(run), signal.SIGUSR1)
    asked = time.time()
    status = job.wait()
    print(f"geneval: {ranks} ranks, half of {groups} groups after {asked - began:.1f} s; a signal "
          f"to one rank: all ended {time.time() - asked:.1f} s later with status {status}")
    if status != STOPPED:
        sys.exit(f"geneval: status {STOPPED} was expected")
    fewer = max(1, ranks // 2)
    began = time.time()
    status = bench.start(mpirun(fewer), "geneval", prompts, *more).wait()
    print(f"geneval: {fewer} ranks finished it in {time.time() - began:.1f} s, status {status}")
    if status != 0:
        sys.exit("geneval: status 0 was expected")
    write_prompts(prompts, max(1, o.group_size // 4))
    status = bench.start([], "subset", prompts, *more).wait()
    subset = bench.work / "subset"
    pictures = [p.relative_to(subset) for p in subset.glob("images/*/*.png")]
    same = sum(pixels(run / p) == pixels(subset / p) for p in pictures)
    print(f"geneval: of {len(pictures)} pictures of the first groups {same} are one rank's")
    if status != 0 or not pictures or same != len(pictures):
        sys.exit("geneval: all of them were expected")


def main():
    o = options()
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(o, pathlib.Path(work))
        if {"alone", "mpirun", "torchrun"} & set(o.parts):
            scaling(bench)
        if "geneval" in o.parts:
            geneval(bench)


if __name__ == "__main__":
    main()
