"""Saves files with programs, and checks each state that a loss of power may leave on disk.

usage: power_loss.py SHIM FOLDER [--only TEXT] [--skip TEXT] [--random N] [--next N]
           [--seed N] [--jobs N]

A library for LD_PRELOAD records the operations that change files. The model of a disk knows
no order but that of fsync(): after each operation, any of what was not synced is lost.
- Files: of the data that was not synced, any blocks (512 bytes, or more in large files) are
  on disk, the others have the old bytes, zeros or garbage; the size is the new one, or ends
  at any block. Bytes that were synced and not written since stay, as disks promise.
- Folders: any of the names that were made, renamed or removed since the folder was synced;
  a rename may leave both names. To sync a file does not sync its name.
Each state becomes an image of the disk: all names and contents. Images with many blocks are
those with one block lost, with one block alone, with the first blocks, and --random others
for each operation and each content of the missing blocks.

In each image a saved file must be the complete old one or a complete new one, and the new
one after the folder was synced. Then the next run must work: a save that leaves no other
files, or a resumed training that ends with the bits of one without loss of power, in model
and log. --next limits the images with a next run, of each case.
"""
import argparse
import concurrent.futures
import dataclasses
import itertools
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import models  # noqa: E402
from arguments import existing, refuse_nothing  # noqa: E402
from cases import TRAIN, prepare  # noqa: E402
from run_faults import without_times  # noqa: E402

HEADER = struct.Struct("<6Q")
OPENED, WRITTEN, SYNCED, RENAMED, UNLINKED, RESIZED = range(6)
# Blocks are of 512 bytes, of larger files up to twice as large until they are few.
BLOCK, FEW = 512, 40


@dataclasses.dataclass
class Case:
    """A command, its files, and its saved files. next: the command after the loss of power,
    if it is another one once its first file exists. others: files that the next run changes."""
    name: str
    words: list[str]
    files: list[str]
    saved: list[str]
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    next: tuple[str, list[str]] | None = None
    others: list[str] = dataclasses.field(default_factory=list)
    text: bytes = b""


ONE = ["mnist-train", "--load", "digits", "--epochs", "1", "--batch-size", "24",
       "--synthetic=24", "--seed", "1", "--threads", "1", "--force", "--save"]
RUN = ["mnist-train", *TRAIN, "--synthetic=24", "--seed", "1", "--checkpoint-every", "2",
       "--save", "new", "--log", "log.csv", "--checkpoint", "point"]
CASES = [
    Case("new", [*ONE, "new"], ["digits"], ["new"]),
    Case("replace", [*ONE, "digits.old"], ["digits", "digits.old"], ["digits.old"]),
    Case("link", [*ONE, "link"], ["digits", "place/digits"], ["place/digits"],
         links={"link": "place/digits"}),
    Case("link to nothing", [*ONE, "link"], ["digits", "place/other"], ["place/new"],
         links={"link": "place/new"}),
    Case("states", ["stream", "--state", "state", "--save-state", "state", "waves"],
         ["waves", "state"], ["state"], others=["state"], text=b"# waves\n" + b"1\n2.5\n" * 20),
    Case("characters", ["charlm", "--hidden", "4", "--threads", "1", "--length", "10",
                        "--force", "--save", "chars", "text", "1"], ["text", "chars"], ["chars"]),
    Case("chart and model", ["forecast", "waves.csv", "height", "new.svg", "new"],
         ["waves.csv"], ["new.svg", "new"]),
    Case("drawing", ["mnist-predict", "--explain", "new.svg", "digits", "digit.pgm"],
         ["digits", "digit.pgm"], ["new.svg"]),
    Case("checkpoints", RUN, [], ["new", "point"], others=["point"],
         next=("point", ["mnist-train", "--resume", "point", "--log", "log.csv", "--save",
                         "new", "--force"])),
    Case("checkpoints over others", RUN, ["new", "point", "log.csv"], ["new", "point"]),
]


