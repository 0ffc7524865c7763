"""Configures builds with only some of the kernels.

usage: test_kernels.py MESON CPU_FAMILY C_COMPILER...
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESON, FAMILY, COMPILER = None, None, []
SETS = {"x86_64": {"generic", "avx2", "avx512", "avx512bf16"}, "aarch64": {"generic", "neon"}}


class Kernels(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="kernels-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def configure(self, option, *words):
        return subprocess.run(
            [MESON, "setup", str(self.folder / "build"), str(ROOT), "-Dtests=false",
             "-Dexamples=false", "-Dblas=builtin", f"-Dkernels={option}", *words],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "CC": " ".join(COMPILER)})

    def sets(self, option):
        result = self.configure(option)
        self.assertEqual(result.returncode, 0, result.stdout)
        targets = json.loads(subprocess.run(
            [MESON, "introspect", "--targets", str(self.folder / "build")], check=True,
            text=True, stdout=subprocess.PIPE).stdout)
        prefix = "lstm_kernels_"
        return {target["name"][len(prefix):] for target in targets
                if target["name"].startswith(prefix)}, result.stdout

    def test_all_sets_of_the_machine_are_the_default(self):
        self.assertEqual(self.sets("all")[0], SETS.get(FAMILY, {"generic"}) | {"exact"})

    def test_plain_c_is_always_built(self):
        sets, text = self.sets("")
        self.assertEqual(sets, {"generic", "exact"})
        self.assertRegex(text, r"kernels *: generic\n")

    @unittest.skipIf("avx2" not in SETS.get(sys.argv[2], ()), "not of this machine")
    def test_only_the_sets_of_the_option_are_built(self):
        sets, text = self.sets("avx2,generic")
        self.assertEqual(sets, {"generic", "exact", "avx2"})
        self.assertRegex(text, r"kernels *: generic, avx2\n")

    @unittest.skipIf("avx512" not in SETS.get(sys.argv[2], ()), "not of this machine")
    def test_the_table_of_bfloat16_brings_the_table_of_float32(self):
        self.assertEqual(self.sets("avx512bf16")[0],
                         {"generic", "exact", "avx512", "avx512bf16"})

    def test_an_unknown_set_is_refused_by_its_name(self):
        for name in ("avx9", "neon" if FAMILY == "x86_64" else "avx2"):
            result = self.configure(f"generic,{name}")
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f'kernels: unknown set "{name}"', result.stdout)

    def test_a_big_endian_processor_is_refused(self):
        machine = self.folder / "big.ini"
        machine.write_text(f"[binaries]\nc = {COMPILER!r}\n[host_machine]\nsystem = 'linux'\n"
                           "cpu_family = 's390x'\ncpu = 'z14'\nendian = 'big'\n")
        result = self.configure("", "--cross-file", str(machine))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn('processor: "z14" is big-endian', result.stdout)

    def test_the_whole_tree_is_written_for_the_oldest_meson(self):
        """A newer Meson warns of what an older one does not have."""
        result = self.configure("", "-Dtests=true", "-Dexamples=true")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertNotIn("uses feature", result.stdout)


if __name__ == "__main__":
    MESON, FAMILY, *COMPILER = sys.argv[1:]
    unittest.main(argv=sys.argv[:1], verbosity=2)
