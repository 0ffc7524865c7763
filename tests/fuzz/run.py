"""Builds the harnesses with libFuzzer and two sanitizers (addresses, undefined behaviour),
and runs them.

usage: run.py [--runs N] [--seconds S] [--only NAME]... [--build DIR] [--keep DIR] [--seed N]

Each harness runs until it has done N executions (fit: N / 100) or S seconds have passed,
whichever comes first. It starts with its files in corpus/. Inputs that reach new code go to
a temporary folder, or with --keep to DIR/NAME, from which the next run continues. The script
prints a table: harness, executions, seconds, findings. A harness ends with its first finding,
and the script names the file with the input: replay it with
`build-fuzz/tests/fuzz/fuzz-NAME FILE`.

Needs clang with libFuzzer (on Debian clang and libclang-rt-14-dev). The exit status is 0
without findings, 1 with findings, 77 if clang or libFuzzer is missing.
"""
import argparse
import datetime
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Inputs of this size reach all code of the parsers; longer ones only take longer.
MOST_BYTES = 1024
# Slowest input in seconds, and the most memory in MB.
LIMITS = ["-timeout=60", "-rss_limit_mb=2048", "-malloc_limit_mb=1024"]
# Much time of a short execution is that of the address sanitizer, which keeps the stack of
# each allocation and freed memory. The replay of a finding has whole stacks.
SANITIZER = {"ASAN_OPTIONS": "malloc_context_size=1:quarantine_size_mb=4"}
SKIPPED = 77
# Harnesses whose executions take so much longer that they do fewer of them.
SLOWER = {"fit": 100}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=100000, help="executions per harness")
    parser.add_argument("--seconds", type=int, default=600, help="limit per harness")
    parser.add_argument("--only", action="append", help="name of a harness")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-fuzz")
    parser.add_argument("--keep", type=pathlib.Path, help="folder of found inputs")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def has_fuzzer(compiler):
    """Whether the compiler has libFuzzer; its parts are in a package of their own."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "probe.c"
        source.write_text("int LLVMFuzzerTestOneInput(const char *d, unsigned long s)\n"
                          "{ return !d && s; }\n")
        try:
            return subprocess.run(
                [*compiler.split(), "-fsanitize=fuzzer,address,undefined", str(source), "-o",
                 folder + "/probe"], capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


def build(folder):
    """Configures a build with clang unless it exists, and builds all fuzzers."""
    compiler = os.environ.get("CC", "clang")
    if not has_fuzzer(compiler):
        print(f"SKIPPED: {compiler} with libFuzzer is not installed (on Debian clang and "
              "libclang-rt-14-dev)")
        sys.exit(SKIPPED)
    if not (folder / "build.ninja").exists():
        subprocess.run(
            ["meson", "setup", str(folder), str(ROOT), "-Dfuzzing=true", "-Dkernels=generic",
             "-Dblas=builtin", "-Ddownload=disabled", "--buildtype=release"],
            check=True, env=os.environ | {"CC": compiler},
            stdout=sys.stderr)
    subprocess.run(["ninja", "-C", str(folder), "fuzzers"], check=True, stdout=sys.stderr)
    return {path.name.removeprefix("fuzz-"): path
            for path in sorted((folder / "tests/fuzz").glob("fuzz-*")) if path.is_file()}


def fuzz(name, program, found, options):
    """Runs a harness; returns the executions, the seconds, and whether it had a finding."""
    found.mkdir(parents=True, exist_ok=True)
    dictionary = HERE / f"{name}.dict"
    command = [str(program), str(found), str(HERE / "corpus" / name),
               f"-runs={options.runs // SLOWER.get(name, 1)}", f"-max_total_time={options.seconds}",
               f"-max_len={MOST_BYTES}", f"-seed={options.seed}", *LIMITS,
               "-print_final_stats=1", "-close_fd_mask=1", f"-artifact_prefix={found.parent}/"]
    if dictionary.exists():
        command.append(f"-dict={dictionary}")
    begin = time.monotonic()
    # A log file, because long runs print much.
    log = found.parent / f"{name}.log"
    with open(log, "w") as stream:
        status = subprocess.run(command, stdout=stream, stderr=stream, check=False,
                                env=SANITIZER | os.environ).returncode
    text = log.read_text(errors="replace")
    executions = re.findall(r"number_of_executed_units: (\d+)", text)
    if status:
        # The stack and the name of the input stand at the end.
        print(text[-6000:], file=sys.stderr)
    return int(executions[-1]) if executions else 0, time.monotonic() - begin, bool(status)


def main():
    options = arguments()
    known = sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))
    unknown = set(options.only or []) - set(known)
    if unknown:
        sys.exit(f"--only: unknown harness {', '.join(sorted(unknown))}, expected one of "
                 f"{', '.join(known)}")
    harnesses = build(options.build)
    findings = 0
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False).stdout.strip()
    print(f"commit {commit or 'unknown'}, {datetime.date.today()}")
    print(f"{'harness':12} {'executions':>12} {'seconds':>9}  findings", flush=True)
    total = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or pathlib.Path(scratch)
        for name in options.only or harnesses:
            executions, seconds, failed = fuzz(name, harnesses[name], folder / name, options)
            findings += failed
            total += executions
            print(f"{name:12} {executions:12,} {seconds:9.1f}  {int(failed)}", flush=True)
            if failed and not options.keep:
                # The folder disappears: keep the input.
                for path in folder.glob("*-*"):
                    path.replace(pathlib.Path.cwd() / f"{name}-{path.name}")
    print(f"{'all':12} {total:12,} {'':9}  {findings}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
