"""Compiles the programs of docs/recipes*.md as C11 and as C++20, and runs them.

usage: test_recipes.py BUILD_FOLDER C_COMPILER... [++ C++_COMPILER...]
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import printed  # noqa: E402

BUILD, COMPILERS = None, {}
PAGES = ["docs/recipes.md", "docs/recipes-training.md", "docs/recipes-programs.md"]
# For each program, in order: a pattern of its output, and the maximum of the group.
OUTPUTS = {
    "Regression: one number per sequence": [(r"mean squared error (\S+)\n", 0.1)],
    "A target at every step": [(r"cross-entropy (\S+)\n", 0.05)],
    "Embedding": [(r"cross-entropy (\S+)\n", 0.2)],
    "Lengths and masks": [(r"mean squared error (\S+)\n", 0.03)],
    "Class weights": [(r"found (?:8\d|9\d|100) of (100) rare sequences\n", 100)],
    "The best model, and early stopping": [
        (r"\d+ updates, best validation loss (\S+)\n", 0.1)],
    "Truncated backpropagation": [(r"mean squared error (\S+)\n", 0.05)],
    "Custom layers": [(r"mean squared error (\S+), gain\[0\] (?!1\.000)\S+\n", 0.2)],
    "A decoder: several pending forwards": [(r"cross-entropy (\S+)\n", 0.2)],
    "A model from memory": [
        (r"(?:(?:weight|bias)\w+|lstm\.\w+) F32, rank 2\n(?:.* F32, rank [12]\n){3}"
         r"h\[0\] of the last step: (\S+)\n", 1)],
    "Threads, OpenMP and MPI": [(r"8 of (8) batches have the same bits\n", 8),
                                (r"mean squared error (\S+)\n", 0.15)],
    "C++": [(r"(16) outputs per step\n", 16)],
}
# An MPI of one process, for machines without one.
MPI = """
#define MPI_COMM_WORLD 0
#define MPI_FLOAT 0
#define MPI_SUM 0
#define MPI_IN_PLACE ((void *)1)
static inline void MPI_Init(int *count, char ***words) { (void)count; (void)words; }
static inline void MPI_Finalize(void) {}
static inline void MPI_Comm_rank(int world, int *rank) { (void)world; *rank = 0; }
static inline void MPI_Comm_size(int world, int *size) { (void)world; *size = 1; }
static inline void MPI_Allreduce(const void *from, void *to, int count, int type,
                                 int operation, int world)
{
    (void)from; (void)to; (void)count; (void)type; (void)operation; (void)world;
}
"""


def has_openmp(compiler):
    result = subprocess.run([*compiler, "-fopenmp", "-x", "c", "-", "-o", "/dev/null"],
                            input="int main(void) { return 0; }", text=True,
                            stderr=subprocess.DEVNULL)
    return result.returncode == 0


class Recipes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="recipes-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        (cls.folder / "mpi.h").write_text(MPI)

    def check(self, source, language, pattern, most):
        for standard, compiler in COMPILERS.items():
            if language == "cpp":
                if standard == "c11":
                    continue
                standard = "c++17"
            options = [f"-I{self.folder}"]
            if "_OPENMP" in source and has_openmp(compiler):
                options.append("-fopenmp")
            with self.subTest(standard=standard):
                program = self.folder / "program"
                printed.compile(source, program, standard, compiler, BUILD, *options)
                found = re.fullmatch(pattern, printed.run(program, self.folder))
                self.assertIsNotNone(found)
                self.assertLessEqual(float(found[1]), most)

    def test_every_recipe(self):
        seen = []
        for page in PAGES:
            sections = re.split(r"^## ", (printed.ROOT / page).read_text(), flags=re.M)[1:]
            for section in sections:
                heading = section.split("\n")[0]
                programs = re.findall(r"^```(c|cpp)\n(.*?)^```", section, re.S | re.M)
                self.assertEqual(len(programs), len(OUTPUTS[heading]), heading)
                for (language, source), expected in zip(programs, OUTPUTS[heading]):
                    with self.subTest(heading):
                        self.check(source, language, *expected)
                seen.append(heading)
        self.assertEqual(seen, list(OUTPUTS))


if __name__ == "__main__":
    BUILD, *words = sys.argv[1:]
    COMPILERS = printed.compilers(words)
    unittest.main(argv=sys.argv[:1], verbosity=2)