class File:
    """A file: its content, its content when it was synced, and the changes since then: an
    offset and bytes, or a size and None."""

    def __init__(self, content=b""):
        self.content, self.synced, self.pending = bytearray(content), bytes(content), []
        # The smallest size since it was synced.
        self.least = len(content)

    def change(self, offset, data):
        if data is None:
            self.content[offset:] = bytes(max(0, offset - len(self.content)))
        else:
            self.content[len(self.content):] = bytes(max(0, offset - len(self.content)))
            self.content[offset:offset + len(data)] = data
        self.pending.append((offset, data))
        self.least = min(self.least, len(self.content))

    def sync(self):
        self.synced, self.pending = bytes(self.content), []
        self.least = len(self.synced)

    def states(self, rng, count):
        """Contents that may be on disk."""
        new = bytes(self.content)
        if not self.pending:
            return
        size = BLOCK
        while size * FEW < len(new):
            size *= 2
        blocks = sorted({block for offset, data in self.pending for block in range(
            offset // size, -(-(offset + len(data or b"x")) // size))})
        sets = [set(blocks[:i]) for i in range(len(blocks) + 1)]
        sets += [{block} for block in blocks] + [set(blocks) - {block} for block in blocks]
        if len(blocks) < 7:
            sets = [set(some) for n in range(len(blocks) + 1)
                    for some in itertools.combinations(blocks, n)]
        sets += [{block for block in blocks if rng.random() < 0.5} for _ in range(count)]
        for some in sets:
            for other in ("old", "zero", "garbage"):
                yield self.mixed(new, set(blocks) - some, size, other, rng)
        for end in {len(self.synced), *(block * size for block in blocks)}:
            # What was synced and not cut since is there.
            end = max(end, self.least)
            yield new[:end]
            yield self.mixed(new, set(blocks), size, "zero", rng)[:end]

    def mixed(self, new, lost, size, other, rng):
        """The new content without the lost blocks. Bytes that no change touched stay."""
        content = bytearray(new)
        for block in lost:
            first, last = block * size, min((block + 1) * size, len(new))
            if other == "old":
                content[first:last] = self.synced[first:last].ljust(last - first, b"\0")
                continue
            for offset, data in self.pending:
                start, end = max(first, offset), min(last, offset + len(data or b""))
                if start < end:
                    content[start:end] = (rng.randbytes(end - start) if other == "garbage"
                                          else bytes(end - start))
        return bytes(content)


class Disk:
    """Names and files in memory, and what of them is on disk."""

    def __init__(self, folder):
        self.folder = folder
        self.names, self.pending, self.numbers, self.folders = {}, {}, {}, {}
        for path in [folder, *sorted(folder.rglob("*"))]:
            number = path.lstat().st_ino
            name = self.name(path)
            if path.is_symlink():
                continue
            if path.is_dir():
                self.folders[number] = name
                self.pending[name] = []
            else:
                self.names[name] = self.numbers[number] = File(path.read_bytes())
        self.synced = dict(self.names)
        # Each content that a name has had by a rename, or had before, and the number of the
        # last one that is certainly on disk.
        self.versions = {name: [bytes(file.content)] for name, file in self.names.items()}
        self.certain = {}

    def name(self, path):
        return os.path.relpath(os.path.join(self.folder, path), self.folder)

    def set_names(self, kind, *pairs):
        """An operation of a folder that gives names files, or None."""
        folder = os.path.dirname(pairs[0][0]) or "."
        self.pending[folder].append((kind, pairs))
        apply(self.names, pairs)

    def operate(self, operation, number, offset, path, other, data):
        if operation == OPENED:
            self.open(self.name(path), number, offset)
        elif operation == WRITTEN and number in self.numbers:
            self.numbers[number].change(offset, data)
        elif operation == RESIZED and number in self.numbers:
            self.numbers[number].change(offset, None)
        elif operation == SYNCED and number in self.folders:
            self.sync_folder(self.folders[number])
        elif operation == SYNCED:
            self.numbers[number].sync()
        elif operation == RENAMED:
            self.rename(self.name(path), self.name(other))
        elif operation == UNLINKED:
            self.set_names("unlink", (self.name(path), None))

    def open(self, name, number, truncates):
        if not (self.folder / name).parent.is_dir() or name.startswith(".."):
            return
        if not self.names.get(name):
            self.numbers[number] = File()
            self.set_names("create", (name, self.numbers[number]))
        elif truncates:
            self.names[name].change(0, None)

    def rename(self, name, target):
        file = self.names[name]
        self.versions.setdefault(target, [None]).append(bytes(file.content))
        self.set_names("rename", (target, file), (name, None))

    def sync_folder(self, folder):
        for _, pairs in self.pending[folder]:
            apply(self.synced, pairs)
        self.pending[folder] = []
        for name, versions in self.versions.items():
            if (os.path.dirname(name) or ".") == folder:
                self.certain[name] = len(versions) - 1

    def allowed(self, name):
        return self.versions.get(name, [None])[self.certain.get(name, 0):]

    def name_states(self, rng):
        """Names and files that may be on disk; a random choice if a program syncs no
        folders."""
        pending = [each for folder in self.pending.values() for each in folder]
        choices = [(0, 1, 2) if kind == "rename" else (0, 1) for kind, _ in pending]
        every = itertools.product(*choices)
        if len(pending) > 6:
            every = [[rng.choice(some) for some in choices] for _ in range(100)]
        for chosen in every:
            names = dict(self.synced)
            for choice, (_, pairs) in zip(chosen, pending):
                # 2: the new name is on disk, and the old one still is.
                apply(names, pairs[:1] if choice == 2 else pairs if choice else ())
            yield names

    def images(self, rng, count):
        """Contents by name, of all that may be on disk."""
        for names in self.name_states(rng):
            names = {name: file for name, file in names.items() if file}
            files = {id(file): file for file in names.values()}.values()
            yield {name: file.synced for name, file in names.items()}
            yield {name: bytes(file.content) for name, file in names.items()}
            for file in files:
                for content in file.states(rng, count):
                    # The other files are as they are in memory, or as they were.
                    for memory in (False, True)[:1 + any(
                            other.pending for other in files if other is not file)]:
                        yield {name: content if each is file else
                               bytes(each.content) if memory else each.synced
                               for name, each in names.items()}


def apply(names, pairs):
    for name, file in pairs:
        names[name] = file


def read_record(path):
    content, at = path.read_bytes(), 0
    while at < len(content):
        operation, number, offset, *sizes = HEADER.unpack_from(content, at)
        at += HEADER.size
        parts = []
        for size in sizes:
            parts.append(content[at:at + size])
            at += size
        yield operation, number, offset, parts[0].decode(), parts[1].decode(), parts[2]


class Campaign:
    def __init__(self, options, scratch):
        self.programs = {path.name: str(path.resolve()) for path in options.folder.iterdir()}
        self.options, self.shim = options, str(options.shim.resolve())
        self.base, self.work = scratch / "base", scratch / "work"
        self.base.mkdir()
        self.work.mkdir()
        prepare(self.base, self.programs)
        for name, source in (("digits.old", "digits"), ("place/digits", "digits"),
                             ("place/other", "text"), ("point", "half"), ("new", "digits")):
            (self.base / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(self.base / source, self.base / name)
        (self.base / "log.csv").write_text("epoch,step,loss,lr,accuracy,seconds\n1,1,2,3,,4\n")

    def run(self, words, case, folder, record=None):
        """Ends with the shim's random numbers, which are the same each time."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder),
                       "LSTM_CPU": os.environ.get("LSTM_CPU", ""), "LD_PRELOAD": self.shim}
        if record:
            environment["FAULTS_RECORD"] = str(record)
        return subprocess.run([self.programs[words[0]], *words[1:]], cwd=folder,
                              input=case.text, env=environment, capture_output=True)

    def folder(self, case, files):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.work))
        for name in {*case.files, *case.saved}:
            (folder / name).parent.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        for name, target in case.links.items():
            (folder / name).symlink_to(target)
        return folder

    def files(self, folder):
        return {str(path.relative_to(folder)): path.read_bytes()
                for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}

    def record(self, case):
        """Runs a case: its disk before, its operations, and its files after."""
        folder = self.folder(case, {name: (self.base / name).read_bytes()
                                    for name in case.files})
        disk, record = Disk(folder), folder.with_suffix(".record")
        done = self.run(case.words, case, folder, record)
        if done.returncode:
            sys.exit(f"{case.name}: cannot run: {done.stderr.decode()}")
        operations, files = list(read_record(record)), self.files(folder)
        return disk, operations, files

    def check(self, case):
        """All images of a case: their number, that of next runs, and what is wrong."""
        rng = random.Random(f"{self.options.seed} {case.name}")
        disk, operations, right = self.record(case)
        # A random choice of images of those so far, each as likely as the others.
        seen, images, lost, faults = set(), [], set(), []
        for number in range(len(operations) + 1):
            if len(faults) > 1000:
                return len(seen), 0, faults
            if number:
                disk.operate(*operations[number - 1])
            for image in disk.images(rng, self.options.random):
                key = hash(frozenset(image.items()))
                for name in case.saved:
                    if image.get(name) not in disk.allowed(name) and (number, key) not in lost:
                        lost.add((number, key))
                        faults.append(f"after operation {number}: {name} is neither the old "
                                      f"nor the new file")
                if key in seen:
                    continue
                seen.add(key)
                at = rng.randrange(len(seen))
                if len(images) < self.options.next:
                    images.append((number, image))
                elif at < self.options.next:
                    images[at] = (number, image)
        memory = {name: bytes(file.content) for name, file in disk.names.items() if file}
        if memory != right:
            faults.append("the model has other files than the disk")
        faults += [f"{name} is broken" for name in case.saved for content in
                   disk.versions.get(name, []) if content and not is_whole(name, content)]
        if any(disk.certain.get(name, 0) != len(disk.versions.get(name, [0])) - 1
               for name in case.saved):
            faults.append("at the end a name is not synced")
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            found = pool.map(lambda each: self.next_run(case, right, *each), images)
        return len(seen), len(images), faults + [fault for fault in found if fault]

    def next_run(self, case, right, number, image):
        folder = self.folder(case, image)
        resumes = case.next and case.next[0] in image
        done = self.run(case.next[1] if resumes else case.words, case, folder)
        files = self.files(folder)
        shutil.rmtree(folder)
        where = f"after operation {number} the next run"
        if done.returncode:
            return f"{where} fails: {done.stderr.decode(errors='replace').strip()}"
        left = set(files) ^ set(right)
        if left:
            return f"{where} leaves or lacks {', '.join(sorted(left))}"
        for name in set(right) - set(case.others):
            if without_times(name, files[name]) != without_times(name, right[name]):
                return f"{where} makes another {name}"
        return None


def is_whole(name, content):
    if name.endswith(".svg"):
        return content.rstrip().endswith(b"</svg>")
    try:
        models.decode(content)
    except (ValueError, KeyError):
        return False
    return True


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("shim", type=existing)
    parser.add_argument("folder", type=existing)
    parser.add_argument("--only", default="", help="text in the name of the cases")
    parser.add_argument("--skip", default="none", help="text in the name of other cases")
    parser.add_argument("--random", type=int, default=4)
    parser.add_argument("--next", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def main():
    options = arguments()
    cases = [case for case in CASES
             if options.only in case.name and options.skip not in case.name]
    refuse_nothing(cases, "--only", f"{options.only!r} without {options.skip!r}",
                   [case.name for case in CASES])
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    images, runs, wrong = 0, 0, 0
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        campaign = Campaign(options, pathlib.Path(scratch))
        for case in cases:
            count, nexts, faults = campaign.check(case)
            for fault in faults[:5]:
                print(f"{case.name}: {fault}")
            print(f"{case.name}: {count} images, {nexts} next runs, {len(faults)} wrong",
                  flush=True)
            images, runs, wrong = images + count, runs + nexts, wrong + len(faults)
    print(f"{images} images, {runs} next runs, {wrong} wrong")
    sys.exit(1 if wrong or not images else 0)


if __name__ == "__main__":
    main()
